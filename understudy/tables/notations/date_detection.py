"""Detect the notation of a column of dates, times or timestamps."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc
from pydantic import ValidationError

from understudy.tables.notation import DateNotation
from understudy.tables.notations.clues import Clues, Detected, Tally, Texts
from understudy.tables.notations.date_patterns import patterns_of
from understudy.tables.notations.dates import offset_minutes, parse_dates, regex
from understudy.tables.notations.samples import SampledTexts, tally

# Minimum share of the sampled values that must follow a pattern before it is checked on all values.
_SHARE_MIN = 0.5
# Minimum share of the values that follow the most frequent of several patterns. Each other pattern must match
# at least this share of the remaining values.
_FIRST_MIN, _OTHER_MIN = 0.25, 0.3
# Minimum number of values that must follow another pattern, and maximum number of other patterns.
_N_OTHER_MIN, _N_OTHERS_MAX = 5, 3
# Minimum number of sampled values that must have an offset before the notation includes the offset.
_N_OFFSET_MIN = 5
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
        *("fecha", "data", "created", "updated", "start", "end", "from", "to", "since", "until"),
        *("monat", "mois"),
    )
)
_CLOCK_WORDS = frozenset(("time", "hhmm", "clock", "uhrzeit", "zeit", "heure", "hora", "ora", "tijd"))
# If the column name does not indicate times, four-digit values are read as times of day only if at least this
# number of them are distinct.
_N_CLOCK_MIN = 30
# At least one of these values must be in the second half of an hour.
_LATE_MINUTE = 30
_SHORT_NAME = re.compile(r"[^\W\d_]{2,5}\.")
_DOTTED = re.compile(r"%-[dm]\.%-[dm]\.")
# Less likely orders, which are chosen only if no other order matches as many values.
_UNLIKELY = ("%Y-%-d-%-m", "%Y/%-d/%-m", "%Y.%-d.%-m", "%y")

UNCLEAR_ORDER = (
    "it is unclear whether the day or the month comes first in the dates (set the option `date_order`)"
)
"""Message about dates in which two numbers can each be the day or the month."""

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
    if rivals and _DOTTED.match(chosen.notation.pattern):
        # Dates with dots never begin with the month.
        chosen = min(
            (chosen, *others), key=lambda candidate: not candidate.notation.pattern.startswith("%-d")
        )
    elif n_fitting and rivals and _differ(chosen.notation, rivals[0].notation, texts()):
        question = UNCLEAR_ORDER
    notation, type_ = _refined(chosen.notation, sample, texts)
    chosen = _Candidate(notation, chosen.tally)
    if chosen.tally.n_odd and n_fitting:
        chosen = _with_other_patterns(chosen, type_, texts, clues)
        notation = chosen.notation
    if chosen.tally.n_fitting < _SHARE_MIN * (chosen.tally.n_fitting + chosen.tally.n_odd):
        return None
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


def _with_other_patterns(chosen: _Candidate, type_: pa.DataType, texts: Texts, clues: Clues) -> _Candidate:
    """Return a notation with more patterns for the values that do not follow the first pattern."""
    mixed = chosen
    order = order_of(chosen.notation)
    counts = [chosen.tally.n_fitting]
    while mixed.tally.n_odd >= _N_OTHER_MIN and len(counts) <= _N_OTHERS_MAX:
        odd = SampledTexts(list(mixed.tally.odd), list(mixed.tally.odd.values()))
        proposed = _proposed(odd, clues, share_min=_OTHER_MIN)
        alike = [other for other in proposed if _are_alike(other, chosen.notation)]
        best = _best_of(alike, odd, order)
        if best is None:
            break
        pattern = _refined(best, odd, partial(_as_batches, odd))[0].pattern
        patterns = (*mixed.notation.other_patterns, pattern)
        shares = (round(1 / (len(patterns) + 1), 4),) * (len(patterns) + 1)
        notation = DateNotation(
            **{**dict(mixed.notation), "other_patterns": patterns, "pattern_shares": shares}
        )
        after = _Candidate(notation, tally(texts(), _fits(notation, type_), is_date=True))
        if after.tally.n_fitting < mixed.tally.n_fitting + _N_OTHER_MIN:
            break
        counts.append(after.tally.n_fitting - mixed.tally.n_fitting)
        mixed = after
        order = order or order_of(notation.with_pattern(pattern))
    if mixed is chosen:
        return chosen
    shares = tuple(round(count / sum(counts), 4) for count in counts)
    return _Candidate(mixed.notation.model_copy(update={"pattern_shares": shares}), mixed.tally)


def _best_of(candidates: list[DateNotation], odd: SampledTexts, order: str | None) -> DateNotation | None:
    """Return the notation that the most values follow, or None if the order of day and month is unclear.

    Parameters
    ----------
    order : str or None
        Order of day and month in the other values of the column.
    """
    if not candidates:
        return None
    type_, texts = _type_of(candidates[0], 9), pa.array(odd.values)
    n_fitting = [len(texts) - parse_dates(texts, other, type_).null_count for other in candidates]
    best = [other for other, n in zip(candidates, n_fitting, strict=True) if n == max(n_fitting)]
    rivals = [other for other in best if _is_rival(best[0], other)]
    if not rivals:
        return best[0]
    wanted = "day_first" if _DOTTED.match(best[0].pattern) else order
    return next((other for other in (best[0], *rivals) if order_of(other) == wanted), None)


def _as_batches(sample: SampledTexts) -> list[pa.Array[Any]]:
    return [pa.array(sample.values)]


def _are_alike(one: DateNotation, other: DateNotation) -> bool:
    """Return whether two notations contain the same parts (date, time of day, offset)."""
    return (one.has_date, one.has_time, one.is_zoned) == (other.has_date, other.has_time, other.is_zoned)


def _fits(notation: DateNotation, type_: pa.DataType) -> Callable[[Any], Any]:
    return lambda values: parse_dates(values, notation, type_).is_valid()


def _proposed(sample: SampledTexts, clues: Clues, share_min: float = _FIRST_MIN) -> list[DateNotation]:
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
        if n < share_min * n_read or (order and pattern.startswith(order) and "%-m" in pattern):
            continue
        if not _is_plausible(pattern, sample, clues):
            continue
        try:
            notation = DateNotation(pattern=pattern, language=language, year_min=year_min)
            # A time of day with an offset is more likely a period, such as 6:00-14:00.
            if notation.has_date or not notation.has_offset:
                notations.append(notation)
        except ValidationError:
            # The text between the parts of a date contains a character that is not allowed, such as a tab.
            continue
    return notations[:_N_CHECKED_MAX]


def _merge_precisions(votes: Counter[tuple[str, str]]) -> None:
    """Count values without seconds or fractions also as values of the patterns that have these parts."""
    for shorter, longer in (("%M", "%M:%S"), ("%S", "%S.%f"), ("%M", "%M:%S.%f")):
        for pattern, language in list(votes):
            extended = (pattern.replace(shorter, longer), language)
            has_seconds = ":%S" in pattern and shorter == "%M"
            if extended in votes and not has_seconds and extended[0] != pattern:
                votes[extended] += votes[pattern, language]


def _preference(pattern: str, language: str) -> tuple[bool, bool, str]:
    return language != "en", pattern.startswith(_UNLIKELY) or "%e" in pattern, pattern


def has_date_word(clues: Clues) -> bool:
    """Return whether the name of a column contains a word for dates or for times."""
    return bool((_DATE_WORDS | _BIRTH_WORDS) & set(clues.words))


def _is_plausible(pattern: str, sample: SampledTexts, clues: Clues) -> bool:
    """Return whether values that follow a pattern are dates, and not codes or version numbers."""
    has_header = has_date_word(clues)
    if "%j" in pattern and "%-H" not in pattern:
        # A year followed by three digits can also be a case number.
        return has_header
    if pattern == "%H%M":
        # Four digits can also be a code, but among many codes, some are not valid times of day. In room
        # numbers, the last two digits are small.
        minutes = [int(value[-2:]) for value in sample.values if value.isdigit()]
        has_times = len(minutes) >= _N_CLOCK_MIN and max(minutes) >= _LATE_MINUTE
        return has_times or bool(_CLOCK_WORDS & set(clues.words))
    if re.match(r"[SW]%-?V", pattern):
        # A letter, two digits and four digits can also be a site number and a subject number.
        return has_header
    if pattern in ("%Y%m%d", "%d%m%Y"):
        return has_header or len(sample.values) >= 5
    is_numeric = "%b" not in pattern and "%B" not in pattern
    if re.fullmatch(r"%-?m[^%]%Y|%Y[^%]%-?m", pattern):
        # A site number and a subject number, such as 04-0030, look like a month and a year.
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
    """Return a notation with the values' padding, fractions, capitalization and offset, and its type."""
    written = _Written()
    for values in texts():
        extracted: Any = pc.extract_regex(values, regex(notation))
        if extracted.null_count < len(extracted):
            names = [extracted.type.field(i).name for i in range(extracted.type.num_fields)]
            for name, column in zip(names, extracted.flatten(), strict=True):
                written.add(name, column)
    pattern = notation.pattern
    for field in "dmHIV":
        if written.is_padded(field):
            pattern = pattern.replace(f"%-{field}", f"%{field}")
    shortest, longest = written.lengths.get("f", (0, 0))
    if longest and shortest == longest:
        pattern = pattern.replace("%f", f"%{longest}f")
    changes = {
        "pattern": pattern,
        "capitals": _capitals(sample),
        "has_dots": _has_dots(pattern, sample),
        **_offsets(notation, sample),
    }
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
        """Return whether a field is padded to two digits. If this is unclear, use the neighboring field."""
        if self._is_short(field):
            return False
        if field in self._zeros:
            return True
        neighbour = {"d": "m", "m": "d"}.get(field, field)
        return not self._is_short(neighbour)

    def _is_short(self, field: str) -> bool:
        return self.lengths.get(field, (2, 2))[0] < 2


