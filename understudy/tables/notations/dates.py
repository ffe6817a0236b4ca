"""Parse dates, times of day and timestamps in a notation."""

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
from understudy.tables.notations.names import day_names, month_names

UNITS = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}
SERIAL_EPOCH = 25_569  # Days from 1899-12-30 to 1970-01-01.
_PATTERNS = {
    **{"Y": "[0-9]{4}", "G": "[0-9]{4}", "y": "[0-9]{2}", "j": "[0-9]{3}", "q": "[1-4]", "u": "[1-7]"},
    **dict.fromkeys(("m", "d", "H", "I", "M", "S", "V"), "[0-9]{2}"),
    **dict.fromkeys(("-m", "-d", "-H", "-I", "-M", "-S", "-V"), "[0-9]{1,2}"),
    **{"e": " ?[0-9]{1,2}", "p": r"[AaPp]\.?[Mm]\.?", "s": "-?[0-9]{1,11}", "Q": "-?[0-9]{1,14}"},
    **{
        "o": "[0-9]{1,2}(?:st|nd|rd|th|er|\u00ba|\u00aa)?",
        "z": "Z|[+-][0-9]{2}:?[0-9]{2}|[+-][0-9]{2}",
        "-z": "[+-][0-9]{2}",
        "x": "[0-9]{1,6}",
    },
}
# Maximum number of decimal digits read from a fraction of a day.
_N_DAY_DIGITS_MAX = 17
NAMES = {"b": True, "B": False, "a": True, "A": False}
# Name of the field that captures the text of each directive.
_FIELDS = {"G": "Y", "e": "d", "o": "d", "B": "b", ":z": "z"}


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
    if directive in NAMES:
        is_short = NAMES[directive]
        names = month_names if directive in "bB" else day_names
        words = sorted(names(language, is_short=is_short), key=len, reverse=True)
        dot = r"\.?" if is_short and language != "en" else ""
        return f"(?i:{'|'.join(map(re.escape, words))}){dot}"
    return _PATTERNS[":z".lstrip(":") if directive == ":z" else directive]


def parse_dates(texts: pa.Array[Any], notation: DateNotation, target: pa.DataType) -> pa.Array[Any]:
    """Parse texts as dates. Missing values and texts in another notation become null."""
    if not notation.other_patterns:
        return _parse_pattern(texts, notation, target)
    nulls: Any = pa.nulls  # Any: the stubs do not accept types known only at run time.
    parsed: Any = nulls(len(texts), target)
    for pattern in notation.patterns:
        parsed = pc.coalesce(parsed, _parse_pattern(texts, notation.with_pattern(pattern), target))
    dates: pa.Array[Any] = parsed
    return dates


def _parse_pattern(texts: pa.Array[Any], notation: DateNotation, target: pa.DataType) -> pa.Array[Any]:
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
        present = pc.replace_substring_regex(present, "[^0-9]", "")
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
        return Days(whole["x"] - SERIAL_EPOCH, always)
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
    unit = UNITS[target.unit]  # type: ignore[attr-defined] # a time or a timestamp
    total = (0 if pa.types.is_time(target) else days * DAY_SECONDS) + seconds
    if target.unit == "ns":  # type: ignore[attr-defined]
        is_valid = is_valid & (np.abs(total) < 2**63 // unit)
    ticks = np.where(is_valid, total * unit + nanoseconds // (10**9 // unit), 0)
    whole = pa.array(ticks, mask=~is_valid)
    if pa.types.is_time32(target):
        return whole.cast(pa.int32()).cast(target)
    return whole.cast(target)


def offset_minutes(text: str) -> int:
    """Return the minutes of an offset such as `+02:00`, `-0500` or `Z`."""
    digits = text.replace(":", "")
    if digits == "Z":
        return 0
    digits = digits.ljust(5, "0")
    return (-1 if digits[0] == "-" else 1) * (60 * int(digits[1:3]) + int(digits[3:]))
