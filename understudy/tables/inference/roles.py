"""Find candidates for the primary key and the target of a table."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypedDict

import pyarrow as pa

from understudy.tables.findings import Candidate
from understudy.tables.inference import headers
from understudy.tables.inference.candidates import N_VALUES_MIN
from understudy.tables.inference.values import Occurrence, Sample
from understudy.tables.schema import GENERATED_KINDS, Column, ColumnKind

# Maximum number of distinct values in the last column for the column to be a candidate for the target.
N_LEVELS_TARGET = 20
# Maximum number of candidates for the primary key.
N_KEYS_MAX = 8

_KEYS = (ColumnKind.integer, ColumnKind.category, *GENERATED_KINDS)


class Roles(TypedDict):
    """The candidates for roles in a table. The field names are arguments of `TableFindings`."""

    primary_keys: tuple[Candidate, ...]
    target: Candidate | None


def find_roles(
    columns: Sequence[Column], samples: Sequence[Sample], count: Callable[[int], Occurrence]
) -> Roles:
    """Return the candidates for the primary key and the target of a table.

    Parameters
    ----------
    count : callable (index) -> Occurrence
        Function that counts the values of a column in all rows.
    """
    return {
        "primary_keys": _keys(columns, samples, count),
        "target": _target(columns, samples),
    }


def _keys(
    columns: Sequence[Column], samples: Sequence[Sample], count: Callable[[int], Occurrence]
) -> tuple[Candidate, ...]:
    candidates = []
    for index, (column, sample) in enumerate(zip(columns, samples, strict=True)):
        may_be = column.kind in _KEYS and column.kind is not ColumnKind.text and sample.n_rows > 1
        if not may_be or sample.n_missing or not sample.occurrence.is_unique:
            continue
        if not _is_exact(sample.type_):
            continue
        occurrence = count(index)
        if occurrence.is_unique:
            candidates.append(_key(index, column, sample, occurrence))
    candidates.sort(key=lambda candidate: -candidate.confidence)
    return tuple(candidates[:N_KEYS_MAX])


def _is_exact(type_: pa.DataType) -> bool:
    return pa.types.is_integer(type_) or pa.types.is_string(type_) or pa.types.is_large_string(type_)


def _key(index: int, column: Column, sample: Sample, occurrence: Occurrence) -> Candidate:
    words = headers.words_of(column.name)
    confidence = 0.3 if sample.n_rows < N_VALUES_MIN else 0.5
    reasons = ["no value is missing", _differ(sample, occurrence)]
    if headers.names_identifier(words):
        confidence += 0.3
        reasons.append("the column name indicates an identifier")
    if index == 0:
        confidence += 0.1
        reasons.append("it is the first column")
    if column.kind is ColumnKind.identifier:
        confidence += 0.05
    # Personal values such as e-mail addresses may be unique, but other columns are better keys.
    if column.kind in GENERATED_KINDS - {ColumnKind.identifier}:
        confidence -= 0.2
    return Candidate(columns=(column.name,), confidence=round(confidence, 2), evidence="; ".join(reasons))


def _differ(sample: Sample, occurrence: Occurrence) -> str:
    n = occurrence.n_counted
    if n == sample.n_rows:
        return f"all {n:,} values differ"
    if occurrence.is_whole:
        return f"all {n:,} values in a hash-based sample are unique in the table"
    return f"all {n:,} sampled values differ"


def _target(columns: Sequence[Column], samples: Sequence[Sample]) -> Candidate | None:
    usable = [
        (column, sample)
        for column, sample in zip(columns, samples, strict=True)
        if sample.occurrence.n_distinct >= 2 and column.kind not in GENERATED_KINDS
    ]
    for column, sample in reversed(usable):
        words = headers.words_of(column.name)
        # A column `y` may be a coordinate. As the last column, `y` is the target of many public datasets.
        is_last = column.name == columns[-1].name and len(columns) > 2
        if headers.contains(words, headers.TARGETS) or (words == ("y",) and is_last):
            n = sample.occurrence.n_distinct
            evidence = (
                "the column name indicates a target, and "
                f"{sample.occurrence.n_counted:,} sampled rows have {n:,} distinct values"
            )
            return Candidate(columns=(column.name,), confidence=0.8, evidence=evidence)
    if not usable or usable[-1][0].name != columns[-1].name or len(columns) < 2:
        return None
    column, sample = usable[-1]
    n = sample.occurrence.n_distinct
    is_level = column.kind in (ColumnKind.boolean, ColumnKind.category, ColumnKind.integer)
    if not is_level or n > N_LEVELS_TARGET or sample.occurrence.n_counted < N_VALUES_MIN:
        return None
    return Candidate(
        columns=(column.name,),
        confidence=0.4,
        evidence=(
            f"it is the last column, and {sample.occurrence.n_counted:,} sampled rows have "
            f"{n:,} distinct values"
        ),
    )
