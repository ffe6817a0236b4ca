"""Subjects and holdouts on the command line. `fit` sets rows aside, and `evaluate` repeats the split."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from understudy.cli.inputs import existing_file
from understudy.errors import InvalidInput
from understudy.synthesizers.contexts import root_tables
from understudy.synthesizers.files import read_manifest
from understudy.tables.schema import DatasetSchema, TableSchema
from understudy.tables.split import Split


def subject_of_options(subject: Sequence[str] | None, *, no_subject: bool) -> Sequence[str] | None:
    """Return the subject columns that an option names, () for `--no-subject`, or None if no option is given.

    Raises
    ------
    InvalidInput
        If both options are given.
    """
    if subject and no_subject:
        raise InvalidInput(
            "--subject and --no-subject cannot be combined. Give only one of them.", code="invalid_parameters"
        )
    return () if no_subject else subject or None


def with_subject(schema: TableSchema, subject: Sequence[str] | None) -> TableSchema:
    """Return the schema with the given subject columns. If they are None, the schema is unchanged.

    Raises
    ------
    InvalidInput
        If the table has no column with one of the names, or a name is given twice.
    """
    if subject is None:
        return schema
    for name in subject:
        schema.column(name)
    if len(set(subject)) < len(subject):
        raise InvalidInput(
            "--subject names a column twice. Name each column only once.", code="invalid_parameters"
        )
    return schema.model_copy(update={"subject": tuple(subject)})


def with_subject_of(schema: DatasetSchema, table: str, subject: Sequence[str] | None) -> DatasetSchema:
    """Return the dataset schema with the given subject columns in one table. None leaves it unchanged."""
    changed = with_subject(schema.tables[table], subject)
    return schema.model_copy(update={"tables": {**schema.tables, table: changed}})


def split_of_model(path: Path) -> tuple[Split, tuple[str, ...]]:
    """Return the split that was applied before a model was fitted, and the subject columns.

    Raises
    ------
    InvalidInput
        If no rows were set aside.
    """
    manifest = read_manifest(existing_file(path))
    extra = manifest.extra
    if not extra.get("holdout_fraction"):
        raise InvalidInput(
            f"{path} was fitted on all rows of its table, so there is no holdout. Fit it again with "
            "fit --holdout SHARE, or pass other real rows with evaluate --holdout FILE.",
            code="invalid_parameters",
        )
    (name,) = root_tables(manifest.schema_)
    return Split.model_validate(extra), manifest.schema_.tables[name].subject
