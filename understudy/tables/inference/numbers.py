"""What numbers may be besides numbers: identifiers, places, and personal numbers without their marks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from understudy.tables.inference import headers
from understudy.tables.inference.candidates import (
    MOSTLY,
    N_VALUES_MIN,
    PLAUSIBLE,
    Evidence,
    Finding,
    matching,
)
from understudy.tables.inference.coded_identifiers import as_card, as_national_id
from understudy.tables.inference.texts import finds, pc
from understudy.tables.inference.values import Occurrence, Sample
from understudy.tables.schema import ColumnKind

# Whole numbers are dense if their range is at most so many times their count.
DENSE = 2


def find_in_whole_numbers(
    words: tuple[str, ...], sample: Sample, count: Callable[[], Occurrence]
) -> list[Finding]:
    """Return what whole numbers may be.

    Parameters
    ----------
    count : callable () -> Occurrence
        Counts the values of all rows; asked only where it decides.
    """
    if not len(sample.values):
        return []
    evidence = Evidence(words, sample.texts(), sample.occurrence, is_number=True)
    looks = [as_card(evidence), as_national_id(evidence), _as_phone(evidence), _as_postal_code(evidence)]
    looks.append(_as_identifier(words, sample, count))
    return [finding for finding in looks if finding]


def find_in_floats(words: tuple[str, ...], sample: Sample) -> list[Finding]:
    """Return what numbers with a fraction may be: places."""
    if not len(sample.values) or headers.says_property(words):
        return []
    numbers = sample.values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    has_fraction = bool((numbers != np.round(numbers)).any())
    for phrases, limit, what in (
        (headers.LATITUDE, 90.0, "latitudes"),
        (headers.LONGITUDE, 180.0, "longitudes"),
    ):
        if headers.says(words, phrases) and has_fraction and bool((np.abs(numbers) <= limit).all()):
            n = sample.occurrence.n_counted
            evidence = f"the header says so, and all {n:,} sampled values are in the range of {what}"
            return [Finding(ColumnKind.coordinates, 0.95, evidence)]
    return []


def _as_phone(evidence: Evidence) -> Finding | None:
    looks = finds(evidence.texts.distinct, r"^\d{7,15}$")
    if not evidence.says(headers.PHONE) or evidence.share(looks) < MOSTLY:
        return None
    what = matching(evidence.texts, looks, "have the digits of a phone number", header=True)
    return Finding(ColumnKind.phone, 0.95 if evidence.share(looks) >= PLAUSIBLE else 0.75, what)


def _as_postal_code(evidence: Evidence) -> Finding | None:
    looks = finds(evidence.texts.distinct, r"^\d{3,8}$")
    is_said = evidence.says(headers.POSTAL_CODE) and headers.says_postal_code(evidence.words)
    if not is_said or evidence.share(looks) < MOSTLY:
        return None
    what = matching(evidence.texts, looks, "have the digits of a postal code", header=True)
    return Finding(ColumnKind.postal_code, 0.93 if evidence.share(looks) >= PLAUSIBLE else 0.75, what)


def _as_identifier(words: tuple[str, ...], sample: Sample, count: Callable[[], Occurrence]) -> Finding | None:
    if sample.n_present < N_VALUES_MIN or headers.says_time(words) or not sample.occurrence.is_unique:
        return None
    limits = pc.min_max(sample.values)
    lowest, highest = limits["min"].as_py(), limits["max"].as_py()
    is_near = highest - lowest <= DENSE * sample.n_present
    is_said = headers.says_identifier(words)
    if not (is_near or is_said or _has_one_step(sample)):
        return None
    if not _has_room(sample, highest) or not count().is_unique:
        return None
    why = (
        "are close together"
        if is_near
        else "the header says that they identify"
        if is_said
        else "go in equal steps"
    )
    return Finding(ColumnKind.identifier, 0.97 if is_said else 0.8, f"all whole numbers differ, and {why}")


def highest_of(type_: pa.DataType) -> int:
    """Return the highest number that a type of whole numbers holds."""
    dtype: Any = type_.to_pandas_dtype()
    return int(np.iinfo(dtype).max)


def _has_room(sample: Sample, highest: int) -> bool:
    """Return whether the type holds as many new numbers again, and some more."""
    limit = highest_of(sample.type_)
    n_digits = len(str(limit)) - 1
    return 4 * (highest + sample.n_present) <= limit or 8 * sample.n_present <= 10**n_digits


def _has_one_step(sample: Sample) -> bool:
    numbers = sample.values.slice(0, 100).to_pylist()
    steps = set(np.diff(np.array(numbers, object)).tolist())
    return len(steps) == 1 and min(steps) > 0
