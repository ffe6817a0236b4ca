"""Choose the subject of a table: the column that identifies the person or entity of each row."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from understudy.tables.findings import Candidate, TableFindings
from understudy.tables.inference import headers
from understudy.tables.inference.candidates import N_DISTINCT_MIN, N_VALUES_MIN
from understudy.tables.inference.joint_values import JointValues
from understudy.tables.inference.key_headers import is_login, key_header
from understudy.tables.inference.values import Sample
from understudy.tables.schema import Column, ColumnKind, TableSchema

# Minimum mean number of rows per subject. With fewer rows, nearly every row has a separate subject.
N_ROWS_EACH_MIN = 1.2
# Two people may have the same name, so names must repeat more often than by chance.
N_ROWS_EACH_OF_NAMES_MIN = 2.0

# Ranks of columns as candidates for the subject. Keys of the people whom a table is about come first.
_KEY, _OTHER_PEOPLE, _ROW, _ACCOUNT, _NAME, _THING = range(6)
_NOUNS = {
    _KEY: "the column identifies a person or an account",
    _OTHER_PEOPLE: "the column identifies a person",
    _ROW: "the column name indicates a key, and its values repeat",
    _ACCOUNT: "each value belongs to one person",
    _NAME: "the values are names of people, and they repeat",
    _THING: "the column identifies an individual thing or event, and no column identifies a person",
}
_CONFIDENCES = {_KEY: 0.9, _OTHER_PEOPLE: 0.85, _ROW: 0.8, _ACCOUNT: 0.8, _NAME: 0.7, _THING: 0.7}
_RANKS = {
    ColumnKind.national_id: _ACCOUNT,
    ColumnKind.email: _ACCOUNT,
    ColumnKind.phone: _ACCOUNT,
    ColumnKind.iban: _ACCOUNT,
    ColumnKind.card: _ACCOUNT,
    ColumnKind.name: _NAME,
    ColumnKind.ip: _THING,
}


class Choice(NamedTuple):
    """The candidate for the subject, and whether the evidence is sufficient to declare it."""

    candidate: Candidate
    place: int
    is_clear: bool


def describe_subject(schema: TableSchema, findings: TableFindings) -> str | None:
    """Return a sentence about the inferred subject of a table and how to change it, or None."""
    candidate = findings.subject
    if candidate is None:
        return None
    (name,) = candidate.columns
    if schema.subject == candidate.columns:
        return (
            f"Column {name!r} was taken as the subject, so privacy protection counts its values instead "
            f"of rows ({candidate.evidence}). To change it, set the subject of the table to other columns or "
            "to none."
        )
    return (
        f"Column {name!r} may identify the subject of a row, but this is not clear ({candidate.evidence}), "
        "so privacy protection counts rows. Set the subject if the rows belong to people or other entities."
    )


def choose_subject(
    columns: Sequence[Column],
    samples: Sequence[Sample],
    joint: JointValues,
    keys_of_people: Collection[int],
) -> Choice | None:
    """Return the subject of a table, or None if no entity has several rows.

    Parameters
    ----------
    keys_of_people : collection of int
        Positions of the columns that determine names, e-mail addresses or birth dates.
    """
    ranks = {
        i: rank
        for i, (column, sample) in enumerate(zip(columns, samples, strict=True))
        if _repeats(column, sample) and (rank := _KEY if i in keys_of_people else _rank(column)) is not None
    }
    if not ranks:
        return None
    best = min(ranks.values())
    group = [i for i, rank in ranks.items() if rank == best]
    chosen = _main(group, joint)
    index = group[0] if chosen is None else chosen
    occurrence = samples[index].occurrence
    is_clear = chosen is not None and occurrence.n_distinct >= N_DISTINCT_MIN
    is_clear = is_clear and len(columns) > 1 and (best != _NAME or _is_main_person(columns[index]))
    reasons = [
        _NOUNS[best],
        f"{occurrence.n_counted:,} sampled rows have {occurrence.n_distinct:,} distinct values, with "
        f"{occurrence.n_rows_each:.1f} rows each on average",
    ]
    if chosen is None:
        others = ", ".join(columns[i].name for i in group[1:])
        reasons.append(f"these columns may be the subject instead: {others}")
    elif occurrence.n_distinct < N_DISTINCT_MIN:
        reasons.append("a model could learn little from so few subjects")
    elif not is_clear:
        reasons.append("the column name does not indicate that the rows belong to these people")
    confidence = _CONFIDENCES[best] if is_clear else 0.4
    return Choice(
        Candidate(columns=(columns[index].name,), confidence=confidence, evidence="; ".join(reasons)),
        index,
        is_clear,
    )


def _repeats(column: Column, sample: Sample) -> bool:
    occurrence = sample.occurrence
    needed = N_ROWS_EACH_OF_NAMES_MIN if column.kind is ColumnKind.name else N_ROWS_EACH_MIN
    return (
        occurrence.n_counted >= N_VALUES_MIN
        and occurrence.n_distinct >= 2
        and occurrence.n_rows_each >= needed
    )


def _rank(column: Column) -> int | None:
    """Return the rank of a column as the subject, or None if its values identify no person or thing."""
    words = headers.words_of(column.name)
    if column.kind in (ColumnKind.name, ColumnKind.identifier) and is_login(words):
        return _ACCOUNT
    if column.kind is ColumnKind.name and headers.name_form(words) in ("first", "last"):
        return None
    if column.kind is not ColumnKind.identifier:
        return _RANKS.get(column.kind)
    header = key_header(words)
    if header is None or header.role == "class":
        return None
    if header.role == "person":
        is_subject = headers.contains(words, headers.SUBJECTS) or not header.has_key
        return _KEY if is_subject or _is_compound(words) else _OTHER_PEOPLE
    return _ROW if header.role == "row" else _THING


def _is_main_person(column: Column) -> bool:
    """Return whether the column name indicates the people whom a table is about, unlike `director`."""
    words = headers.words_of(column.name)
    return headers.contains(words, headers.SUBJECTS) or headers.name_form(words) in ("full", "name")


def _is_compound(words: tuple[str, ...]) -> bool:
    """Return whether a single word joins a subject and a word for a key, such as `kundennummer`."""
    return len(words) == 1 and any(words[0].startswith(phrase) for phrase in headers.SUBJECTS)


def _main(group: list[int], joint: JointValues) -> int | None:
    """Return the column that all other columns determine, or that determines all other columns, or None."""
    if len(group) == 1:
        return group[0]
    for index in group:
        if all(joint.determines(other, index) for other in group if other != index):
            return index
    for index in group:
        if all(joint.determines(index, other) for other in group if other != index):
            return index
    return None
