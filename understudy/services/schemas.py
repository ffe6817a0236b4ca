"""What can be done with the schema of a dataset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from understudy import ids
from understudy.access import TableReference
from understudy.db import dataset_tables
from understudy.errors import PreconditionFailed
from understudy.resources import Resources
from understudy.services.access import open_dataset, open_file, open_table
from understudy.services.api_keys import Caller
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


@dataclass(frozen=True)
class SchemaEdit:
    """A change of a schema.

    Parameters
    ----------
    version : int, optional
        The version of the dataset that the caller has read; without it, the present one is changed.
    is_dry_run : bool
        Whether to check the change and store nothing.
    """

    change: SchemaChange
    version: int | None = None
    is_dry_run: bool = False


def read_schema(resources: Resources, caller: Caller, reference: TableReference) -> VersionedSchema:
    """Return the schema of a table; raises as `access.open_table`."""
    table = open_table(resources, caller, reference, "see")
    return VersionedSchema(*read_stored(table.table_schema), table.dataset.version)


def update_schema(
    resources: Resources, caller: Caller, reference: TableReference, edit: SchemaEdit
) -> VersionedSchema:
    """Change the schema of a table if all its values fit; the stored values stay as they are.

    Raises
    ------
    NotFound, Conflict
        As `access.open_table`.
    PreconditionFailed
        If the dataset has another version by now.
    InvalidInput
        If the change cannot be made, or values do not fit.
    """
    opened = open_file(resources, caller, reference, "see")
    table, version = opened.table, opened.table.dataset.version
    if edit.version not in (None, version):
        raise PreconditionFailed(
            f"The schema of dataset {ids.to_text('dataset', reference.dataset_id)} was changed since it was"
            " read. Read it again and repeat the change."
        )
    before = read_stored(table.table_schema)
    after = change_schema(*before, edit.change, table=DEFAULT_NAME)
    old, new = (schema.tables[DEFAULT_NAME] for schema, _ in (before, after))
    if retyped := [c for c in new.columns if c.arrow_type != old.column(c.name).arrow_type]:
        _check_fits(resources, opened.artifact, retyped)
    if edit.is_dry_run or after == before:
        return VersionedSchema(*after, version)
    with resources.sessions.begin() as session:
        row = dataset_tables.set_schema(session, table, write_stored(*after))
    return VersionedSchema(*after, row.version)


def apply_metadata(
    resources: Resources,
    caller: Caller,
    reference: TableReference,
    document: object,
    *,
    version: int | None = None,
) -> tuple[VersionedSchema, list[str]]:
    """Change a schema to what SDV's metadata say; return it and what of the metadata was not used.

    Raises as `update_schema`, and `InvalidInput` for other JSON.
    """
    opened = open_dataset(resources, caller, reference.dataset_id, "see")
    # Of a dataset of one table, the name is that of the metadata alone.
    is_named = opened.dataset.n_tables > 1
    own = reference if is_named else TableReference(reference.dataset_id)
    before = read_schema(resources, caller, own)
    understood = read_metadata(document, before.schema.tables[DEFAULT_NAME], table=reference.table)
    # Of the version that the metadata were read against, if the caller names none.
    edit = SchemaEdit(understood.change, before.version if version is None else version)
    return update_schema(resources, caller, own, edit), understood.warnings


def _check_fits(resources: Resources, artifact: Artifact, columns: list[Column]) -> None:
    # Only here is the table itself looked at; the API starts without it.
    from understudy.tables.validation import check_fits

    open_artifact(resources, artifact).close()
    with TemporaryDirectory(dir=resources.staging_folder, prefix="schema-") as scratch:
        check_fits(resources.store.local_path(artifact.storage_key, Path(scratch)), columns)
