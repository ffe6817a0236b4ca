"""Count the notations in a batch of values by comparing bytes, which is faster than matching patterns.

The counts are the same as with the patterns in `column_types`. The result is None if bytes alone do not
determine the notations.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]

_ZERO, _MINUS, _DOT = 48, 45, 46
_DIGITS_MAX = 18
_LENGTH_MAX = 40
_BOOLEANS = ("true", "false", "True", "False", "TRUE", "FALSE")
_YEAR_1 = -719_162  # Days from 1970 to the year 1.
# Seconds from the epoch to the start of the years 1700 and 2200.
_NEAR_FIRST, _NEAR_END = -8_520_336_000, 7_258_118_400
_DATE_MARKS = {4: b"-", 7: b"-"}
_TIMESTAMP_MARKS = {**_DATE_MARKS, 10: b"T ", 13: b":", 16: b":"}


def count_notations(values: pa.Array[Any]) -> Mapping[str, int] | None:
    """Return the number of values in each notation, or None if pattern matching is required.

    Parameters
    ----------
    values : array of text
        Unchanged values, including surrounding whitespace. The array has at least one value and no missing
        values.
    """
    starts, lengths, data = _parts(values)
    shortest, longest = int(lengths.min()), int(lengths.max())
    if shortest == 0 or longest > _LENGTH_MAX:
        return None
    first = data[starts]
    if shortest == longest and longest in (10, 19) and data[4] == _MINUS:
        return _dates(values, data.reshape(-1, longest))
    if ((first | 0x20) == ord("t")).any() or ((first | 0x20) == ord("f")).any():
        return {"boolean": len(values)} if pc.all(pc.is_in(values, pa.array(_BOOLEANS))).as_py() else None
    return _numbers(starts, lengths, data, first == _MINUS)


def _parts(values: pa.Array[Any]) -> tuple[Integers, Integers, Bytes]:
    """Return the start and the length of each value, and the bytes of all values."""
    buffers: Any = values.buffers()  # the type stubs do not support the buffer protocol
    _, offsets_buffer, data_buffer = buffers
    offsets = np.frombuffer(offsets_buffer, np.int32)[values.offset : values.offset + len(values) + 1]
    data = (
        np.frombuffer(data_buffer, np.uint8)[offsets[0] : offsets[-1]]
        if data_buffer
        else np.empty(0, np.uint8)
    )
    bounds = (offsets - offsets[0]).astype(np.int64)
    return bounds[:-1], np.diff(bounds), data


def _numbers(
    starts: Integers, lengths: Integers, data: Bytes, is_negative: npt.NDArray[np.bool_]
) -> Mapping[str, int] | None:
    n_digits = np.count_nonzero((data - _ZERO) <= 9)
    n_minus = np.count_nonzero(is_negative)
    n_dots = np.count_nonzero(data == _DOT) if n_digits + n_minus < len(data) else 0
    if n_digits + n_minus + n_dots < len(data):
        return None
    n_written = lengths - is_negative
    if n_written.min() == 0:
        return None
    begins_zero = data[starts + is_negative] == _ZERO
    if n_dots == 0:
        if n_written.max() > _DIGITS_MAX:
            return None
        n_numerals = int(np.count_nonzero(begins_zero & (n_written > 1)))
        return {"integer": len(starts) - n_numerals, "numeral": n_numerals}
    return _decimals(starts, n_written, data, is_negative, begins_zero)


def _decimals(
    starts: Integers,
    n_written: Integers,
    data: Bytes,
    is_negative: npt.NDArray[np.bool_],
    begins_zero: npt.NDArray[np.bool_],
) -> Mapping[str, int] | None:
    places = np.flatnonzero(data == _DOT)
    owners = _owners(starts, places)
    if owners is None:
        return None
    n_whole = n_written.copy()
    n_whole[owners] = places - starts[owners] - is_negative[owners]
    has_dot = np.zeros(len(starts), bool)
    has_dot[owners] = True
    if n_whole.max() > _DIGITS_MAX or (n_written - has_dot).min() == 0 or (begins_zero & (n_whole > 1)).any():
        return None
    return {"integer": len(starts) - len(places), "float": len(places)}


def _owners(starts: Integers, places: Integers) -> Integers | None:
    """Return the index of the value that contains each decimal point, or None if a value contains two."""
    if len(places) == len(starts) and (places >= starts).all() and (places[:-1] < starts[1:]).all():
        return np.arange(len(starts))
    owners = np.searchsorted(starts, places, side="right") - 1
    return None if (np.diff(owners) == 0).any() else owners


def _dates(values: Any, characters: Bytes) -> Mapping[str, int] | None:
    is_date = characters.shape[1] == 10
    marks = _DATE_MARKS if is_date else _TIMESTAMP_MARKS
    for place, allowed in marks.items():
        if not np.isin(characters[:, place], list(allowed)).all():
            return None
    try:
        numbers = values.cast(pa.date32() if is_date else pa.timestamp("s"))
    except pa.ArrowInvalid:
        return None
    bounds: Any = pc.min_max(numbers.cast(pa.int32() if is_date else pa.int64())).as_py()
    if is_date:
        return {"date": len(values)} if bounds["min"] >= _YEAR_1 else None
    is_near = bounds["min"] >= _NEAR_FIRST and bounds["max"] < _NEAR_END
    return {"near": len(values)} if is_near else None
