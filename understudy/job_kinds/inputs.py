"""What several kinds check about the rows that their parameters name."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from typing import TYPE_CHECKING
from uuid import UUID

from understudy import access, ids
from understudy.access import JobPrincipal, Purpose, TableReference
from understudy.db import artifacts, dataset_tables, models
from understudy.db.dataset_tables import Table
from understudy.errors import InvalidInput
from understudy.job_kinds.base import StoredFile
from understudy.parameters.base import NAME_LENGTH_MAX, Json
from understudy.parameters.needs import Needs
from understudy.synthesizers import synthesizer_entry
from understudy.synthesizers.base import unsupported_by_synthesizer

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from understudy.db.orm import Model


def open_table(
    session: Session, project_id: UUID, dataset_id: str, name: str | None, purpose: Purpose
) -> Table:
    """Return a table that the parameters name; raises as `access.open_table`."""
    reference = TableReference(ids.from_text("dataset", dataset_id), name, pointer="/table")
    return access.open_table(session, JobPrincipal(project_id), reference, purpose)


def open_tables(
    session: Session, project_id: UUID, dataset_ids: Iterable[str], name: str | None
) -> list[Table]:
    """Return a table of each of some datasets to compare: that of the name, where a dataset has several.

    Raises
    ------
    InvalidInput
        With the code `table_required` or `unknown_table`; also if none of them has several, but a name is
        given.
    """
    principal = JobPrincipal(project_id)
    rows = [
        access.open_dataset(session, principal, ids.from_text("dataset", text), "evaluate")
        for text in dataset_ids
    ]
    has_names = any(row.n_tables > 1 for row in rows)
    return [
        dataset_tables.choose(
            session, row, None if has_names and row.n_tables == 1 else name, pointer="/table"
        )
        for row in rows
    ]


def table_file(session: Session, table: Table) -> StoredFile:
    """Return the stored Parquet of a table."""
    return stored_file(session, table.dataset.project_id, table.dataset.job_id, table.role)


def stored_file(session: Session, project_id: UUID, job_id: UUID, role: str) -> StoredFile:
    """Return the file that a job left, or raise `NotFound`."""
    artifact = artifacts.get(session, project_id, job_id, role)
    return StoredFile(artifact.storage_key, artifact.sha256, artifact.size_bytes)


def column_names(schema: Json | None) -> list[str]:
    """Return the names of a stored schema's columns; read as JSON, since parsing it needs Arrow."""
    assert schema is not None
    return [column["name"] for column in schema["columns"]]


def check_same_columns(table: Table, other: Table | Model) -> None:
    """Refuse two tables that differ in the names of their columns; types are compared by the work.

    Raises
    ------
    InvalidInput
        With the code `schema_mismatch` and the names that only one of them has.
    """
    one, two = set(column_names(table.table_schema)), set(column_names(other.table_schema))
    if one != two:
        listed = ", ".join(repr(name) for name in sorted(one ^ two)[:5])
        raise InvalidInput(
            f"{_text_id(table)} and {_text_id(other)} differ in their columns: only one of them has"
            f" {listed}. Give tables of the same columns.",
            code="schema_mismatch",
        )


def check_supports_constraints(model: Model) -> None:
    """Refuse a model whose synthesizer takes no control and does not impute.

    Raises
    ------
    InvalidInput
        With the code `unsupported_by_synthesizer`.
    """
    name = model.synthesizer["name"]
    if not synthesizer_entry(name).supports_constraints:
        raise unsupported_by_synthesizer(name)


def needs_of_model(session: Session, project_id: UUID, model_id: str) -> Needs:
    """Return what the synthesizer of a model needs of the worker that runs it."""
    model = models.get(session, project_id, ids.from_text("model", model_id))
    return synthesizer_entry(model.synthesizer["name"]).needs


def _text_id(row: Table | Model) -> str:
    if isinstance(row, Table):
        return f"Dataset {ids.to_text('dataset', row.dataset.id)}"
    return f"Model {ids.to_text('model', row.id)}"


def name_with_suffix(name: str, suffix: str) -> str:
    """Return the name of something that was made of another, short enough to be stored."""
    return name[: NAME_LENGTH_MAX - len(suffix)] + suffix


def new_seed() -> int:
    """Return a seed for a caller who gave none; 53 bits, so that it survives JavaScript's JSON."""
    return secrets.randbits(53)
