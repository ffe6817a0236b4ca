"""Parse and write dates, times of day and timestamps in a notation."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, cast

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables.notation import DateNotation, tokens
from understudy.tables.notations import calendar
from understudy.tables.notations.calendar import DAY_SECONDS, Days, Flags, Whole
from understudy.tables.notations.names import day_names, month_names, with_capitals

_UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
_SERIAL_EPOCH = 25_569  # Days from 1899-12-30 to 1970-01-01.
_PATTERNS = {
    **{"Y": "[0-9]{4}", "G": "[0-9]{4}", "y": "[0-9]{2}", "j": "[0-9]{3}", "q": "[1-4]", "u": "[1-7]"},
    **dict.fromkeys(("m", "d", "H", "I", "M", "S", "V"), "[0-9]{2}"),
    **dict.fromkeys(("-m", "-d", "-H", "-I", "-M", "-S", "-V"), "[0-9]{1,2}"),
    **{"e": " ?[0-9]{1,2}", "p": r"[AaPp]\.?[Mm]\.?", "s": "-?[0-9]{1,11}", "Q": "-?[0-9]{1,14}"},
    **{"z": "Z|[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2}", "x": "[0-9]{1,6}"},
}
# Maximum number of digits of the fraction of a day that are read, and number of digits that are written.
_N_DAY_DIGITS_MAX, _N_DAY_DIGITS = 17, 5
_NAMES = {"b": True, "B": False, "a": True, "A": False}
# Name of the field in which the text of each directive is captured.
_FIELDS = {"G": "Y", "e": "d", "B": "b", ":z": "z"}


def field_of(directive: str) -> str:
    """Return the name of the field that a directive contains, such as `d` for `%-d`."""
    plain = directive.lstrip("-0123456789")
    return _FIELDS.get(plain, plain)


def regex(notation: DateNotation) -> str:
    """Return the regular expression for a value. It has a named group for each field."""
    parts = []
    captured: set[str] = set()
    for directive, text in tokens(notation.pattern):
        if not directive:
            parts.append(re.escape(text).replace(r"\ ", " "))
            continue
        field = field_of(directive)
        if field == "f":
            mark = parts.pop() if parts and parts[-1] in (r"\.", ",") else ""
            n_digits_max = _N_DAY_DIGITS_MAX if "x" in captured else 9
            parts.append(f"(?:{mark}(?P<f>[0-9]{{1,{n_digits_max}}}))?")
            continue
        if field == "S" and parts and parts[-1] == ":":
            # Spreadsheets and other programs omit seconds that are zero.
            parts[-1] = f"(?::(?P<S>{_PATTERNS[directive]}))?"
            continue
        pattern = _pattern(directive, notation.language)
        is_captured = field not in captured and field not in ("a", "A")
        captured.add(field)
        parts.append(f"(?P<{field}>{pattern})" if is_captured else f"(?:{pattern})")
    return rf"\A{''.join(parts)}\z"


def _pattern(directive: str, language: str) -> str:
    if directive in _NAMES:
        is_short = _NAMES[directive]
        names = month_names if directive in "bB" else day_names
        words = sorted(names(language, is_short=is_short), key=len, reverse=True)
        dot = r"\.?" if is_short and language != "en" else ""
        return f"(?i:{'|'.join(map(re.escape, words))}){dot}"
    return _PATTERNS[":z".lstrip(":") if directive == ":z" else directive]


def parse_dates(texts: pa.Array[Any], notation: DateNotation, target: pa.DataType) -> pa.Array[Any]:
    """Parse texts as dates. Missing values and texts outside the notation become null."""
    values: Any = texts
    extracted: Any = pc.extract_regex(values, regex(notation))
    is_match = extracted.is_valid().to_numpy(zero_copy_only=False)
    names = [extracted.type.field(i).name for i in range(extracted.type.num_fields)]
    fields = dict(zip(names, extracted.flatten(), strict=True))
    whole = {
        name: _whole(column, name, notation) for name, column in fields.items() if name not in ("p", "z")
    }
    days = _days(whole, notation)
    seconds, nanoseconds, is_clock = _clock(whole, fields)
    if "x" in whole and "f" in fields:
        seconds = _seconds_of_day(fields["f"])
        nanoseconds = np.zeros_like(seconds)
    seconds = seconds - _offset_seconds(fields.get("z"), len(texts))
    is_valid = is_match & days.is_valid & is_clock
    return _typed(days.values, seconds, nanoseconds, is_valid, target)


def _whole(column: Any, name: str, notation: DateNotation) -> Whole:
    present: Any = pc.fill_null(column, "0")
    if name == "b":
        return _months(present, notation.language)
    if name == "S":
        present = pc.utf8_lpad(present, 1, "0")
    if name == "f":
        present = pc.utf8_slice_codeunits(pc.utf8_rpad(present, 9, "0"), 0, 9)
    if name == "d":
        present = pc.utf8_ltrim_whitespace(present)
    numbers: Whole = present.cast(pa.int64()).to_numpy(zero_copy_only=False)
    return numbers


def _months(texts: Any, language: str) -> Whole:
    lower = pc.utf8_rtrim(pc.utf8_lower(texts), ".")
    number: Any = pa.nulls(len(texts), pa.int32())
    for is_short in (True, False):
        names = pa.array([name.lower() for name in month_names(language, is_short=is_short)])
        number = pc.coalesce(number, pc.index_in(lower, names))
    months: Whole = pc.fill_null(number, -1).cast(pa.int64()).to_numpy(zero_copy_only=False)
    return months + 1


def _days(whole: Mapping[str, Whole], notation: DateNotation) -> Days:
    n = len(next(iter(whole.values())))
    ones, always = np.ones(n, np.int64), np.ones(n, np.bool_)
    for directive, per_day, epoch in (("s", DAY_SECONDS, 0), ("Q", DAY_SECONDS * 1000, 0)):
        if directive in whole:
            return Days(whole[directive] // per_day - epoch, always)
    if "x" in whole:
        return Days(whole["x"] - _SERIAL_EPOCH, always)
    if not notation.has_date:
        return Days(0 * ones, always)
    year = whole["Y"] if "Y" in whole else _full_year(whole["y"], notation.year_min)
    if "V" in whole:
        return calendar.days_of_week_date(year, whole["V"], whole.get("u", ones))
    if "j" in whole:
        return calendar.days_of_year_day(year, whole["j"])
    month = whole["q"] * 3 - 2 if "q" in whole else whole["m"] if "m" in whole else whole["b"]
    return calendar.days_of_date(year, month, whole.get("d", ones))


def _full_year(year: Whole, year_min: int) -> Whole:
    full: Whole = year_min + (year - year_min) % 100
    return full


def _clock(whole: Mapping[str, Whole], fields: Mapping[str, Any]) -> tuple[Whole, Whole, Flags]:
    """Return the seconds of the day, the nanoseconds of the second, and whether both are valid."""
    zeros = np.zeros(len(next(iter(fields.values()))), np.int64)
    if "s" in whole:
        return whole["s"] % DAY_SECONDS, whole.get("f", zeros), zeros == 0
    if "Q" in whole:
        milliseconds = whole["Q"] % (DAY_SECONDS * 1000)
        return milliseconds // 1000, milliseconds % 1000 * 10**6, zeros == 0
    hour, minute, second = whole.get("H", zeros), whole.get("M", zeros), whole.get("S", zeros)
    is_valid = (hour < 24) & (minute < 60) & (second < 60)
    if "I" in whole and "p" in fields:
        is_afternoon = _flags(pc.starts_with(pc.utf8_lower(fields["p"]), "p"))
        hour = whole["I"] % 12 + 12 * is_afternoon
        is_valid &= (whole["I"] >= 1) & (whole["I"] <= 12)
    return hour * 3600 + minute * 60 + second, whole.get("f", zeros), is_valid


def _seconds_of_day(fractions: Any) -> Whole:
    """Return the seconds of the day, rounded to whole seconds because fractions of a day are inexact."""
    texts = pc.binary_join_element_wise("0.", pc.fill_null(fractions, "0"), pa.scalar(""))
    seconds: Whole = np.rint(DAY_SECONDS * texts.cast(pa.float64()).to_numpy(zero_copy_only=False))
    return seconds.astype(np.int64)


def _flags(flags: Any) -> Flags:
    array: Flags = pc.fill_null(flags, False).to_numpy(zero_copy_only=False)
    return array


def _offset_seconds(texts: Any, n: int) -> Whole:
    if texts is None:
        return np.zeros(n, np.int64)
    digits = pc.replace_substring(pc.fill_null(texts, "+0000"), ":", "")
    digits = pc.if_else(pc.equal(digits, pa.scalar("Z")), "+0000", digits)
    digits = pc.utf8_rpad(digits, 5, "0")
    numbers = pc.utf8_slice_codeunits(digits, 1, 5).cast(pa.int64()).to_numpy(zero_copy_only=False)
    sign = np.where(_flags(pc.starts_with(digits, "-")), -1, 1)
    return cast(Whole, sign * (numbers // 100 * 3600 + numbers % 100 * 60))


def _typed(
    days: Whole, seconds: Whole, nanoseconds: Whole, is_valid: Flags, target: pa.DataType
) -> pa.Array[Any]:
    if pa.types.is_date(target):
        dates: pa.Array[Any] = pa.array(np.where(is_valid, days, 0).astype(np.int32), mask=~is_valid)
        return dates.cast(pa.date32()).cast(target)
    unit = _UNITS[target.unit]  # type: ignore[attr-defined] # a time or a timestamp
    total = (0 if pa.types.is_time(target) else days * DAY_SECONDS) + seconds
    if target.unit == "ns":  # type: ignore[attr-defined]
        is_valid = is_valid & (np.abs(total) < 2**63 // unit)
    ticks = np.where(is_valid, total * unit + nanoseconds // (10**9 // unit), 0)
    whole = pa.array(ticks, mask=~is_valid)
    if pa.types.is_time32(target):
        return whole.cast(pa.int32()).cast(target)
    return whole.cast(target)


def write_dates(values: pa.Array[Any], notation: DateNotation) -> pa.Array[Any]:
    """Return dates, times or timestamps as text in a notation. Missing values become null."""
    days, seconds, nanoseconds = _parts(values, notation)
    writer = _Writer(days, seconds, nanoseconds, notation)
    parts = [writer.part(directive, text) for directive, text in _writing_tokens(notation.pattern)]
    joined: Any = pc.binary_join_element_wise(*parts, pa.scalar("")) if len(parts) > 1 else parts[0]
    if isinstance(joined, pa.Scalar):
        joined = pa.array([joined.as_py()] * len(values))
    texts: pa.Array[Any] = pc.if_else(values.is_valid(), joined, pa.scalar(None, pa.string()))
    return texts


def _writing_tokens(pattern: str) -> list[tuple[str, str]]:
    """Return the tokens of a pattern. The mark before `%f` becomes part of the directive."""
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


def _parts(values: pa.Array[Any], notation: DateNotation) -> tuple[Whole, Whole, Whole]:
    type_ = values.type
    filled: Any = values
    if pa.types.is_date(type_):
        filled = filled.cast(pa.date32()).cast(pa.int32())
        days = pc.fill_null(filled, 0).cast(pa.int64()).to_numpy(zero_copy_only=False)
        return days, np.zeros(len(days), np.int64), np.zeros(len(days), np.int64)
    filled = filled.cast(pa.int32()) if pa.types.is_time32(type_) else filled
    ticks = pc.fill_null(filled.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    unit = _UNITS[type_.unit]
    total = ticks // unit
    if notation.is_zoned and not pa.types.is_time(type_):
        total = total + 60 * notation.offset_minutes
    return total // DAY_SECONDS, total % DAY_SECONDS, ticks % unit * (10**9 // unit)


class _Writer:
    """A writer of a pattern's directives for arrays of days, seconds of the day and nanoseconds."""

    def __init__(self, days: Whole, seconds: Whole, nanoseconds: Whole, notation: DateNotation) -> None:
        self._days = days
        self._seconds = seconds
        self._nanoseconds = nanoseconds
        self._notation = notation
        self._date = calendar.date_of_days(days)

    def part(self, directive: str, text: str) -> Any:
        """Return the text of a directive for each value, or return the literal text."""
        if not directive:
            return pa.scalar(text)
        if directive in ("b", "B", "a", "A", "p"):
            return self._name(directive)
        if directive == "f":
            return self._fraction(text)
        if directive in ("z", ":z"):
            return pa.scalar(_offset_text(self._notation.offset_minutes, ":" if directive == ":z" else ""))
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
        is_short = _NAMES[directive]
        if directive in "bB":
            names = month_names(language, is_short=is_short)
            return _taken(with_capitals(names, capitals), self._date.month - 1)
        names = day_names(language, is_short=is_short)
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
            "x": (self._days + _SERIAL_EPOCH, 0),
        }[directive]


def _day_fraction(seconds: Whole, n_digits: int) -> Any:
    """Return the decimals of the fraction of a day that the seconds represent."""
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


def _offset_text(minutes: int, colon: str) -> str:
    hours, rest = divmod(abs(minutes), 60)
    return f"{'-' if minutes < 0 else '+'}{hours:02d}{colon}{rest:02d}"
