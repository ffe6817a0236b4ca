"""Detect the notation of a text column from all of its values."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pyarrow as pa

from understudy.tables.notation import DateNotation
from understudy.tables.notations.clues import Clues, Detected, Texts
from understudy.tables.notations.date_detection import detect_dates, has_date_word
from understudy.tables.notations.duration_detection import detect_durations
from understudy.tables.notations.number_detection import detect_numbers
from understudy.tables.notations.parsing import AnyNotation
from understudy.tables.notations.samples import SampledTexts, has_digits, sample_texts
from understudy.tables.notations.scripts import PLAIN, Script, find_script, has_japanese


def detect(texts: Texts, clues: Clues) -> Detected | None:
    """Return the notation that matches the most values, or None for values other than numbers and dates.

    The notations to check on all values are selected from a sample. `Detected.tally` contains the number of
    values that do not match.
    """
    sample = sample_texts(texts)
    if not sample.values or not has_digits(sample):
        return None
    script = find_script(*sample)
    if script.has_letters and not (has_date_word(clues) or any(map(has_japanese, clues.words))):
        # `R1.2.3` can also be a version number, and `R09-04-08` can be a shelf location.
        script = script._replace(calendar="gregorian")
    if script == PLAIN:
        return _detect(sample, texts, clues)

    def converted() -> Iterator[pa.Array[Any]]:
        yield from map(script.convert, texts())

    detected = _detect(sample_texts(converted), converted, clues)
    result = None if detected is None else _with_script(detected, script)
    return _detect(sample, texts, clues) if result is None else result


def _with_script(detected: Detected, script: Script) -> Detected | None:
    """Add the script to a result. Return None if the script has a calendar but the values are not dates."""
    own: AnyNotation = detected.notation
    notation: AnyNotation
    if script.calendar == "gregorian":
        notation = own.model_copy(update={"digits": script.digits})
    elif isinstance(own, DateNotation) and own.has_years_first:
        notation = own.model_copy(update=script._asdict())
        # The year comes first in Japanese dates, and the month follows.
        detected = replace(detected, question=None, alternatives=())
    else:
        return None
    return replace(detected, notation=notation)


def _detect(sample: SampledTexts, texts: Texts, clues: Clues) -> Detected | None:
    """Return the notation that matches the most texts with Latin digits and Gregorian years."""
    results = [detect_dates(sample, texts, clues), detect_numbers(sample, texts, clues)]
    if not any(
        result is not None and result.tally.n_fitting and not result.tally.n_odd for result in results
    ):
        results.append(detect_durations(sample, texts, clues))
    found = [result for result in results if result is not None and result.tally.n_fitting]
    if not found:
        return None
    best = max(found, key=lambda result: result.tally.n_fitting)
    words = tuple(word for word, _ in best.tally.missing.most_common(20))
    notation = best.notation.model_copy(update={"missing": words})
    return replace(best, notation=notation)
