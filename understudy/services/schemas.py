"""Use cases of dataset schemas: read, change, and apply SDV metadata."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING
from uuid import UUID

from understudy import ids
from understudy.access import TableReference
from understudy.db import dataset_tables, datasets
from understudy.errors import PreconditionFailed
from understudy.resources import Resources
from understudy.services.access import open_dataset, open_file, open_table
from understudy.services.api_keys import Caller
from understudy.services.artifacts import local_table, scratch_folder
from understudy.tables.findings import Findings
from understudy.tables.schema import Column, DatasetSchema, TableSchema
from understudy.tables.schema_changes import SchemaChange, change_schema
from understudy.tables.sdv_metadata import read_metadata
from understudy.tables.validation import check_fits

if TYPE_CHECKING:
    from understudy.db.dataset_tables import Table
    from understudy.db.orm import Artifact


@dataclass(frozen=True)
class VersionedSchema:
    """The schema and findings of a dataset, with the version of the dataset."""

    schema: DatasetSchema
    findings: Findings
    version: int


@dataclass(frozen=True)
class VersionedTableSchema(VersionedSchema):
    """The schema and findings of a dataset, with the name of one table."""

    table: str

    @property
    def table_schema(self) -> TableSchema:
        """The schema of the table."""
        return self.schema.tables[self.table]


@dataclass(frozen=True)
class SchemaEdit:
    """A change to a schema.

    Parameters
    ----------
    version : int, optional
        The version of the dataset that the change is based on. By default, the current version is changed.
    is_dry_run : bool
        Whether to only check the change, without storing it.
    """

    change: SchemaChange
    version: int | None = None
    is_dry_run: bool = False


def read_dataset_schema(resources: Resources, caller: Caller, dataset_id: UUID) -> VersionedSchema:
    """Return the schema of all tables of a dataset. Raise the same errors as `access.open_dataset`."""
    opened = open_dataset(resources, caller, dataset_id, "see")
    schema = DatasetSchema.model_validate(dataset_tables.dataset_schema(opened.tables))
    findings = Findings.model_validate(dataset_tables.dataset_findings(opened.tables))
    return VersionedSchema(schema, findings, opened.dataset.version)


def read_schema(resources: Resources, caller: Caller, reference: TableReference) -> VersionedTableSchema:
    """Return the schema of a table. Raise the same errors as `access.open_table`."""
    table = open_table(resources, caller, reference, "see")
    return VersionedTableSchema(*_parse(table), table.dataset.version, table.name)


def update_schema(
    resources: Resources, caller: Caller, reference: TableReference, edit: SchemaEdit
) -> VersionedTableSchema:
    """Change the schema of a table if all its values fit. The stored values do not change.

    Raises
    ------
    NotFound, Conflict
        Under the same conditions as `access.open_table`.
    PreconditionFailed
        If the change is based on a version other than the current version of the dataset.
    InvalidInput
        If the change is invalid or values do not fit the new types.
    """
    table = open_table(resources, caller, reference, "see")
    version = table.dataset.version
    if edit.version not in (None, version):
        raise PreconditionFailed(
            f"The schema of dataset {ids.to_text('dataset', reference.dataset_id)} has changed since it was"
            " read. Read it again and repeat the change."
        )
    before = _parse(table)
    after = change_schema(*before, edit.change, table=table.name)
    old, new = (schema.tables[table.name] for schema, _ in (before, after))
    if retyped := [c for c in new.columns if c.arrow_type != old.column(c.name).arrow_type]:
        _check_fits(resources, open_file(resources, caller, reference, "see").parts, retyped)
    if not edit.is_dry_run and after != before:
        version = _store(resources, table, *after)
    return VersionedTableSchema(*after, version, table.name)


def apply_metadata(
    resources: Resources,
    caller: Caller,
    reference: TableReference,
    document: object,
    *,
    version: int | None = None,
) -> tuple[VersionedTableSchema, list[str]]:
    """Apply SDV metadata to a schema, and return the schema and warnings about unused metadata.

    Raise the same errors as `update_schema`, and `InvalidInput` if the document is not SDV metadata.
    """
    hint = replace(reference, is_hint=True)
    before = read_schema(resources, caller, hint)
    understood = read_metadata(document, before.table_schema, table=reference.table or before.table)
    # If the caller specifies no version, the change is based on the version that was read here.
    edit = SchemaEdit(understood.change, before.version if version is None else version)
    return update_schema(resources, caller, hint, edit), understood.warnings


def _parse(table: Table) -> tuple[DatasetSchema, Findings]:
    schema = DatasetSchema.model_validate(table.dataset_schema)
    return schema, Findings.model_validate(table.dataset_findings)


def _store(resources: Resources, table: Table, schema: DatasetSchema, findings: Findings) -> int:
    """Replace the schema of a table and the locale of its dataset, and return the new version."""
    dataset = table.dataset
    stored_schema = schema.tables[table.name].model_dump(mode="json")
    stored_findings = findings.table(table.name).model_dump(mode="json")
    with resources.sessions.begin() as session:
        row = datasets.set_locale(
            session, dataset.project_id, dataset.id, schema.locale, version=dataset.version
        )
        dataset_tables.set_schema(
            session, row, table.position, schema=stored_schema, findings=stored_findings
        )
        return row.version


def _check_fits(resources: Resources, parts: Sequence[Artifact], columns: list[Column]) -> None:
    with (
        scratch_folder(resources, "schema-") as scratch,
        local_table(resources, parts, scratch) as path,
    ):
        check_fits(path, columns)
