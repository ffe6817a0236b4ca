"""Schemas that are given to commands as files: our own, or SDV's metadata."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow as pa
from pydantic import ValidationError

from understudy.cli.inputs import existing_file
from understudy.cli.terminal import notices
from understudy.errors import InvalidInput
from understudy.tables.inference import infer_schema
from understudy.tables.schema import Schema
from understudy.tables.schema_changes import change_schema
from understudy.tables.sdv_metadata import is_metadata, read_metadata


def read_schema_file(path: Path) -> object:
    """Return a schema, or the JSON of SDV's metadata, which say only in part what a table is.

    Raises
    ------
    InvalidInput
        If the file is neither.
    """
    try:
        document = json.loads(existing_file(path).read_bytes())
        return document if is_metadata(document) else Schema.model_validate(document)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(step) for step in first["loc"]) or "the whole"
        raise InvalidInput(f"{path} is not a schema: {where}: {first['msg']}.") from error
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"{path} is not a schema: it is not JSON.") from error


def schema_of(table: pa.Table, said: object, *, name: str) -> Schema:
    """Return the schema that a file says, or the inferred one with what metadata change about it.

    Parameters
    ----------
    said : object
        As `read_schema_file` returned it, or None.
    name : str
        Of the table, where metadata are of several.
    """
    if isinstance(said, Schema):
        return said
    inferred = infer_schema(table)
    if said is None:
        return inferred
    understood = read_metadata(said, inferred, table=name if has_table(said, name) else None)
    for warning in understood.warnings:
        notices().print(warning, markup=False)
    return change_schema(inferred, understood.change)


def has_table(document: object, name: str) -> bool:
    """Return whether metadata name a table."""
    tables = document.get("tables") if isinstance(document, dict) else None
    return isinstance(tables, dict) and name in tables
