"""Conversion between integers and values of the exact types of Arrow, such as decimals and timestamps."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.transformers.base import ArrowArray, Mask

Integers = npt.NDArray[np.int64] | npt.NDArray[np.uint64]
Ticks = npt.NDArray[np.uint64]


def is_exact(type_: pa.DataType) -> bool:
    """Return whether values of a type are whole multiples of a unit."""
    return (
        pa.types.is_integer(type_)
        or pa.types.is_decimal128(type_)
        or (pa.types.is_temporal(type_) and not pa.types.is_interval(type_))
    )


def integers_of(name: str, values: ArrowArray) -> Integers:
    """Return the integers that an array without missing values stores.

    Raises
    ------
    InvalidInput
        If a decimal does not fit in 64 bits.
    """
    if pa.types.is_uint64(values.type):
        return np.asarray(values.to_numpy(zero_copy_only=False), dtype=np.uint64)
    if pa.types.is_decimal128(values.type):
        return _integers_of_decimals(name, values)
    if not pa.types.is_integer(values.type):
        values = values.view(pa.int32() if values.type.bit_width == 32 else pa.int64())
    return values.to_numpy(zero_copy_only=False).astype(np.int64)


def _integers_of_decimals(name: str, values: ArrowArray) -> npt.NDArray[np.int64]:
    data = values.buffers()[1]
    words = np.frombuffer(memoryview(data) if data else b"", dtype="<i8")
    words = words[2 * values.offset : 2 * (values.offset + len(values))].reshape(-1, 2)
    low, high = words[:, 0], words[:, 1]
    if not np.array_equal(high, low >> 63):
        raise InvalidInput(
            f"Column {name!r} contains decimals with more than 18 digits. Use fewer digits or the type "
            "double.",
            code="unsupported_column",
        )
    return low.copy()


def array_of_integers(integers: Integers, type_: pa.DataType, missing: Mask | None) -> ArrowArray:
    """Return an Arrow array of an exact type from the integers that represent its values."""
    if pa.types.is_integer(type_):
        return pa.array(integers.astype(type_.to_pandas_dtype()), type=type_, mask=missing)
    if pa.types.is_decimal128(type_):
        return _decimals_of_integers(integers, type_, missing)
    storage = np.int32 if type_.bit_width == 32 else np.int64
    array: ArrowArray = pa.array(integers.astype(storage), mask=missing).view(type_)
    return array


def _decimals_of_integers(integers: Integers, type_: pa.DataType, missing: Mask | None) -> ArrowArray:
    words = np.empty((len(integers), 2), dtype="<i8")
    words[:, 0] = integers
    words[:, 1] = words[:, 0] >> 63
    validity = pa.array(words[:, 0], mask=missing).buffers()[0]
    buffers: list[Any] = [validity, pa.py_buffer(words.tobytes())]
    return pa.Array.from_buffers(type_, len(integers), buffers)


def to_ticks(integers: Integers) -> tuple[int, int, Ticks]:
    """Return an origin, a step and ticks such that each integer is exactly ``origin + step * tick``.

    The origin is the lowest integer, and the step is the greatest common divisor of all distances from it.
    Distances are computed modulo 2**64 so that the whole range of int64 is supported.
    """
    origin = int(integers.min())
    distances = integers.astype(np.uint64) - np.uint64(origin % 2**64)
    step = max(int(np.gcd.reduce(distances)), 1)
    return origin, step, distances // np.uint64(step)


def from_ticks(origin: int, step: int, ticks: Ticks, *, is_signed: bool) -> Integers:
    """Return the integers that ticks represent; the inverse of `to_ticks`."""
    patterns = ticks * np.uint64(step) + np.uint64(origin % 2**64)
    return patterns.view(np.int64) if is_signed else patterns
