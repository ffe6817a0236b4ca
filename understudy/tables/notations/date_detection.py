"""Detect the notation of a column of dates, times or timestamps."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from understudy.tables.notation import DateNotation
from understudy.tables.notations.clues import Clues, Detected, Tally, Texts
from understudy.tables.notations.date_patterns import patterns_of
from understudy.tables.notations.dates import parse_dates, regex
from understudy.tables.notations.samples import SampledTexts, tally

# Minimum share of the sampled values that must follow a pattern before it is checked on all values.
_SHARE_MIN = 0.5
# Maximum number of patterns that are checked on all values.
_N_CHECKED_MAX = 6
_N_READ_MAX = 400
# Range of the years in dates without a day.
_YEAR_MIN, _YEAR_MAX = 1800, 2199
_BIRTH_WORDS = frozenset(("birth", "dob", "born", "birthday", "birthdate", "geburtsdatum", "naissance"))
_DATE_WORDS = frozenset(
    (
        *("date", "datum", "day", "dt", "time", "timestamp", "month", "period", "yearmonth", "ym", "yyyymm"),
        *("doy", "julian", "week", "kw", "woche", "semaine", "semana", "settimana"),
        *(
            "fecha",
            "data",
            "created",
            "updated",
            "start",
            "end",
            "from",
            "to",
            "since",
            "until",
            "monat",
            "mois",
        ),
    )
)
# Less likely orders, which are chosen only if no other order matches as many values.
_UNLIKELY = ("%Y-%-d-%-m", "%Y/%-d/%-m", "%Y.%-d.%-m", "%y")

UNCLEAR_ORDER = (
    "it is unclear whether the day or the month comes first in the dates (set the option `date_order`)"
)
"""Question about dates whose day and month could both be either."""

Unit = Literal["s", "ms", "us", "ns"]


@dataclass(frozen=True)
class _Candidate:
    notation: DateNotation
    tally: Tally

    @property
    def is_unlikely(self) -> bool:
        return self.notation.pattern.startswith(_UNLIKELY)


def detect_dates(sample: SampledTexts, texts: Texts, clues: Clues) -> Detected | None:
    """Return the date notation that matches the most values, or None if no notation matches."""
    proposed = _proposed(sample, clues)
    if not proposed:
        return None
    candidates = [_checked(notation, texts()) for notation in proposed]
    n_fitting = max(candidate.tally.n_fitting for candidate in candidates)
    best = [candidate for candidate in candidates if candidate.tally.n_fitting == n_fitting]
    best.sort(key=lambda candidate: candidate.is_unlikely)
    chosen, *others = best
    rivals = [other for other in others if _is_rival(chosen.notation, other.notation)]
    question = None
    if n_fitting and rivals and _differ(chosen.notation, rivals[0].notation, texts()):
        question = UNCLEAR_ORDER
    notation, type_ = _refined(chosen.notation, sample, texts)
    if _is_lossy(notation, type_, chosen.tally, texts()):
        return None
    return Detected(
        notation,
        type_,
        chosen.tally,
        _words_of(notation),
        question,
        tuple(rival.notation.pattern for rival in rivals),
    )


def _proposed(sample: SampledTexts, clues: Clues) -> list[DateNotation]:
    votes: Counter[tuple[str, str]] = Counter()
    n_read = 0
    for value, count in list(zip(sample.values, sample.counts, strict=True))[:_N_READ_MAX]:
        n_read += count
        votes.update(dict.fromkeys(set(patterns_of(value)), count))
    _merge_precisions(votes)
    order = {"day_first": "%-m", "month_first": "%-d"}.get(clues.date_order or "")
    year_min = 1925 if _BIRTH_WORDS & set(clues.words) else 1969
    notations = []
    for (pattern, language), n in sorted(votes.items(), key=lambda item: (-item[1], _preference(*item[0]))):
        if n < _SHARE_MIN * n_read or (order and pattern.startswith(order) and "%-m" in pattern):
            continue
        if not _is_plausible(pattern, sample, clues):
            continue
        try:
            notations.append(DateNotation(pattern=pattern, language=language, year_min=year_min))
        except ValidationError:
            # The text between the parts of a date contains a character that is not allowed, such as a tab.
            continue
    return notations[:_N_CHECKED_MAX]


def _merge_precisions(votes: Counter[tuple[str, str]]) -> None:
    """Add the votes for times without seconds or fractions to the votes for times that have them."""
    for shorter, longer in (("%M", "%M:%S"), ("%S", "%S.%f"), ("%M", "%M:%S.%f")):
        for pattern, language in list(votes):
            extended = (pattern.replace(shorter, longer), language)
            has_seconds = ":%S" in pattern and shorter == "%M"
            if extended in votes and not has_seconds and extended[0] != pattern:
                votes[extended] += votes[pattern, language]


def _preference(pattern: str, language: str) -> tuple[bool, bool, str]:
    return language != "en", pattern.startswith(_UNLIKELY) or "%e" in pattern, pattern


def _is_plausible(pattern: str, sample: SampledTexts, clues: Clues) -> bool:
    """Return whether values that follow a pattern are dates, and not codes or version numbers."""
    has_header = bool((_DATE_WORDS | _BIRTH_WORDS) & set(clues.words))
    if "%j" in pattern and "%-H" not in pattern:
        # A year followed by three digits can also be the number of a case.
        return has_header
    if re.match(r"[SW]%-?V", pattern):
        # A letter, two digits and four digits can also be the number of a site and of a subject.
        return has_header
    if pattern in ("%Y%m%d", "%d%m%Y"):
        return has_header or len(sample.values) >= 5
    is_numeric = "%b" not in pattern and "%B" not in pattern
    if re.fullmatch(r"%-?m[^%]%Y|%Y[^%]%-?m", pattern):
        # A site and a subject, such as 04-0030, look like a month and a year.
        years = [int(run[0]) for value in sample.values if (run := re.search(r"\d{4}", value))]
        n_plausible = sum(_YEAR_MIN <= year <= _YEAR_MAX for year in years)
        return n_plausible >= _SHARE_MIN * len(years)
    if "%y" in pattern and is_numeric and "/" not in pattern:
        return has_header or all(len(value) >= 8 for value in sample.values)
    return True


def _checked(notation: DateNotation, texts: Iterable[pa.Array[Any]]) -> _Candidate:
    type_ = _type_of(notation, 0)
    return _Candidate(
        notation, tally(texts, lambda values: parse_dates(values, notation, type_).is_valid(), is_date=True)
    )


def _type_of(notation: DateNotation, n_digits: int) -> pa.DataType:
    unit: Unit = "s" if n_digits == 0 else "ms" if n_digits <= 3 else "us" if n_digits <= 6 else "ns"
    if not notation.has_date:
        return pa.time32(unit) if unit == "s" or unit == "ms" else pa.time64(unit)
    if not notation.has_time:
        return pa.date32()
    return pa.timestamp(unit, tz="UTC") if notation.is_zoned else pa.timestamp(unit)


def _is_lossy(
    notation: DateNotation, type_: pa.DataType, counts: Tally, texts: Iterable[pa.Array[Any]]
) -> bool:
    """Return whether timestamps in nanoseconds are outside the range of their type."""
    if not pa.types.is_timestamp(type_) or type_.unit != "ns":
        return False
    n_parsed = sum(len(values) - parse_dates(values, notation, type_).null_count for values in texts)
    return n_parsed < counts.n_fitting


def order_of(notation: DateNotation) -> Literal["day_first", "month_first"] | None:
    """Return the order of day and month in numeric dates, or None if names or the year determine it."""
    plain = notation.pattern.replace("-", "")
    day, month, year = plain.find("%d"), plain.find("%m"), max(plain.find("%Y"), plain.find("%y"))
    if min(day, month, year) < 0 or year < max(day, month):
        return None
    return "day_first" if day < month else "month_first"


def _is_rival(one: DateNotation, other: DateNotation) -> bool:
    """Return whether two notations differ only in the order of day and month."""
    swapped = one.pattern.replace("%-d", "\0").replace("%-m", "%-d").replace("\0", "%-m")
    return (
        one.language == other.language
        and swapped == other.pattern
        and not other.pattern.startswith(_UNLIKELY)
    )


def _differ(one: DateNotation, other: DateNotation, texts: Iterable[pa.Array[Any]]) -> bool:
    type_ = _type_of(one, 0)
    return any(
        not parse_dates(values, one, type_).equals(parse_dates(values, other, type_)) for values in texts
    )


def _refined(notation: DateNotation, sample: SampledTexts, texts: Texts) -> tuple[DateNotation, pa.DataType]:
    """Return a notation with the values' padding, fractions, capitals and offset, and its type."""
    written = _Written()
    for values in texts():
        extracted: Any = pc.extract_regex(values, regex(notation))
        if extracted.null_count < len(extracted):
            names = [extracted.type.field(i).name for i in range(extracted.type.num_fields)]
            for name, column in zip(names, extracted.flatten(), strict=True):
                written.add(name, column)
    pattern = notation.pattern
    for field in "dmHI":
        if written.is_padded(field):
            pattern = pattern.replace(f"%-{field}", f"%{field}")
    shortest, longest = written.lengths.get("f", (0, 0))
    if longest and shortest == longest:
        pattern = pattern.replace("%f", f"%{longest}f")
    changes = {"pattern": pattern, "capitals": _capitals(sample), "offset_minutes": _offset(notation, sample)}
    refined = notation.model_copy(update=changes)
    return refined, _type_of(refined, longest)


