"""Detect the notation of a text column from all of its values."""

from __future__ import annotations

from understudy.tables.notations.clues import Clues, Detected, Texts
from understudy.tables.notations.date_detection import detect_dates
from understudy.tables.notations.duration_detection import detect_durations
from understudy.tables.notations.number_detection import detect_numbers
from understudy.tables.notations.samples import has_digits, sample_texts


def detect(texts: Texts, clues: Clues) -> Detected | None:
    """Return the notation that matches the most values, or None for values other than numbers and dates.

    The notations to check on all values are selected from a sample. `Detected.tally` contains the number of
    values that do not match.
    """
    sample = sample_texts(texts)
    if not sample.values or not has_digits(sample):
        return None
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
    return Detected(notation, best.arrow_type, best.tally, best.words, best.question, best.alternatives)
