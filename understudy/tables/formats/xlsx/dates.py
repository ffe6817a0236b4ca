"""Convert Excel dates and times, which are numbers of days in the date system of the workbook."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables.formats.xlsx.styles import Kind

DAY_MS = 86_400_000
# Days from Excel's day 0 to 1970. The 1900 date system contains 29 February 1900, a day that never existed.
# Therefore, the number is one less for earlier days.
EPOCH_1900 = 25_569
_EPOCH_EARLY_1900 = 25_568
_EPOCH_1904 = 24_107
_NO_SUCH_DAY = 60
LAST_DAY = 2_932_896  # 31 December 9999, in days since 1970.
# Maximum length of a duration in days. Up to this length, a float represents milliseconds exactly.
_DAYS_MAX = 1e8

Whole = npt.NDArray[np.int64]
Kinds = npt.NDArray[np.int8]
Mask = npt.NDArray[np.bool_]
# Positions in the array of numbers, and the texts at these positions.
Placed: TypeAlias = "tuple[Whole, pa.Array[Any]]"


def date_texts(
    numbers: npt.NDArray[np.float64], kinds: Kinds, *, is_1904: bool
) -> tuple[list[Placed], Kinds]:
    """Return the texts of dates, timestamps, times and durations, and the kind of each value.

    A number with a date format is a timestamp if it has a fraction. A number with a time format is a
    timestamp if it is outside the range of one day. Days that do not exist are omitted from the texts.
    """
    is_near = np.abs(numbers) < _DAYS_MAX
    ms = np.rint(np.where(is_near, numbers, 0.0) * DAY_MS).astype(np.int64)
    kinds = kinds.copy()
    kinds[(kinds == Kind.date) & (ms % DAY_MS != 0)] = Kind.timestamp
    kinds[(kinds == Kind.time) & ((ms < 0) | (ms >= DAY_MS))] = Kind.timestamp
    days, is_day = _days(ms // DAY_MS, is_1904=is_1904)
    has_text = is_near & (is_day | (kinds == Kind.time) | (kinds == Kind.duration))
    return [*_texts_by_kind(days, ms, np.where(has_text, kinds, Kind.text).astype(np.int8))], kinds


def _days(counted: Whole, *, is_1904: bool) -> tuple[Whole, Mask]:
    """Return days since 1970, and whether each day exists."""
    if is_1904:
        days = counted - _EPOCH_1904
        return days, (counted >= 0) & (days <= LAST_DAY)
    days = counted - np.where(counted < _NO_SUCH_DAY, _EPOCH_EARLY_1900, EPOCH_1900)
    return days, (counted >= 1) & (counted != _NO_SUCH_DAY) & (days <= LAST_DAY)


def _texts_by_kind(days: Whole, ms: Whole, kinds: Kinds) -> Iterator[Placed]:
    is_second = ms % 1_000 == 0
    since_1970 = np.where(kinds == Kind.timestamp, days * DAY_MS + ms % DAY_MS, 0)
    date = np.flatnonzero(kinds == Kind.date)
    yield date, pa.array(days[date].astype(np.int32)).cast(pa.date32()).cast(pa.string())
    duration = np.flatnonzero(kinds == Kind.duration)
    yield duration, _durations(ms[duration])
    units: tuple[tuple[Mask, int, Literal["s", "ms"]], ...] = ((is_second, 1_000, "s"), (~is_second, 1, "ms"))
    for has_unit, divisor, unit in units:
        timestamp = np.flatnonzero((kinds == Kind.timestamp) & has_unit)
        yield timestamp, _cast(since_1970[timestamp] // divisor, pa.timestamp(unit))
        time = np.flatnonzero((kinds == Kind.time) & has_unit)
        yield time, _cast((ms[time] // divisor).astype(np.int32), pa.time32(unit))


def _cast(numbers: npt.NDArray[Any], type_: pa.DataType) -> pa.Array[Any]:
    array: Any = pa.array(numbers)
    texts: pa.Array[Any] = array.cast(type_).cast(pa.string())
    return texts


def _durations(ms: Whole) -> pa.Array[Any]:
    """Return durations in the format `25:30:00`, or `25:30:00.125` with milliseconds."""
    seconds, rest = np.divmod(np.abs(ms), 1_000)
    parts = zip((ms < 0).tolist(), seconds.tolist(), rest.tolist(), strict=True)
    return pa.array(
        [
            f"{'-' if is_negative else ''}{s // 3600}:{s // 60 % 60:02}:{s % 60:02}"
            + (f".{r:03}" if r else "")
            for is_negative, s, r in parts
        ],
        pa.string(),
    )


def parse_durations(texts: pa.Array[Any]) -> pa.Array[Any]:
    """Parse durations in the format of `date_texts`, and return them in milliseconds."""
    pattern = r"\A(?P<sign>-?)(?P<h>[0-9]+):(?P<m>[0-9]+):(?P<s>[0-9]+)\.?(?P<ms>[0-9]*)\z"
    given: Any = texts
    filled: Any = pc.fill_null(given, "0:00:00")
    parts: Any = pc.extract_regex(filled, pattern)
    hours, minutes, seconds = (parts.field(name).cast(pa.int64()).to_numpy(False) for name in ("h", "m", "s"))
    rest = pc.replace_substring_regex(parts.field("ms"), r"\A\z", "0").cast(pa.int64()).to_numpy(False)
    is_negative = pc.starts_with(parts.field("sign"), "-").to_numpy(False)
    total = ((hours * 60 + minutes) * 60 + seconds) * 1_000 + rest
    is_missing = np.asarray(texts.is_null())
    ms = pa.array(np.where(is_negative, -total, total), mask=is_missing)
    durations: pa.Array[Any] = ms.cast(pa.duration("ms"))
    return durations
