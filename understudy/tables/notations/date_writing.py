"""Write dates, times of day and timestamps in a notation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables.notation import DateNotation, tokens
from understudy.tables.notations import calendar
from understudy.tables.notations.alternatives import choose
from understudy.tables.notations.calendar import DAY_SECONDS, Whole
from understudy.tables.notations.dates import NAMES, SERIAL_EPOCH, UNITS, offset_minutes
from understudy.tables.notations.names import day_names, month_names, with_capitals

# Number of decimal digits written for a fraction of a day.
_N_DAY_DIGITS = 5


def write_dates(values: pa.Array[Any], notation: DateNotation) -> pa.Array[Any]:
    """Return dates, times or timestamps as text in a notation. Missing values become null."""
    if not notation.other_patterns:
        return _write_pattern(values, notation)
    numbers = _ticks(values)
    chosen: Any = pa.array(choose(numbers, notation.pattern_shares))
    written = [_write_pattern(values, notation.with_pattern(pattern)) for pattern in notation.patterns]
    dates: pa.Array[Any] = pc.choose(chosen, *written)
    return dates


def written_days(values: pa.Array[Any], notation: DateNotation) -> pa.Array[Any]:
    """Return the day of each date or timestamp at the UTC offset at which the value is written."""
    days, _, _ = _parts(values, _Offsets.of(values, notation))
    dates: Any = pa.array(days.astype(np.int32)).cast(pa.date32())
    written: pa.Array[Any] = pc.if_else(values.is_valid(), dates, pa.scalar(None, pa.date32()))
    return written


def _ticks(values: pa.Array[Any]) -> Whole:
    """Return days, or units of time, as whole numbers. Missing values are 0."""
    column: Any = values
    narrow = pa.int32() if pa.types.is_date32(values.type) or pa.types.is_time32(values.type) else pa.int64()
    ticks: Whole = pc.fill_null(column.cast(narrow), 0).cast(pa.int64()).to_numpy(zero_copy_only=False)
    return ticks


def _write_pattern(values: pa.Array[Any], notation: DateNotation) -> pa.Array[Any]:
    offsets = _Offsets.of(values, notation)
    days, seconds, nanoseconds = _parts(values, offsets)
    writer = _Writer(days, seconds, nanoseconds, notation, offsets)
    parts = [writer.part(directive, text) for directive, text in _writing_tokens(notation.pattern)]
    joined: Any = pc.binary_join_element_wise(*parts, pa.scalar("")) if len(parts) > 1 else parts[0]
    if isinstance(joined, pa.Scalar):
        joined = pa.array([joined.as_py()] * len(values))
    texts: pa.Array[Any] = pc.if_else(values.is_valid(), joined, pa.scalar(None, pa.string()))
    return texts


def _writing_tokens(pattern: str) -> list[tuple[str, str]]:
    """Return the tokens of a pattern. A decimal mark before `%f` becomes part of the directive."""
    result: list[tuple[str, str]] = []
    for directive, text in tokens(pattern):
        if directive == "f" and result and result[-1] in (("", "."), ("", ",")):
            result[-1] = ("f", result[-1][1])
        elif directive == "f" and result and not result[-1][0] and result[-1][1][-1:] in (".", ","):
            mark = result[-1][1][-1]
            result[-1] = ("", result[-1][1][:-1])
            result.append(("f", mark))
        else:
            result.append((directive, text))
    return result


def _parts(values: pa.Array[Any], offsets: _Offsets) -> tuple[Whole, Whole, Whole]:
    type_ = values.type
    filled: Any = values
    if pa.types.is_date(type_):
        filled = filled.cast(pa.date32()).cast(pa.int32())
        days = pc.fill_null(filled, 0).cast(pa.int64()).to_numpy(zero_copy_only=False)
        return days, np.zeros(len(days), np.int64), np.zeros(len(days), np.int64)
    filled = filled.cast(pa.int32()) if pa.types.is_time32(type_) else filled
    ticks = pc.fill_null(filled.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    unit = UNITS[type_.unit]
    total = ticks // unit
    if not pa.types.is_time(type_):
        total = total + 60 * offsets.minutes
    return total // DAY_SECONDS, total % DAY_SECONDS, ticks % unit * (10**9 // unit)


@dataclass(frozen=True)
class _Offsets:
    """The UTC offset at which each value is written, and its index if the notation has several offsets."""

    minutes: Whole | int
    places: Whole | None
    notation: DateNotation

    @classmethod
    def of(cls, values: pa.Array[Any], notation: DateNotation) -> _Offsets:
        """Return an offset for each value. The notation contains the share of each offset."""
        if not notation.is_zoned:
            return cls(0, None, notation)
        if not notation.other_offsets or not notation.has_offset:
            return cls(notation.offset_minutes, None, notation)
        places = choose(_ticks(values), notation.offset_shares)
        minutes = [notation.offset_minutes, *map(offset_minutes, notation.other_offsets)]
        return cls(np.array(minutes, np.int64)[places], places, notation)

    def texts(self, directive: str) -> Any:
        """Return the text of the offset for each value, or one text for all values."""
        first = _offset_text(self.notation.offset_minutes, directive)
        if self.places is None:
            return pa.scalar(first)
        return _taken([first, *self.notation.other_offsets], self.places)


class _Writer:
    """A writer of a pattern's directives for arrays of days, seconds of the day and nanoseconds."""

    def __init__(
        self, days: Whole, seconds: Whole, nanoseconds: Whole, notation: DateNotation, offsets: _Offsets
    ) -> None:
        self._offsets = offsets
        self._days = days
        self._seconds = seconds
        self._nanoseconds = nanoseconds
        self._notation = notation
        self._date = calendar.date_of_days(days)

    def part(self, directive: str, text: str) -> Any:
        """Return the text of a directive for each value, or return the literal text."""
        if not directive:
            return pa.scalar(text)
        if directive == "o":
            return _taken(_ordinals(self._notation.language), self._date.day)
        if directive in ("b", "B", "a", "A", "p"):
            return self._name(directive)
        if directive == "f":
            return self._fraction(text)
        if directive in ("z", "-z", ":z"):
            return self._offsets.texts(directive)
        if directive[0].isdigit():
            n = int(directive[0])
            if "x" in self._notation.directives:
                return _day_fraction(self._seconds, n)
            return _padded(self._nanoseconds // 10 ** (9 - n), n)
        return self._number(directive)

    def _name(self, directive: str) -> Any:
        language, capitals = self._notation.language, self._notation.capitals
        if directive == "p":
            words = ["am", "pm"] if capitals == "lower" else ["AM", "PM"]
            return _taken(words, self._seconds // 3600 // 12)
        is_short = NAMES[directive]
        if directive in "bB":
            names = month_names(language, is_short=is_short)
            if self._notation.has_dots and is_short:
                names = _dotted(names, month_names(language, is_short=False))
            return _taken(with_capitals(names, capitals), self._date.month - 1)
        names = day_names(language, is_short=is_short)
        if self._notation.has_dots and is_short:
            names = _dotted(names, day_names(language, is_short=False))
        return _taken(with_capitals(names, capitals), calendar.weekday_of(self._days))

    def _fraction(self, mark: str) -> Any:
        is_day = "x" in self._notation.directives
        all_digits = _day_fraction(self._seconds, _N_DAY_DIGITS) if is_day else _padded(self._nanoseconds, 9)
        digits = pc.utf8_rtrim(all_digits, "0")
        marked = pc.binary_join_element_wise(pa.scalar(mark), digits, pa.scalar(""))
        return pc.if_else(pc.equal(digits, pa.scalar("")), "", marked)

    def _number(self, directive: str) -> Any:
        numbers, width = self._value(directive.lstrip("-"))
        if directive == "e":
            return pc.utf8_lpad(pa.array(numbers).cast(pa.string()), 2, " ")
        if directive.startswith("-"):
            return _taken([str(i) for i in range(100)], numbers)
        return _padded(numbers, width)

    def _value(self, directive: str) -> tuple[Whole, int]:
        year, month, day = self._date
        hour = self._seconds // 3600
        if directive in ("G", "V"):
            week_year, week = calendar.week_date_of_days(self._days)
            return (week_year, 4) if directive == "G" else (week, 2)
        if directive in ("s", "Q"):
            total = self._days * DAY_SECONDS + self._seconds
            return (total, 0) if directive == "s" else (total * 1000 + self._nanoseconds // 10**6, 0)
        if directive == "j":
            first = calendar.days_of_date(year, np.ones_like(year), np.ones_like(year)).values
            return self._days - first + 1, 3
        return {
            "Y": (year, 4),
            "y": (year % 100, 2),
            "m": (month, 2),
            "d": (day, 2),
            "e": (day, 2),
            "q": ((month + 2) // 3, 1),
            "u": (calendar.weekday_of(self._days) + 1, 1),
            "H": (hour, 2),
            "I": ((hour + 11) % 12 + 1, 2),
            "M": (self._seconds // 60 % 60, 2),
            "S": (self._seconds % 60, 2),
            "x": (self._days + SERIAL_EPOCH, 0),
        }[directive]


def _dotted(names: list[str], whole: list[str]) -> list[str]:
    """Return the names, with a period after each name that is an abbreviation."""
    return [
        short if short.lower() == long.lower() else f"{short}."
        for short, long in zip(names, whole, strict=True)
    ]


def _ordinals(language: str) -> list[str]:
    """Return the numbers 0 to 31 with ordinal suffixes."""
    if language == "fr":
        return ["1er" if day == 1 else str(day) for day in range(32)]
    suffixes = {1: "st", 2: "nd", 3: "rd", 21: "st", 22: "nd", 23: "rd", 31: "st"}
    return [f"{day}{suffixes.get(day, 'th')}" for day in range(32)]


def _day_fraction(seconds: Whole, n_digits: int) -> Any:
    """Return the decimal digits of the fraction of a day that the seconds represent."""
    limit = 10**n_digits - 1
    return _padded(
        np.minimum(np.rint(seconds / DAY_SECONDS * 10**n_digits).astype(np.int64), limit), n_digits
    )


def _padded(numbers: Whole, width: int) -> Any:
    if width == 2:
        return _taken([f"{i:02d}" for i in range(100)], numbers)
    texts: Any = pa.array(numbers).cast(pa.string())
    return pc.utf8_lpad(texts, width, "0") if width else texts


def _taken(words: list[str], indices: Whole) -> Any:
    chosen: Any = pa.array(words)
    return chosen.take(pa.array(indices))


def _offset_text(minutes: int, directive: str) -> str:
    hours, rest = divmod(abs(minutes), 60)
    text = f"{'-' if minutes < 0 else '+'}{hours:02d}"
    if directive == "-z" and rest == 0:
        return text
    return f"{text}{':' if directive == ':z' else ''}{rest:02d}"
