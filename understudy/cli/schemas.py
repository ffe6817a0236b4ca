"""Schema files of commands: Understudy schemas or SDV metadata."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
from pydantic import ValidationError

from understudy.cli.inputs import existing_file
from understudy.cli.terminal import notices
from understudy.errors import InvalidInput
from understudy.tables.findings import Findings
from understudy.tables.inference import describe_subject, examine, infer_schema
from understudy.tables.schema import DatasetSchema
from understudy.tables.schema_changes import change_schema
from understudy.tables.sdv_metadata import is_metadata, read_metadata
from understudy.tables.source import ArrowSource
from understudy.tables.stored_schemas import read_stored
from understudy.tables.validation import conform

_SUBJECT_OPTIONS = "The options are --subject COLUMN and --no-subject."

Described = tuple[DatasetSchema, Findings]


def read_schema_file(path: Path) -> object:
    """Return the JSON document in a schema file. SDV metadata contains only a partial description of a table.

    Raises
    ------
    InvalidInput
        If the file contains neither a schema nor SDV metadata.
    """
    try:
        document = json.loads(existing_file(path).read_bytes())
        if not is_metadata(document):
            _described(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "document"
        raise InvalidInput(f"{path} is not a schema: {where}: {first['msg']}.") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput(
            f"{path} does not contain a schema, because it is not valid JSON. Correct its syntax."
        ) from error
    return document


def schema_of(table: pa.Table, document: object, *, name: str, has_subject: bool = False) -> DatasetSchema:
    """Return the schema of a dataset with one table, inferred or taken from a document.

    Parameters
    ----------
    document : object
        Result of `read_schema_file`, or None.
    name : str
        Name of the table.
    has_subject : bool
        Whether the caller sets the subject. If not, a notice names the inferred subject.

    Raises
    ------
    InvalidInput
        If the document describes several tables, but none with this name.
    """
    if document is not None and not is_metadata(document):
        declared, findings = _renamed(_described(document), name)
        if "tables" in document:  # type: ignore[operator]  # a JSON object: it was validated as one
            return declared
        # The schema of a single table may contain columns that have not been examined yet. Such columns are
        # examined here.
        rows = conform(table, declared.tables[name])
        examined = examine(rows, declared.tables[name], findings.table(name)).schema
        return declared.model_copy(update={"tables": {name: examined}})
    inferred = infer_schema({name: ArrowSource(table)})
    if document is None:
        note = describe_subject(inferred.schema.tables[name], inferred.findings.table(name))
        if note and not has_subject:
            notices().print(f"{note} {_SUBJECT_OPTIONS}", markup=False, soft_wrap=True)
        return inferred.schema
    named = name if has_table(document, name) else None
    understood = read_metadata(document, inferred.schema.tables[name], table=named)
    for warning in understood.warnings:
        notices().print(warning, markup=False)
    return change_schema(*inferred, understood.change, table=name)[0]


def has_table(document: object, name: str) -> bool:
    """Return whether SDV metadata describes a table."""
    tables = document.get("tables") if isinstance(document, dict) else None
    return isinstance(tables, dict) and name in tables


def _described(document: object) -> Described:
    if isinstance(document, dict) and "tables" in document:
        return DatasetSchema.model_validate(document), Findings()
    return read_stored(document)


def _renamed(described: Described, name: str) -> Described:
    """Return the schema and findings of one table, under the given name."""
    schema, findings = described
    declared_name = name if name in schema.tables else next(iter(schema.tables))
    if declared_name != name and len(schema.tables) > 1:
        raise InvalidInput(
            f"The schema describes {len(schema.tables)} tables, but none is named {name!r}. "
            "In the schema, rename the table to the name of the file without its suffix.",
            code="unknown_table",
        )
    update = {"tables": {name: schema.tables[declared_name]}, "relationships": ()}
    tables = {name: findings.table(declared_name)}
    return schema.model_copy(update=update), findings.model_copy(update={"tables": tables})