def _has_dots(pattern: str, sample: SampledTexts) -> bool:
    """Return whether abbreviated names end with a period that is not part of the pattern."""
    if not re.search(r"%[ab](?!\.)", pattern):
        return False
    return 2 * sum(bool(_SHORT_NAME.search(value)) for value in sample.values) > len(sample.values)


def _capitals(sample: SampledTexts) -> str:
    letters = "".join(character for value in sample.values[:50] for character in value if character.isalpha())
    return "upper" if letters.isupper() and len(letters) else "lower" if letters.islower() else "title"


def _offsets(notation: DateNotation, sample: SampledTexts) -> dict[str, Any]:
    """Return the offsets from UTC in the sample and their shares, as fields of the notation."""
    if not notation.has_offset:
        return {}
    extracted: Any = pc.extract_regex(pa.array(sample.values), regex(notation))
    counts: Counter[str] = Counter()
    for text, count in zip(extracted.field("z").to_pylist(), sample.counts, strict=True):
        if text:
            counts[text] += count
    if not counts:
        return {}
    # The first offset is stored in minutes, which cannot represent `Z`, so another offset comes first.
    ranked = sorted(counts, key=lambda text: (text == "Z", -counts[text]))
    kept = [text for text in ranked if counts[text] >= _N_OFFSET_MIN][:20]
    if len(kept) < 2:
        return {"offset_minutes": offset_minutes(counts.most_common(1)[0][0])}
    first = {"offset_minutes": offset_minutes(kept[0])}
    total = sum(counts[text] for text in kept)
    shares = tuple(round(counts[text] / total, 4) for text in kept)
    return {**first, "other_offsets": tuple(kept[1:]), "offset_shares": shares}


def _words_of(notation: DateNotation) -> str:
    """Return a description of the notation for a column's evidence."""
    plain = notation.pattern.replace("-", "")
    numeric = [d for d in ("%d", "%m", "%Y", "%y") if d in plain]
    first = min(numeric, key=plain.index, default="")
    orders = {"%d": "with the day first", "%m": "with the month first", "%Y": "with the year first"}
    is_numeric = "%d" in numeric and "%m" in numeric
    order = f" {orders[first]}," if is_numeric and first in orders else ""
    return f"written{order} as {notation.pattern}"
