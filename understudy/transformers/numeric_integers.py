"""Convert the values of a numeric column to integers in the unit of the column, and back."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from understudy.transformers.base import DECODED, ArrowArray
from understudy.transformers.integer_units import array_of_integers, integers_of
from understudy.transformers.numeric import NumericTransformer

Int64s = npt.NDArray[np.int64]


def has_integers(transformer: NumericTransformer) -> bool:
    """Return whether every value of a column is a multiple of a unit and fits in a signed 64-bit integer."""
    return transformer.scale.writing != "float" and not pa.types.is_uint64(transformer.arrow_type)


def to_integers(values: ArrowArray, transformer: NumericTransformer) -> Int64s:
    """Return the values of a column as integers. No value may be missing."""
    if transformer.scale.writing == "exact":
        return integers_of("", values).astype(np.int64)
    floats = np.asarray(values.cast(pa.float64()).to_numpy(zero_copy_only=False), np.float64)
    return np.rint(floats * 10.0**transformer.scale.decimals).astype(np.int64)


def of_integers(integers: Int64s, transformer: NumericTransformer) -> ArrowArray:
    """Return the values that integers represent, in the type of the column."""
    if transformer.scale.writing == "exact":
        return array_of_integers(integers, transformer.arrow_type, None)
    floats = integers / 10.0**transformer.scale.decimals
    values: ArrowArray = pa.array(floats.astype(transformer.arrow_type.to_pandas_dtype()))
    return values


def replace_values(decoded: ArrowArray, integers: Int64s, transformer: NumericTransformer) -> ArrowArray:
    """Return the values of known integers, and decoded values where the integer is `DECODED`."""
    is_decoded = integers == DECODED
    if not is_decoded.any():
        return of_integers(integers, transformer)
    known = of_integers(np.where(is_decoded, 0, integers), transformer)
    # `Any` is needed because Arrow's stubs do not support this call.
    values: ArrowArray = pc.if_else(pa.array(is_decoded), decoded, known)
    return values
