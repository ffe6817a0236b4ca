"""What can be done with the schema of a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import UUID

from understudy import ids
from understudy.db import artifacts, dataset_tables, datasets
from understudy.errors import Conflict, PreconditionFailed
from understudy.resources import Resources
from understudy.services.artifacts import open_artifact
from understudy.tables.findings import Findings
from understudy.tables.names import DEFAULT_NAME
from understudy.tables.schema import Column, DatasetSchema
from understudy.tables.schema_changes import SchemaChange, change_schema
from understudy.tables.sdv_metadata import read_metadata
from understudy.tables.stored_schemas import read_stored, write_stored

if TYPE_CHECKING:
    from understudy.db.orm import Artifact


@dataclass(frozen=True)
class VersionedSchema:
    """The schema of a table with its findings, and the version of the dataset that has it."""

    schema: DatasetSchema
    findings: Findings
    version: int


def update_schema(
    resources: Resources,
    project_id: UUID,
    dataset_id: UUID,
    change: SchemaChange,
    *,
    version: int | None = None,
    table: str | None = None,
    validate_only: bool = False,
) -> VersionedSchema:
    """Change the schema of a dataset, or of one of its tables, if all values fit; what is stored stays.

    Parameters
    ----------
    version : int, optional
        The version that the caller has seen; without one, the present one.
    validate_only : bool
        Whether to change nothing.

    Raises
    ------
    NotFound, Conflict
        If there is no such dataset, or it is not ready.
    PreconditionFailed
        If it is another version by now.
    InvalidInput
        If the change cannot be made, or values do not fit.
    """
    with resources.sessions() as session:
        row = datasets.get(session, project_id, dataset_id)
        check_ready(row.state, dataset_id)
        chosen = dataset_tables.choose(session, row, table)
        artifact = artifacts.get(session, project_id, row.job_id, chosen.role)
    if version is not None and version != row.version:
        raise PreconditionFailed(
            f"The schema of dataset {ids.to_text('dataset', dataset_id)} was changed since it was read. "
            "Read it again and repeat the change."
        )
    before = read_stored(chosen.table_schema)
    after = change_schema(*before, change, table=DEFAULT_NAME)
    old, new = (schema.tables[DEFAULT_NAME] for schema, _ in (before, after))
    if retyped := [c for c in new.columns if c.arrow_type != old.column(c.name).arrow_type]:
        _check_fits(resources, artifact, retyped)
    if validate_only or after == before:
        return VersionedSchema(*after, row.version)
    with resources.sessions.begin() as session:
        row = dataset_tables.set_schema(session, chosen, write_stored(*after))
    return VersionedSchema(*after, row.version)


def apply_metadata(
    resources: Resources,
    project_id: UUID,
    dataset_id: UUID,
    document: object,
    *,
    version: int | None = None,
    table: str | None = None,
) -> tuple[VersionedSchema, list[str]]:
    """Change the schema of a dataset to what SDV's metadata say; return it, and what was not used of them.

    Raises as `update_schema`, and `InvalidInput` for other JSON.
    """
    with resources.sessions() as session:
        row = datasets.get(session, project_id, dataset_id)
        check_ready(row.state, dataset_id)
        # Of a dataset of one table, the name is that of the metadata alone.
        own_table = table if row.n_tables > 1 else None
        chosen = dataset_tables.choose(session, row, own_table)
    (schema,) = read_stored(chosen.table_schema)[0].tables.values()
    understood = read_metadata(document, schema, table=table)
    # Of the version that the metadata were read against, if the caller names none.
    seen = row.version if version is None else version
    changed = update_schema(
        resources, project_id, dataset_id, understood.change, version=seen, table=own_table
    )
    return changed, understood.warnings


def check_ready(state: str, dataset_id: UUID) -> None:
    """Raise `Conflict` if a dataset cannot be used."""
    remedy = {
        "pending": "is still being read; wait for its job (GET /v1/jobs/{id} with `Prefer: wait=60`)",
        "failed": "could not be read; its `error` says why",
    }
    if state != "ready":
        raise Conflict(f"Dataset {ids.to_text('dataset', dataset_id)} {remedy[state]}.", code="not_ready")


def _check_fits(resources: Resources, artifact: Artifact, columns: list[Column]) -> None:
    # Only here is the table itself looked at; the API starts without it.
    from understudy.tables.validation import check_fits

    open_artifact(resources, artifact).close()
    with TemporaryDirectory(dir=resources.staging_folder, prefix="schema-") as scratch:
        check_fits(resources.store.local_path(artifact.storage_key, Path(scratch)), columns)
