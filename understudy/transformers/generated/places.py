"""Find the columns with the city, the state and the country that a postal code or a town belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from understudy.tables.inference import headers
from understudy.tables.schema import Column, ColumnKind
from understudy.transformers.base import ArrowColumn, Codes, Subjects
from understudy.transformers.categorical import CategoricalTransformer
from understudy.transformers.generated.coded import PatternCodes
from understudy.transformers.generated.countries import WORDS_OF_CODES, names_country
from understudy.transformers.generated.personal import Personal
from understudy.transformers.generated.persons import owner_words
from understudy.transformers.generated.placed_codes import LearnedPlace, fit_placed
from understudy.transformers.generated.regions import RegionColumn
from understudy.transformers.generated.transformer import GeneratedTransformer

Fitted = list[tuple[Any, Codes]]

_FORMS = ("city", "state", "country")
# Minimum number of rows with a town that repeats, and minimum share of these rows that have the town's most
# frequent state.
N_ROWS_MIN, IN_ONE_STATE_MIN = 20, 0.9


def place_postal_codes(
    fitted: Fitted,
    columns: Sequence[Column],
    values: Sequence[ArrowColumn],
    subjects_of: Mapping[str, Subjects | None],
) -> Fitted:
    """Return the transformers and codes, with postal codes that match the place in each row.

    Parameters
    ----------
    fitted : list of (transformer, codes)
        Transformers and codes of the columns.
    columns : sequence of Column
        Schema of the columns.
    values : sequence of ChunkedArray
        Values of the columns.
    subjects_of : mapping of str to array of shape (n_rows,), or None
        Subject or entity of each row, for each column. If None, rows are counted instead.
    """
    out = list(fitted)
    for place, (transformer, codes) in enumerate(fitted):
        is_generated = isinstance(transformer, GeneratedTransformer)
        is_postal = is_generated and columns[place].kind is ColumnKind.postal_code
        if not is_postal or not isinstance(transformer.generator, PatternCodes):
            continue
        known = _places_of(columns[place].name, fitted, columns)
        if known:
            texts = pa.concat_arrays(values[place].cast(pa.large_string()).chunks)
            generator = fit_placed(transformer.generator, texts, known, subjects_of.get(columns[place].name))
            if generator is not None:
                out[place] = replace(transformer, generator=generator), codes
    return out


def place_towns(fitted: Fitted, columns: Sequence[Column], values: Sequence[ArrowColumn]) -> Fitted:
    """Return the transformers and codes, with made-up towns that belong to one state each."""
    out = list(fitted)
    for place, (transformer, codes) in enumerate(fitted):
        generator = transformer.generator if isinstance(transformer, GeneratedTransformer) else None
        if not isinstance(generator, Personal) or generator.form != "city":
            continue
        states = _places_of(columns[place].name, fitted, columns, ("state",))
        if states and _is_in_one_state(values[place], states[0].codes):
            region = RegionColumn(states[0].place, len(states[0].is_exact))
            out[place] = replace(transformer, generator=replace(generator, region_column=region)), codes
    return out


def _is_in_one_state(towns: ArrowColumn, states: Codes) -> bool:
    """Return whether nearly all towns that occur in several rows have the same state in these rows."""
    encoded: Any = pa.concat_arrays(towns.chunks).dictionary_encode()
    index = encoded.indices.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.int64)
    counts = np.bincount(index[index >= 0], minlength=1)
    repeated = (index >= 0) & (counts[index] > 1)
    if repeated.sum() < N_ROWS_MIN:
        return True
    pairs, n_rows = np.unique(index[repeated] << 16 | states[repeated], return_counts=True)
    largest = np.zeros(len(counts), np.int64)
    np.maximum.at(largest, pairs >> 16, n_rows)
    return bool(largest.sum() >= IN_ONE_STATE_MIN * repeated.sum())


def _places_of(
    name: str, fitted: Fitted, columns: Sequence[Column], forms: Sequence[str] = _FORMS
) -> list[LearnedPlace]:
    """Return the learned place columns with the same owner as a column.

    If there are no such columns, return the learned place columns without an owner.
    """
    owner = owner_words(name) - WORDS_OF_CODES
    found: list[tuple[bool, LearnedPlace]] = []
    for place, ((transformer, codes), column) in enumerate(zip(fitted, columns, strict=True)):
        is_category = isinstance(transformer, CategoricalTransformer)
        if is_category and _form_of(column.name) in forms:
            own = owner_words(column.name) - WORDS_OF_CODES
            if own == owner or not own:
                found.append((own == owner, LearnedPlace(place, transformer.is_exact, codes)))
    has_own = any(is_own for is_own, _ in found)
    return [learned for is_own, learned in found if is_own or not has_own]


def _form_of(name: str) -> str | None:
    return "country" if names_country(name) else headers.address_form(headers.words_of(name))