class _Written:
    """The lengths of written date fields, and the fields that have leading zeros."""

    def __init__(self) -> None:
        self.lengths: dict[str, tuple[int, int]] = {}
        self._zeros: set[str] = set()

    def add(self, field: str, column: Any) -> None:
        """Add the texts of a field."""
        ends: Any = pc.min_max(pc.binary_length(column)).as_py()
        shortest, longest = self.lengths.get(field, (9, 0))
        self.lengths[field] = min(shortest, ends["min"]), max(longest, ends["max"])
        if pc.any(pc.starts_with(column, "0")).as_py():
            self._zeros.add(field)

    def is_padded(self, field: str) -> bool:
        """Return whether a field has two digits. If no number has one digit, use the neighboring field."""
        if self._is_short(field):
            return False
        if field in self._zeros:
            return True
        neighbour = {"d": "m", "m": "d"}.get(field, field)
        return not self._is_short(neighbour)

    def _is_short(self, field: str) -> bool:
        return self.lengths.get(field, (2, 2))[0] < 2


def _capitals(sample: SampledTexts) -> str:
    letters = "".join(character for value in sample.values[:50] for character in value if character.isalpha())
    return "upper" if letters.isupper() and len(letters) else "lower" if letters.islower() else "title"


def _offset(notation: DateNotation, sample: SampledTexts) -> int:
    """Return the most frequent offset from UTC in the sample, in minutes."""
    if not notation.directives & {"z", ":z"}:
        return 0
    offsets: Counter[str] = Counter()
    extracted: Any = pc.extract_regex(pa.array(sample.values[:_N_READ_MAX]), regex(notation))
    offsets.update(text for text in extracted.field("z").to_pylist() if text)
    if not offsets:
        return 0
    text = offsets.most_common(1)[0][0].replace(":", "")
    if text == "Z":
        return 0
    digits = text[1:].ljust(4, "0")
    return (-1 if text[0] == "-" else 1) * (60 * int(digits[:2]) + int(digits[2:]))


def _words_of(notation: DateNotation) -> str:
    """Return a description of the notation for a column's evidence."""
    plain = notation.pattern.replace("-", "")
    numeric = [d for d in ("%d", "%m", "%Y", "%y") if d in plain]
    first = min(numeric, key=plain.index, default="")
    orders = {"%d": "with the day first", "%m": "with the month first", "%Y": "with the year first"}
    is_numeric = "%d" in numeric and "%m" in numeric
    order = f" {orders[first]}," if is_numeric and first in orders else ""
    return f"written{order} as {notation.pattern}"
