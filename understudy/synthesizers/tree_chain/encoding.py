"""Encoding of tables for imputation. The model was not fitted on these tables."""

from __future__ import annotations

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
from understudy.transformers.numeric import NumericTransformer

# Code of a value that the column's codes do not represent: a missing value, or a suppressed level.
UNKNOWN = -1

KnownCodes = npt.NDArray[np.int32]


def encode_values(name: str, values: ArrowArray, transformer: Transformer) -> KnownCodes:
    """Return the code of every value, or UNKNOWN. Numbers between codes get the next lower code."""
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
        # Apart from placeholders, the codes represent only whether a value is present.
        return transformer.encode(values).astype(np.int32)
    if isinstance(transformer, NumericTransformer):
        return first + _place_numbers(name, values, transformer)
    if isinstance(transformer, BooleanTransformer):
        levels: ArrowArray = pa.array(transformer.truths, pa.bool_())
        group: npt.NDArray[Any] = np.arange(len(levels))
    else:
        assert isinstance(transformer, CategoricalTransformer)
        levels = transformer.levels
        group = np.searchsorted(transformer.first_level, np.arange(len(levels)), side="right") - 1
    found: Any = pc.index_in(values, value_set=levels)
    index = found.fill_null(len(levels)).to_numpy(zero_copy_only=False)
    of_level = np.append(first + group.astype(np.int32), np.int32(UNKNOWN))
    encoded: KnownCodes = of_level[index]
    return encoded


def _place_numbers(name: str, values: ArrowArray, transformer: NumericTransformer) -> KnownCodes:
    lowest, _ = transformer.spans()
    place = np.searchsorted(_numbers(name, lowest), _numbers(name, values), side="right") - 1
    return np.maximum(place, 0).astype(np.int32)


def _numbers(name: str, values: ArrowArray) -> npt.NDArray[Any]:
    if is_exact(values.type):
        return integers_of(name, values)
    return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.float64)
