"""Parse and write durations in a notation."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables.notation import DurationNotation

SECONDS = {"d": 86_400, "h": 3_600, "m": 60, "s": 1}


def regex(notation: DurationNotation) -> str:
    """Return the regular expression for a value. It has a named group for each unit."""
    if notation.style == "iso":
        clock = "".join(f"(?:(?P<{unit}>[0-9]{{1,7}}){unit.upper()})?" for unit in "hms")
        body = f"P(?:(?P<d>[0-9]{{1,7}})D)?(?:T{clock})?"
    elif notation.style == "words":
        separator = re.escape(notation.separator)
        body = f"(?:{separator})?".join(
            f"(?:(?P<{unit}>[0-9]{{1,7}}){re.escape(label)}{'s?' if notation.plural else ''})?"
            for unit, label in zip(notation.units, notation.labels, strict=True)
        )
    else:
        days = ""
        if notation.style == "days":
            days = f"(?:(?P<d>[0-9]{{1,7}}) days?{re.escape(notation.separator)})?"
        first, *others = [unit for unit in notation.units if unit != "d"]
        if notation.style == "clock" and notation.omits_zeros:
            # Durations of less than an hour are written without hours: `1:02:33`, but `45:12`.
            return r"\A(?P<sign>-)?(?:(?P<h>[0-9]{1,6}):)?(?P<m>[0-5]?[0-9]):(?P<s>[0-5][0-9])\z"
        body = days + f"(?P<{first}>[0-9]{{1,6}})" + "".join(f":(?P<{unit}>[0-5][0-9])" for unit in others)
    return rf"\A(?P<sign>-)?{body}\z"


def parse_durations(texts: pa.Array[Any], notation: DurationNotation, target: pa.DataType) -> pa.Array[Any]:
    """Parse texts as durations. Missing values and texts in another notation become null."""
    values: Any = texts
    extracted: Any = pc.extract_regex(values, regex(notation))
    # The parts are optional, but a duration has at least one of them.
    is_match = pc.and_(extracted.is_valid(), pc.match_substring_regex(values, "[0-9]"))
    total = np.zeros(len(texts), np.int64)
    names = [extracted.type.field(i).name for i in range(extracted.type.num_fields)]
    for name, column in zip(names, extracted.flatten(), strict=True):
        if name != "sign":
            digits = pc.fill_null(pc.if_else(pc.equal(column, pa.scalar("")), "0", column), "0")
            total += SECONDS[name] * digits.cast(pa.int64()).to_numpy(zero_copy_only=False)
        else:
            is_negative = pc.fill_null(pc.equal(column, pa.scalar("-")), False).to_numpy(zero_copy_only=False)
    total = np.where(is_negative, -total, total)
    mask = ~pc.fill_null(is_match, False).to_numpy(zero_copy_only=False)
    seconds: Any = pa.array(total, mask=mask).cast(pa.duration("s"))
    durations: pa.Array[Any] = seconds.cast(target)
    return durations


def write_durations(values: pa.Array[Any], notation: DurationNotation) -> pa.Array[Any]:
    """Return durations as text in a notation, rounded to the smallest unit. Missing values become null."""
    durations: Any = values
    unit = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[durations.type.unit]
    ticks = pc.fill_null(durations.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)
    smallest = SECONDS[notation.units[-1]]
    totals, places = np.unique(np.rint(ticks / (unit * smallest)).astype(np.int64), return_inverse=True)
    texts: Any = pa.array([_text(int(total) * smallest, notation) for total in totals], pa.string())
    written: pa.Array[Any] = pc.if_else(
        durations.is_valid(), texts.take(pa.array(places)), pa.scalar(None, pa.string())
    )
    return written


def _text(seconds: int, notation: DurationNotation) -> str:
    sign, rest = "-" if seconds < 0 else "", abs(seconds)
    numbers: list[tuple[str, int]] = []
    for unit in notation.units:
        number, rest = divmod(rest, SECONDS[unit])
        numbers.append((unit, number))
    write = {"iso": _iso, "words": _words}.get(notation.style, _clock)
    return sign + write(numbers, notation)


def _clock(numbers: list[tuple[str, int]], notation: DurationNotation) -> str:
    days = ""
    if notation.style == "days":
        number = numbers.pop(0)[1]
        word = "day" if notation.plural and number == 1 else "days"
        days = "" if notation.omits_zeros and not number else f"{number} {word}{notation.separator}"
    elif notation.omits_zeros and not numbers[0][1]:
        numbers.pop(0)
    width = 2 if notation.padded else 1
    return days + ":".join(f"{number:0{width if i == 0 else 2}}" for i, (_, number) in enumerate(numbers))


def _words(numbers: list[tuple[str, int]], notation: DurationNotation) -> str:
    parts = []
    for i, ((_, number), label) in enumerate(zip(numbers, notation.labels, strict=True)):
        if number or not notation.omits_zeros:
            width = 2 if notation.padded and i > 0 else 1
            parts.append(f"{number:0{width}}{label}{'s' if notation.plural and number != 1 else ''}")
    plural = "s" if notation.plural else ""
    return notation.separator.join(parts) or f"0{notation.labels[-1]}{plural}"


def _iso(numbers: list[tuple[str, int]], notation: DurationNotation) -> str:
    kept = [(unit, number) for unit, number in numbers if number or not notation.omits_zeros]
    kept = kept or numbers[-1:]
    days = "".join(f"{number}D" for unit, number in kept if unit == "d")
    clock = "".join(f"{number}{unit.upper()}" for unit, number in kept if unit != "d")
    return f"P{days}{'T' if clock else ''}{clock}"
