"""Detect identifiers, coordinates and personal values in columns that are stored as numbers."""

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
    describe,
)
from understudy.tables.inference.coded_identifiers import detect_card, detect_national_id
from understudy.tables.inference.repeated_keys import detect_number_key
from understudy.tables.inference.texts import find_matches, pc
from understudy.tables.inference.values import Occurrence, Sample
from understudy.tables.schema import ColumnKind

# Whole numbers are close together if their range is at most this multiple of their count.
DENSE = 2


def find_in_whole_numbers(
    words: tuple[str, ...], sample: Sample, count: Callable[[], Occurrence]
) -> list[Finding]:
    """Return candidate kinds for a column of whole numbers.

    Parameters
    ----------
    count : callable () -> Occurrence
        Function that counts the values of all rows. It is called only if the sample is inconclusive.
    """
    if not len(sample.values):
        return []
    evidence = Evidence(words, sample.texts(), sample.occurrence, is_number=True)
    findings = [detect_card(evidence), detect_national_id(evidence), _detect_phone(evidence)]
    if not _is_numbered(sample):
        findings.append(_detect_postal_code(evidence))
    findings.append(_detect_identifier(words, sample, count))
    findings.append(_detect_repeated(words, sample))
    return [finding for finding in findings if finding]


def find_in_floats(words: tuple[str, ...], sample: Sample) -> list[Finding]:
    """Return candidate kinds for a column of floats or decimals. The only candidate is coordinates."""
    if not len(sample.values) or headers.names_property(words):
        return []
    numbers = sample.values.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False)
    has_fraction = bool((numbers != np.round(numbers)).any())
    for phrases, limit, coordinate in (
        (headers.LATITUDE, 90.0, "latitudes"),
        (headers.LONGITUDE, 180.0, "longitudes"),
    ):
        if headers.contains(words, phrases) and has_fraction and bool((np.abs(numbers) <= limit).all()):
            n = sample.occurrence.n_counted
            evidence = (
                f"the column name indicates this kind, and all {n:,} sampled values are valid {coordinate}"
            )
            return [Finding(ColumnKind.coordinates, 0.95, evidence)]
    return []


def _detect_phone(evidence: Evidence) -> Finding | None:
    has_format = find_matches(evidence.texts.distinct, r"^\d{7,15}$")
    if not evidence.has_header(headers.PHONE) or evidence.share(has_format) < MOSTLY:
        return None
    reason = describe(evidence.texts, has_format, "have 7 to 15 digits, like phone numbers", header=True)
    return Finding(ColumnKind.phone, 0.95 if evidence.share(has_format) >= PLAUSIBLE else 0.75, reason)


def _detect_postal_code(evidence: Evidence) -> Finding | None:
    has_format = find_matches(evidence.texts.distinct, r"^\d{3,8}$")
    is_named = evidence.has_header(headers.POSTAL_CODE) and headers.names_postal_code(evidence.words)
    if not is_named or evidence.share(has_format) < MOSTLY:
        return None
    reason = describe(evidence.texts, has_format, "have 3 to 8 digits, like postal codes", header=True)
    return Finding(ColumnKind.postal_code, 0.93 if evidence.share(has_format) >= PLAUSIBLE else 0.75, reason)


def _detect_identifier(
    words: tuple[str, ...], sample: Sample, count: Callable[[], Occurrence]
) -> Finding | None:
    if sample.n_present < N_VALUES_MIN or headers.names_time(words) or not sample.occurrence.is_unique:
        return None
    limits = pc.min_max(sample.values)
    lowest, highest = limits["min"].as_py(), limits["max"].as_py()
    is_near = highest - lowest <= DENSE * sample.n_present
    is_named = headers.names_identifier(words)
    if not (is_near or is_named or _has_one_step(sample)):
        return None
    if not _has_room(sample, highest) or not count().is_unique:
        return None
    reason = (
        "they are close together"
        if is_near
        else "the column name indicates an identifier"
        if is_named
        else "they have a constant step"
    )
    return Finding(
        ColumnKind.identifier, 0.97 if is_named else 0.8, f"all whole numbers differ, and {reason}"
    )


def _detect_repeated(words: tuple[str, ...], sample: Sample) -> Finding | None:
    highest = pc.max(sample.values).as_py()
    return detect_number_key(words, sample, sample.occurrence, has_room=_has_room(sample, highest))


def highest_of(type_: pa.DataType) -> int:
    """Return the highest number that an integer type can store."""
    dtype: Any = type_.to_pandas_dtype()
    return int(np.iinfo(dtype).max)


def _has_room(sample: Sample, highest: int) -> bool:
    """Return whether the type can store enough numbers that do not occur in the table."""
    limit = highest_of(sample.type_)
    n_digits = len(str(limit)) - 1
    return 4 * (highest + sample.n_present) <= limit or 8 * sample.n_present <= 10**n_digits


def _is_numbered(sample: Sample) -> bool:
    """Return whether the rows are numbered in equal steps, unlike postal codes."""
    is_long = sample.n_present >= N_VALUES_MIN
    return is_long and sample.occurrence.is_unique and _has_one_step(sample)


def _has_one_step(sample: Sample) -> bool:
    numbers = sample.values.slice(0, 100).to_pylist()
    steps = set(np.diff(np.array(numbers, object)).tolist())
    return len(steps) == 1 and min(steps) > 0
