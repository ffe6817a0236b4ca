"""Column values in the form that rules require: numbers or strings, and a mask of missing values."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.transformers.base import ArrowArray, Mask
from understudy.transformers.integer_units import integers_of
from understudy.transformers.scale import count_decimals

# Any: int64, uint64 or float64, depending on the column's type.
Numbers = npt.NDArray[Any]
Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

_PER_SECOND = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}


@dataclass(frozen=True, eq=False, repr=False)
class Values:
    """Values of one column.

    Parameters
    ----------
    keys : pyarrow.Array of shape (n,)
        Strings are unchanged. Numbers are the stored integers, with zero for missing values. Floats with few
        decimal places are stored as integers, in units of their last decimal place, so that 0.1 + 0.2 equals
        0.3. Other floats stay floats.
    missing : array of shape (n,), or None
        Mask of null and NaN values, or None if no value is missing.
    """

    keys: ArrowArray
    missing: Mask | None

    @property
    def numbers(self) -> Numbers:
        """Values as numbers, if they are not strings."""
        return self.keys.to_numpy()

    @property
    def mask(self) -> Mask:
        """Mask of missing values."""
        return np.zeros(len(self.keys), np.bool_) if self.missing is None else self.missing


def read_values(name: str, array: ArrowArray, decimals: int | None) -> Values:
    """Return the values of an array.

    Parameters
    ----------
    name : str
        Name of the column for error messages.
    array : pyarrow.Array
        Values of the column.
    decimals : int, optional
        Number of decimal places in the column's floats, or None if there are too many.

    Raises
    ------
    InvalidInput
        If a decimal number has too many digits for 64 bits.
    """
    if is_text(array.type):
        return Values(array, _mask(array))
    if pa.types.is_floating(array.type):
        return _read_floats(array, decimals)
    missing = _mask(array)
    return Values(pa.array(_integers(name, array)), missing)


def find_decimals(array: ArrowArray) -> int | None:
    """Return the number of decimal places in a float array, or None for too many places or other types."""
    if not pa.types.is_floating(array.type):
        return None
    floats = _floats(array)
    present = floats[~np.isnan(floats)]
    if not len(present) or not np.isfinite(present).all():
        return None
    return count_decimals(present, array.type.to_pandas_dtype())


def has_missing(array: Any) -> bool:  # Any: an array, or a column of several arrays
    """Return whether an array may have missing values. The check is fast, but can return True by mistake."""
    return array.null_count > 0 or pa.types.is_floating(array.type)


def unit_of(type_: pa.DataType, decimals: int | None) -> Fraction | None:
    """Return the unit of a type's stored integers (in seconds for times), or None if the type has no unit."""
    if pa.types.is_integer(type_):
        return Fraction(1)
    if pa.types.is_decimal128(type_):
        # With a negative scale, the unit is ten, a hundred and so on.
        return Fraction(10 ** max(-type_.scale, 0), 10 ** max(type_.scale, 0))
    if pa.types.is_floating(type_):
        return None if decimals is None else Fraction(1, 10**decimals)
    if pa.types.is_date(type_):
        return Fraction(86_400) if pa.types.is_date32(type_) else Fraction(1, 1000)
    if isinstance(type_, pa.TimestampType | pa.DurationType | pa.Time32Type | pa.Time64Type):
        return Fraction(1, _PER_SECOND[type_.unit])
    return None


def comparable_kind(type_: pa.DataType) -> str:
    """Return a key that is equal for comparable types. The key is empty for types without an order."""
    if pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal128(type_):
        return "number"
    return str(type_) if pa.types.is_temporal(type_) else ""


def order_kind(type_: pa.DataType) -> str:
    """Return a key that is equal for types with a common order. The key is empty for types without an order.

    Dates and timestamps share an order: a date is compared with the date of a timestamp.
    """
    is_instant = pa.types.is_date32(type_) or pa.types.is_timestamp(type_)
    return "instant" if is_instant else comparable_kind(type_)


def is_text(type_: pa.DataType) -> bool:
    """Return whether values of a type are strings."""
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)


def _mask(array: ArrowArray) -> Mask | None:
    if not array.null_count:
        return None
    return np.asarray(array.is_null().to_numpy(zero_copy_only=False), dtype=np.bool_)


def _integers(name: str, array: ArrowArray) -> Numbers:
    type_ = array.type
    if pa.types.is_boolean(type_):
        truths = array.fill_null(False) if array.null_count else array
        return truths.to_numpy(zero_copy_only=False).astype(np.int64)
    if pa.types.is_decimal128(type_):
        return integers_of(name, array.fill_null(Decimal(0)) if array.null_count else array)
    if not pa.types.is_integer(type_):
        array = array.view(pa.int32() if type_.bit_width == 32 else pa.int64())
    return integers_of(name, array.fill_null(0) if array.null_count else array)


def _floats(array: ArrowArray) -> Floats:
    return np.asarray(array.to_numpy(zero_copy_only=False), dtype=np.float64)


def _read_floats(array: ArrowArray, decimals: int | None) -> Values:
    floats = _floats(array)
    missing = np.isnan(floats)
    has_any = bool(missing.any())
    # Arrow distinguishes negative from positive zero. Adding zero makes negative zero positive.
    floats = np.where(missing, 0.0, floats) if has_any else floats + 0.0
    mask = missing if has_any else None
    if decimals is None:
        return Values(pa.array(floats), mask)
    with np.errstate(invalid="ignore", over="ignore"):
        return Values(pa.array(np.rint(floats * 10.0**decimals).astype(np.int64)), mask)
