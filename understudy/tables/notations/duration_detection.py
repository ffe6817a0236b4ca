"""Detect the notation of a column of durations, such as `1h 30m`, `PT1H30M` or `36:15:00`."""

from __future__ import annotations

import re
from collections import Counter

import pyarrow as pa

from understudy.tables.notation import DurationNotation
from understudy.tables.notations.clues import Clues, Detected, Texts
from understudy.tables.notations.durations import parse_durations, regex
from understudy.tables.notations.samples import SampledTexts, tally

# Minimum share of the sampled values that must follow a notation before it is checked on all values.
_SHARE_MIN = 0.5
_CLOCK = re.compile(r"-?(\d{1,6}):[0-5]\d(:[0-5]\d)?")
_DAYS = re.compile(r"-?\d+ days?(,? )(\d{1,2}):[0-5]\d:[0-5]\d")
_ISO = re.compile(r"-?P(?=[\dT])(?:\d+D)?(?:T(?:\d+H)?(?:\d+M)?(?:\d+S)?)?")
_PART = re.compile(r"(\d+)( ?[^\W\d_]+)([., ]*)")
_WORDS = {
    **dict.fromkeys(("d", "day", "days", "tag", "tage", "j", "jour", "jours", "día", "días"), "d"),
    **dict.fromkeys(("h", "hr", "hrs", "hour", "hours", "std", "stunde", "stunden", "heure", "heures"), "h"),
    **dict.fromkeys(("m", "min", "mins", "minute", "minutes", "minuten", "mn"), "m"),
    **dict.fromkeys(("s", "sec", "secs", "second", "seconds", "sek", "sekunden"), "s"),
}
_DURATION_WORDS = frozenset(
    (
        *("duration", "time", "length", "elapsed", "runtime", "pace", "lap", "split", "hours", "minutes"),
        *("dauer", "laufzeit", "duree", "durée", "duracion", "duración", "durata", "duur", "delay", "wait"),
    )
)
_MINUTE_WORDS = frozenset(("pace", "lap", "split", "minutes", "song", "track", "call"))
# If the first number of a value is larger, the value is more likely `minutes:seconds` than `hours:minutes`.
_HOURS_MAX = 48
_MINUTES_MAX = 60


def detect_durations(sample: SampledTexts, texts: Texts, clues: Clues) -> Detected | None:
    """Return the duration notation that the sampled values follow, or None if they are not durations."""
    notation = _of_clock(sample, clues) or _of_iso(sample) or _of_words(sample)
    if notation is None:
        return None
    type_ = pa.duration("s")
    counts = tally(texts(), lambda values: parse_durations(values, notation, type_).is_valid(), is_date=False)
    return Detected(notation, type_, counts, f"written as durations ({notation.style})")


def _share(sample: SampledTexts, pattern: re.Pattern[str]) -> float:
    pairs = zip(sample.values, sample.counts, strict=True)
    return sum(n for value, n in pairs if pattern.fullmatch(value)) / max(sample.n, 1)


def _of_clock(sample: SampledTexts, clues: Clues) -> DurationNotation | None:
    if _share(sample, _DAYS) >= _SHARE_MIN:
        days = [match for value in sample.values if (match := _DAYS.fullmatch(value))]
        return DurationNotation(
            style="days",
            units=("d", "h", "m", "s"),
            separator=Counter(match[1] for match in days).most_common(1)[0][0],
            padded=all(len(match[2]) == 2 for match in days),
            plural=any(" day " in value or " day," in value for value in sample.values),
            omits_zeros=len(days) < len(sample.values),
        )
    matches = [match for value in sample.values if (match := _CLOCK.fullmatch(value))]
    if _share(sample, _CLOCK) < _SHARE_MIN:
        return None
    padded = all(len(match[1]) > 1 for match in matches)
    if all(match[2] for match in matches):
        return DurationNotation(style="clock", units=("h", "m", "s"), padded=padded)
    is_named = bool(_DURATION_WORDS & set(clues.words))
    if any(match[2] for match in matches):
        # Programs omit the hours of shorter durations. If the column name does not indicate durations,
        # `12:30` can also be hours and minutes.
        is_possible = is_named and all(match[2] or int(match[1]) < _MINUTES_MAX for match in matches)
        units = ("h", "m", "s")
        return (
            DurationNotation(style="clock", units=units, padded=padded, omits_zeros=True)
            if is_possible
            else None
        )
    if not is_named:
        return None
    has_minutes = _MINUTE_WORDS & set(clues.words) or max(int(match[1]) for match in matches) > _HOURS_MAX
    return DurationNotation(style="clock", units=("m", "s") if has_minutes else ("h", "m"), padded=padded)


def _of_iso(sample: SampledTexts) -> DurationNotation | None:
    if _share(sample, _ISO) < _SHARE_MIN:
        return None
    written = "".join(value.replace("T", "") for value in sample.values).lower()
    units = tuple(unit for unit in "dhms" if unit in written)
    lengths = {len(re.findall(r"\d+", value)) for value in sample.values}
    return DurationNotation(style="iso", units=units, omits_zeros=lengths != {len(units)})


def _of_words(sample: SampledTexts) -> DurationNotation | None:
    labels: dict[str, Counter[str]] = {unit: Counter() for unit in "dhms"}
    separators: Counter[str] = Counter()
    counts: set[int] = set()
    widths: set[int] = set()
    for value in sample.values:
        parts = list(_PART.finditer(value))
        if "".join(part[0] for part in parts) != value.removeprefix("-"):
            continue
        counts.add(len(parts))
        widths.update(len(part[1]) for part in parts[1:])
        separators.update(part[3] for part in parts[:-1])
        for part in parts:
            labels.get(_WORDS.get(part[2].strip().lower(), ""), Counter())[part[2]] += 1
    units = tuple(unit for unit in labels if labels[unit])
    if len(units) < 2 or not separators:
        return None
    plural = any(f"{label}s" in labels[unit] for unit in units for label in labels[unit])
    chosen = [labels[unit].most_common(1)[0][0] for unit in units]
    notation = DurationNotation(
        style="words",
        units=units,
        labels=tuple(label.removesuffix("s") if plural else label for label in chosen),
        separator=separators.most_common(1)[0][0],
        padded=widths == {2},
        plural=plural,
        omits_zeros=len(counts) > 1,
    )
    pattern = re.compile(regex(notation).removesuffix(r"\z"))
    return notation if _share(sample, pattern) >= _SHARE_MIN else None
