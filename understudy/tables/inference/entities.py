"""Find columns that identify entities: keys that determine names of people, and texts with few owners."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from understudy.tables.inference import headers
from understudy.tables.inference.candidates import N_DISTINCT_MIN, N_VALUES_MIN, Finding
from understudy.tables.inference.joint_values import JointValues
from understudy.tables.inference.key_headers import key_header, names_birth
from understudy.tables.inference.unrecognized_text import is_prose
from understudy.tables.inference.values import N_ROWS_SHARED, Sample
from understudy.tables.schema import Column, ColumnKind

# Kinds of columns that describe one person. A column that determines one of these columns is a key for
# people.
_OF_PERSON = (ColumnKind.name, ColumnKind.email, ColumnKind.phone, ColumnKind.national_id)
_DATES = (ColumnKind.date, ColumnKind.timestamp)
# Minimum number of distinct people for each value of a key.
SHARE_OF_PEOPLE_MIN = 0.5


def find_keys_of_people(
    columns: Sequence[Column], samples: Sequence[Sample], joint: JointValues
) -> dict[int, Finding]:
    """Return findings for columns that determine the names, e-mail addresses or birth dates of people."""
    personal = [i for i, column in enumerate(columns) if _is_of_person(column) and _is_varied(samples[i])]
    if not personal:
        return {}
    found: dict[int, Finding] = {}
    for i, (column, sample) in enumerate(zip(columns, samples, strict=True)):
        if not _may_be_key(column, sample):
            continue
        determined = [j for j in personal if joint.determines(i, j)]
        n_people, n_keys = joint.count_distinct(determined), joint.count_distinct([i])
        if determined and n_people >= SHARE_OF_PEOPLE_MIN * n_keys:
            names = ", ".join(columns[j].name for j in determined)
            reason = (
                f"rows with the same value also have the same {names}; "
                f"{n_keys:,} distinct values represent {n_people:,} different people"
            )
            found[i] = Finding(ColumnKind.identifier, 0.85, reason)
    return found


def find_texts_of_owners(
    columns: Sequence[Column], samples: Sequence[Sample], owner: int, joint: JointValues
) -> dict[int, Finding]:
    """Return findings for text and place columns whose values each belong to only a few owners."""
    found: dict[int, Finding] = {}
    for i, (column, sample) in enumerate(zip(columns, samples, strict=True)):
        if i == owner or column.kind is not ColumnKind.category or not _is_text(sample.type_):
            continue
        if sample.occurrence.n_distinct < N_DISTINCT_MIN:
            continue
        form = headers.address_form(headers.words_of(column.name))
        is_place = form in ("city", "state", "country", "street")
        if not is_place and not is_prose(sample.texts()):
            continue
        if joint.count_owners(i, owner).max(initial=0) >= N_ROWS_SHARED:
            continue
        reason = f"no value occurs with {N_ROWS_SHARED} different values of the subject {columns[owner].name}"
        kind = ColumnKind.address if is_place else ColumnKind.text
        found[i] = Finding(kind, 0.75, reason)
    return found


def _is_of_person(column: Column) -> bool:
    is_birth = column.kind in _DATES and names_birth(headers.words_of(column.name))
    return column.kind in _OF_PERSON or is_birth


def _is_varied(sample: Sample) -> bool:
    return sample.occurrence.n_distinct >= N_DISTINCT_MIN


def _is_text(type_: pa.DataType) -> bool:
    return pa.types.is_string(type_) or pa.types.is_large_string(type_)


def _may_be_key(column: Column, sample: Sample) -> bool:
    occurrence = sample.occurrence
    is_learned = column.kind in (ColumnKind.category, ColumnKind.integer)
    if not is_learned or occurrence.n_distinct < N_DISTINCT_MIN or sample.n_present < N_VALUES_MIN:
        return False
    words = headers.words_of(column.name)
    header = key_header(words)
    if headers.names_time(words) or headers.address_form(words) or names_birth(words):
        return False
    if header is not None and header.role == "class":
        return False
    if pa.types.is_integer(sample.type_):
        return sample.type_.bit_width >= 32 and headers.names_property(words) is False
    return sample.texts().share(r"\d") > 0.5
