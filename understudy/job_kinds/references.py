"""What several kinds check about the rows that their parameters name."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING
from uuid import UUID

from understudy import ids
from understudy.db import artifacts, datasets
from understudy.errors import Conflict, InvalidInput
from understudy.job_kinds.base import Json, StoredFile
from understudy.synthesizers import synthesizer_entry
from understudy.synthesizers.control import not_controllable

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from understudy.db.orm import Dataset, Model

NAME_LENGTH_MAX = 255


def ready_dataset(session: Session, project_id: UUID, dataset_id: str) -> Dataset:
    """Return a dataset that can be read.

    Raises
    ------
    NotFound
        If there is none of that id in the project.
    Conflict
        If its `ingest` has not succeeded, or not yet.
    """
    dataset = datasets.get(session, project_id, ids.from_text("dataset", dataset_id))
    if dataset.state == "pending":
        raise Conflict(
            f"Dataset {dataset_id} is still being read; wait until its job has succeeded.", code="not_ready"
        )
    if dataset.state != "ready":
        raise Conflict(
            f"Dataset {dataset_id} could not be read; upload the file again when it is mended.",
            code="not_ready",
        )
    return dataset


def stored_file(session: Session, project_id: UUID, job_id: UUID, role: str) -> StoredFile:
    """Return the file that a job left, or raise `NotFound`."""
    artifact = artifacts.get(session, project_id, job_id, role)
    return StoredFile(artifact.storage_key, artifact.sha256, artifact.size_bytes)


def column_names(schema: Json | None) -> list[str]:
    """Return the names of a stored schema's columns; read as JSON, since parsing it needs Arrow."""
    assert schema is not None
    return [column["name"] for column in schema["columns"]]


def check_same_columns(dataset: Dataset, other: Dataset | Model) -> None:
    """Refuse two tables that differ in the names of their columns; types are compared by the work.

    Raises
    ------
    InvalidInput
        With the code `schema_mismatch` and the names that only one of them has.
    """
    one, two = set(column_names(dataset.table_schema)), set(column_names(other.table_schema))
    if one != two:
        listed = ", ".join(repr(name) for name in sorted(one ^ two)[:5])
        raise InvalidInput(
            f"{_text_id(dataset)} and {_text_id(other)} differ in their columns: only one of them has"
            f" {listed}. Give tables of the same columns.",
            code="schema_mismatch",
        )


def check_controllable(model: Model) -> None:
    """Refuse a model whose synthesizer takes no control and does not impute.

    Raises
    ------
    InvalidInput
        With the code `not_controllable`.
    """
    name = model.synthesizer["name"]
    if not synthesizer_entry(name).is_controllable:
        raise not_controllable(name)


def _text_id(row: Dataset | Model) -> str:
    noun = row.__tablename__.removesuffix("s")
    return f"{noun.capitalize()} {ids.to_text(noun, row.id)}"


def name_with_suffix(name: str, suffix: str) -> str:
    """Return the name of something that was made of another, short enough to be stored."""
    return name[: NAME_LENGTH_MAX - len(suffix)] + suffix


def new_seed() -> int:
    """Return a seed for a caller who gave none; 53 bits, so that it survives JavaScript's JSON."""
    return secrets.randbits(53)
