"""Encoding of tables that the model was not fitted on, for imputation."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from understudy.transformers.base import ArrowArray, Transformer
from understudy.transformers.boolean import BooleanTransformer
from understudy.transformers.categorical import CategoricalTransformer
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.integer_units import integers_of, is_exact
from understudy.transformers.labels import LabelTransformer
from understudy.transformers.numeric import NumericTransformer
from understudy.transformers.table import TableTransformer

# Code of a value that the column's codes do not represent: a missing value, or a suppressed level.
UNKNOWN = -1

KnownCodes = npt.NDArray[np.int32]


def encode_values(name: str, values: ArrowArray, transformer: Transformer) -> KnownCodes:
    """Return the code of every value, or UNKNOWN. A number between two ranges gets the lower code."""
    present = np.asarray(values.is_valid().to_numpy(zero_copy_only=False))
    if pa.types.is_floating(values.type):
        present = present & ~np.asarray(values.is_null(nan_is_null=True).to_numpy(zero_copy_only=False))
    codes = np.full(len(values), UNKNOWN, np.int32)
    if present.any():
        codes[present] = _encode_present(name, values.filter(pa.array(present)), transformer)
    return codes


def _encode_present(name: str, values: ArrowArray, transformer: Transformer) -> KnownCodes:
    first = np.int32(getattr(transformer, "has_missing", False))
    if transformer.n_codes == first:
        return np.full(len(values), UNKNOWN, np.int32)
    if isinstance(transformer, GeneratedTransformer):
        # The codes of a generated column represent only placeholders and whether a value is present.
        return transformer.encode(values).astype(np.int32)
    if isinstance(transformer, NumericTransformer):
        return first + _place_numbers(name, values, transformer)
    if isinstance(transformer, BooleanTransformer):
        levels: ArrowArray = pa.array(transformer.truths, pa.bool_())
        group: npt.NDArray[Any] = np.arange(len(levels))
    elif isinstance(transformer, LabelTransformer):
        levels, group = transformer.labels_of_levels, transformer.code.group_of_levels
        first = np.int32(transformer.code.has_missing)
    else:
        assert isinstance(transformer, CategoricalTransformer)
        levels, group = transformer.levels, transformer.group_of_levels
    found: Any = pc.index_in(values, value_set=levels)
    index = found.fill_null(len(levels)).to_numpy(zero_copy_only=False)
    of_level = np.append(first + group.astype(np.int32), np.int32(_code_of_unknown(transformer)))
    encoded: KnownCodes = of_level[index]
    return encoded


def _code_of_unknown(transformer: Transformer) -> int:
    """Return the code for levels that are not in the model."""
    code = transformer.code if isinstance(transformer, LabelTransformer) else transformer
    has_made_up = isinstance(code, CategoricalTransformer) and code.n_made_up > 0
    return code.n_codes - 1 if has_made_up else UNKNOWN


def find_known_levels(
    columns: Mapping[str, ArrowArray], known: dict[int, KnownCodes], table: TableTransformer
) -> dict[int, npt.NDArray[np.int32]]:
    """Return the known levels of columns that determine others, and add codes that labels imply to `known`.

    Parameters
    ----------
    columns : mapping of column name to pyarrow.Array of shape (n,)
        Known and missing values.
    known : dict of int to array of shape (n,)
        Known codes. The codes of columns with a known label are added.
    table : TableTransformer
        Transformers of the columns.
    """
    names = table.schema.names
    levels: dict[int, npt.NDArray[np.int32]] = {}
    sources = {source.column for source in table.numbered_by.values()}
    for j in sorted(sources):
        levels[j] = _levels_of(columns[names[j]], table.level_source(j).transformer.levels, table, j)
    for j, transformer in enumerate(table.columns):
        if isinstance(transformer, LabelTransformer):
            code = transformer.column_of_code
            follows = (known[code] == UNKNOWN) & (known[j] != UNKNOWN)
            known[code] = np.where(follows, known[j], known[code])
            of_label = _levels_of(columns[names[j]], transformer.labels_of_levels, table, code)
            levels[code] = np.where(levels[code] < 0, of_label, levels[code])
    return levels


def _levels_of(
    values: ArrowArray, levels: ArrowArray, table: TableTransformer, column: int
) -> npt.NDArray[np.int32]:
    """Return the level of each value. Equal values without a level get the same made-up level."""
    transformer = table.level_source(column).transformer
    found: Any = pc.index_in(values, value_set=levels)
    index = np.asarray(found.fill_null(UNKNOWN)).astype(np.int32)
    is_unknown = (index < 0) & np.asarray(values.is_valid())
    if transformer.n_made_up and is_unknown.any():
        texts: list[Any] = values.filter(pa.array(is_unknown)).cast(pa.large_string()).to_pylist()
        digests = [hashlib.blake2b(text.encode(), digest_size=8).digest() for text in texts]
        hashes = np.frombuffer(b"".join(digests), np.uint64)
        index[is_unknown] = transformer.n_kept + (hashes % np.uint64(transformer.n_made_up)).astype(np.int32)
    index[np.asarray(values.is_null())] = UNKNOWN
    return index


def _place_numbers(name: str, values: ArrowArray, transformer: NumericTransformer) -> KnownCodes:
    lowest, _ = transformer.spans()
    place = np.searchsorted(_numbers(name, lowest), _numbers(name, values), side="right") - 1
    return np.maximum(place, 0).astype(np.int32)


def _numbers(name: str, values: ArrowArray) -> npt.NDArray[Any]:
    if is_exact(values.type):
        return integers_of(name, values)
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)
