"""Detect how the values of a typed CSV column are written: decimals, words for booleans, times of day.

The notation is used only to write the values. It is not required to read them. This module also detects
dates that are written as whole numbers: digits such as 20240131, or serial numbers of workbooks such as
45322.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables.formats.csv.column_types import ColumnType
from understudy.tables.inference import headers
from understudy.tables.inference.key_headers import key_header
from understudy.tables.notation import BooleanNotation, DateNotation, NumberNotation
from understudy.tables.notations.clues import Clues, Texts
from understudy.tables.notations.date_detection import detect_dates
from understudy.tables.notations.dates import parse_dates
from understudy.tables.notations.parsing import AnyNotation
from understudy.tables.notations.samples import SampledTexts, sample_texts, tally

# Whole numbers with 6, 10 or 13 digits can be dates only if the column's name contains one of these words.
_MONTH_WORDS = frozenset(("month", "period", "ym", "yyyymm", "yearmonth", "monat", "mois", "mes"))
_EPOCH_WORDS = frozenset(
    ("time", "timestamp", "ts", "epoch", "unix", "created", "updated", "modified", "at", "date", "datetime")
)
# Five-digit integers can be date serial numbers only if the column name contains one of these words.
_SERIAL_WORDS = frozenset(("date", "datum", "fecha", "dob", "birthdate", "birthday", "datetime", "timestamp"))
# Seven-digit integers can consist of a year and a day of the year only if the column name contains one of
# these words.
_ORDINAL_WORDS = frozenset(("date", "datum", "fecha", "day", "julian", "yyyyddd", "yday", "doy", "ordinal"))
_EARLY_HOUR = "02"
# Maximum number of digits in a key.
_N_DIGITS_MAX = 15
_N_DATES_MIN = 5
_EXPONENT = re.compile(r"-?\d(?:\.\d+)?[eE][-+]\d{2,3}")
# Numbers with a decimal point are version or section numbers if the column's name contains one of these
# words.
_VERSION_WORDS = frozenset(
    ("version", "versions", "ver", "release", "build", "firmware", "section", "chapter")
)
_VERSION = re.compile(r"\d{1,3}\.\d{1,3}")
# Maximum number of distinct version numbers if the column name contains none of these words.
_N_VERSIONS_MAX = 12
# Dates with an hour, such as 2024013117. Seconds since 1970 do not match.
_HOUR = re.compile(r"(?:19|20)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?:[01]\d|2[0-3])")
_YEARS = 1850, 2150
# The serial numbers of dates since 1927 have five digits. The lowest plausible serial number is 15,000
# (January 1941).
_SERIAL_YEARS = 1940, 2080
_USUAL = ("%Y-%m-%d %H:%M:%S", "%H:%M:%S", "%Y-%m-%d")


def with_notation(column_type: ColumnType, texts: Texts, clues: Clues) -> ColumnType:
    """Return the type of a column that is not text, with the notation of its values."""
    type_ = column_type.arrow_type
    if pa.types.is_date(type_):
        return column_type
    sample = sample_texts(texts)
    if not sample.values:
        return column_type
    if pa.types.is_integer(type_):
        return _dates_in_integers(column_type, sample, texts, clues)
    notation: AnyNotation | None = None
    if pa.types.is_floating(type_):
        dates = _dates_in_floats(sample, texts, clues)
        if dates is not None:
            unit: Literal["s", "ms"] = "s" if "x" in dates.directives else "ms"
            return _converted(column_type, pa.timestamp(unit), dates)
        if _are_versions(sample, clues):
            note = "numbers such as 1.1 and 1.10 differ, so they are kept as text"
            return replace(column_type, arrow_type=pa.string(), note=note)
        notation = _fixed_decimals(sample, texts)
        if notation is not None and notation.decimals == 1 and _are_whole_keys(sample, texts, clues):
            return _converted(column_type, pa.int64(), notation)
    elif pa.types.is_boolean(type_):
        notation = _booleans(sample)
    elif pa.types.is_timestamp(type_) or pa.types.is_time(type_):
        notation = _clock(sample, texts, clues)
    return column_type if notation is None else replace(column_type, written_as=notation)


def _fixed_decimals(sample: SampledTexts, texts: Texts) -> NumberNotation | None:
    """Return a notation with fixed decimals if all values have the same number of decimals."""
    if sample.values and all(map(_EXPONENT.fullmatch, sample.values)):
        lengths = {len(value.lower().partition("e")[0].partition(".")[2]) for value in sample.values}
        return _exponents(sample, lengths)
    sampled = {len(value.partition(".")[2]) if "." in value else -1 for value in sample.values}
    if len(sampled) != 1 or not 0 < (decimals := sampled.pop()) <= 18:
        return None
    for batch in texts():
        values: Any = batch.drop_null()
        if len(values) == 0:
            continue
        point: Any = pc.find_substring(values, ".")
        after: Any = pc.min_max(pc.subtract(pc.subtract(pc.binary_length(values), point), 1)).as_py()
        has_no_point = pc.min(point).as_py() < 1
        if has_no_point or (after["min"], after["max"]) != (decimals, decimals):
            return None
    has_exponent = any("e" in value.lower() or value.startswith(("-.", ".")) for value in sample.values)
    return None if has_exponent else NumberNotation(decimals=decimals)


def _are_versions(sample: SampledTexts, clues: Clues) -> bool:
    """Return whether the values are version or section numbers and not decimal numbers."""
    if not all(map(_VERSION.fullmatch, sample.values)):
        return False
    n_numbers = len({float(value) for value in sample.values})
    is_ambiguous = n_numbers < len(sample.values) <= _N_VERSIONS_MAX
    return is_ambiguous or bool(_VERSION_WORDS & set(clues.words))


def _exponents(sample: SampledTexts, lengths: set[int]) -> NumberNotation | None:
    marks = {"E" if "E" in value else "e" for value in sample.values}
    if len(lengths) > 1 or len(marks) > 1:
        return None
    return NumberNotation(decimals=lengths.pop(), exponent=True, exponent_mark="E" if "E" in marks else "e")


def _are_whole_keys(sample: SampledTexts, texts: Texts, clues: Clues) -> bool:
    """Return whether the column contains keys to which a program added `.0` because some keys are missing."""
    header = key_header(clues.words)
    is_key = headers.names_identifier(clues.words) or (header is not None and header.role != "class")
    if not is_key or not all(value.endswith(".0") for value in sample.values):
        return False
    return all(
        pc.all(pc.match_substring_regex(values, rf"\A-?[0-9]{{1,{_N_DIGITS_MAX}}}\.0\z")).as_py() is not False
        for values in texts()
    )


def _dates_in_floats(sample: SampledTexts, texts: Texts, clues: Clues) -> DateNotation | None:
    """Return the notation of serial numbers with a time, or of seconds since 1970 with a fraction."""
    words = set(clues.words)
    lengths = {len(value.partition(".")[0]) for value in sample.values}
    directive = "x" if lengths == {5} and words & _SERIAL_WORDS else "s"
    if directive == "s" and not (lengths == {10} and words & _EPOCH_WORDS):
        return None
    if len(sample.values) < _N_DATES_MIN or any("." not in value for value in sample.values[:1]):
        return None
    digits = _numbers_of_decimals(texts)
    fixed = str(min(digits[1], 9)) if digits[0] == digits[1] or digits[1] >= 9 else ""
    notation = DateNotation(pattern=f"%{directive}.%{fixed}f")
    type_ = pa.timestamp("s")
    counts = tally(texts(), lambda values: _is_plausible(values, notation, type_), is_date=True)
    return None if counts.n_odd or counts.missing else notation


def _numbers_of_decimals(texts: Texts) -> tuple[int, int]:
    """Return the lowest and the highest number of decimals. A number without a point has 0 decimals."""
    lowest, highest = 99, 0
    for batch in texts():
        values: Any = batch.drop_null()
        if len(values):
            fractions = pc.replace_substring_regex(values, r"\A[^.]*\.?", "")
            ends: Any = pc.min_max(pc.binary_length(fractions)).as_py()
            lowest, highest = min(lowest, ends["min"]), max(highest, ends["max"])
    return lowest, highest


def _converted(column_type: ColumnType, type_: pa.DataType, notation: AnyNotation) -> ColumnType:
    note = f"written as {notation.pattern}" if isinstance(notation, DateNotation) else column_type.note
    return replace(column_type, arrow_type=type_, note=note, notation=notation, is_clean=False)


def _booleans(sample: SampledTexts) -> BooleanNotation | None:
    """Return the words for true and false, or None if all values are `true` or `false`."""
    counts = dict(zip(sample.values, sample.counts, strict=True))
    most = max(counts, key=lambda word: counts[word])
    change = str.upper if most.isupper() else str.capitalize if most[0].isupper() else str.lower
    true = _by_frequency(counts, "true") or [change("true")]
    false = _by_frequency(counts, "false") or [change("false")]
    if (true, false) == (["true"], ["false"]):
        return None
    return BooleanNotation(
        true=true[0],
        false=false[0],
        true_words=tuple(true[1:]),
        true_shares=_shares(counts, true),
        false_words=tuple(false[1:]),
        false_shares=_shares(counts, false),
    )


def _by_frequency(counts: Mapping[str, int], word: str) -> list[str]:
    """Return the spellings of a word, the most frequent first."""
    return sorted((text for text in counts if text.lower() == word), key=lambda text: -counts[text])


def _shares(counts: Mapping[str, int], words: Sequence[str]) -> tuple[float, ...]:
    """Return the share of each word except the first."""
    n = sum(counts.get(word, 0) for word in words)
    return tuple(round(counts[word] / n, 4) for word in words[1:])


def _clock(sample: SampledTexts, texts: Texts, clues: Clues) -> DateNotation | None:
    """Return the notation for timestamps in a format other than `2024-01-31 12:30:00`."""
    detected = detect_dates(sample, lambda: [pa.array(sample.values)], clues)
    if detected is None or detected.tally.n_odd or not isinstance(detected.notation, DateNotation):
        return None
    if detected.notation.pattern.removesuffix(".%f") in _USUAL:
        return None
    # Values that are longer than the sampled values may have seconds or fractions, which the pattern omits.
    longest = max(map(len, sample.values))
    return None if _has_longer(texts, longest) else detected.notation


def _has_longer(texts: Texts, length: int) -> bool:
    for batch in texts():
        values: Any = batch
        if (pc.max(pc.binary_length(values)).as_py() or 0) > length:
            return True
    return False


def _dates_in_integers(
    column_type: ColumnType, sample: SampledTexts, texts: Texts, clues: Clues
) -> ColumnType:
    notation = _integer_pattern(sample, clues)
    if notation is None or len(sample.values) < _N_DATES_MIN:
        return column_type
    type_: pa.DataType = pa.date32()
    if notation.has_time:
        type_ = pa.timestamp("ms") if notation.pattern == "%Q" else pa.timestamp("s")
    counts = tally(texts(), lambda values: _is_plausible(values, notation, type_), is_date=True)
    if counts.n_odd or counts.missing:
        return column_type
    return _converted(column_type, type_, notation)


def _integer_pattern(sample: SampledTexts, clues: Clues) -> DateNotation | None:
    lengths = {len(value) for value in sample.values}
    words = set(clues.words)
    if lengths == {8}:
        return DateNotation(pattern="%Y%m%d")
    if lengths in ({12}, {14}) and _has_late_hours(sample):
        return DateNotation(pattern="%Y%m%d%H%M" if lengths == {12} else "%Y%m%d%H%M%S")
    if lengths == {10} and _has_late_hours(sample) and all(map(_HOUR.fullmatch, sample.values)):
        return DateNotation(pattern="%Y%m%d%H")
    if lengths == {7} and words & _ORDINAL_WORDS:
        return DateNotation(pattern="%Y%j")
    if lengths == {6} and words & _MONTH_WORDS:
        return DateNotation(pattern="%Y%m")
    if lengths == {6} and words & _SERIAL_WORDS:
        return DateNotation(pattern="%y%m%d")
    if lengths == {5} and words & _SERIAL_WORDS:
        return DateNotation(pattern="%x")
    if lengths == {10} and words & _EPOCH_WORDS:
        return DateNotation(pattern="%s")
    return DateNotation(pattern="%Q") if lengths == {13} and words & _EPOCH_WORDS else None


def _has_late_hours(sample: SampledTexts) -> bool:
    """Return whether any hour is above 2. Otherwise, the digits after the date may be a counter."""
    return any(value[8:10] > _EARLY_HOUR for value in sample.values)


def _is_plausible(texts: pa.Array[Any], notation: DateNotation, type_: pa.DataType) -> Any:
    dates: Any = parse_dates(texts, notation, type_)
    year: Any = pc.year(dates)
    first, last = _SERIAL_YEARS if notation.pattern.startswith("%x") else _YEARS
    return pc.and_(pc.greater(year, pa.scalar(first)), pc.less(year, pa.scalar(last)))
