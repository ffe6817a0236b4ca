"""Find the columns with the city, the state and the country of a postal code."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import pyarrow as pa

from understudy.tables.inference import headers
from understudy.tables.schema import Column, ColumnKind
from understudy.transformers.base import ArrowColumn, Codes, Subjects
from understudy.transformers.categorical import CategoricalTransformer
from understudy.transformers.generated.coded import PatternCodes
from understudy.transformers.generated.countries import WORDS_OF_CODES, names_country
from understudy.transformers.generated.persons import owner_words
from understudy.transformers.generated.placed_codes import LearnedPlace, fit_placed
from understudy.transformers.generated.transformer import GeneratedTransformer

Fitted = list[tuple[Any, Codes]]

_FORMS = ("city", "state", "country")


def place_postal_codes(
    fitted: Fitted, columns: Sequence[Column], values: Sequence[ArrowColumn], subjects: Subjects | None
) -> Fitted:
    """Return the transformers and codes, with postal codes that agree with the places of their rows.

    Parameters
    ----------
    fitted : list of (transformer, codes)
        Transformers and codes of the columns.
    columns : sequence of Column
        Schema of the columns.
    values : sequence of ChunkedArray
        Values of the columns.
    subjects : array of shape (n_rows,), optional
        Subject of each row.
    """
    out = list(fitted)
    for place, (transformer, codes) in enumerate(fitted):
        is_generated = isinstance(transformer, GeneratedTransformer)
        is_postal = is_generated and columns[place].kind is ColumnKind.postal_code
        if not is_postal or not isinstance(transformer.maker, PatternCodes):
            continue
        known = _places_of(columns[place].name, fitted, columns)
        if known:
            texts = pa.concat_arrays(values[place].cast(pa.large_string()).chunks)
            maker = fit_placed(transformer.maker, texts, known, subjects)
            if maker is not None:
                out[place] = replace(transformer, maker=maker), codes
    return out


def _places_of(name: str, fitted: Fitted, columns: Sequence[Column]) -> list[LearnedPlace]:
    """Return the learned columns of places with the owner of a postal code, or without an owner."""
    owner = owner_words(name) - WORDS_OF_CODES
    found: list[tuple[bool, LearnedPlace]] = []
    for place, ((transformer, codes), column) in enumerate(zip(fitted, columns, strict=True)):
        is_category = isinstance(transformer, CategoricalTransformer)
        if is_category and _names_place(column.name):
            own = owner_words(column.name) - WORDS_OF_CODES
            if own == owner or not own:
                found.append((own == owner, LearnedPlace(place, transformer.is_exact, codes)))
    has_own = any(is_own for is_own, _ in found)
    return [learned for is_own, learned in found if is_own or not has_own]


def _names_place(name: str) -> bool:
    return headers.address_form(headers.words_of(name)) in _FORMS or names_country(name)
