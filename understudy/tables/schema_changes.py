"""Changes of a schema that its user asks for: other kinds, other types, a subject, a locale."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from understudy.errors import InvalidInput
from understudy.tables.inference import column_kind
from understudy.tables.schema import (
    MADE_ANEW_KINDS,
    Column,
    ColumnKind,
    Schema,
    parse_arrow_type,
)

_USER_SAID = "the schema was changed to say so"


class ColumnChange(BaseModel):
    """What is to be another about a column; what is left out stays, or follows from the rest."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"kind": "name"}]})

    kind: Annotated[ColumnKind | None, Field(description="What its values mean.")] = None
    arrow_type: Annotated[
        str | None, Field(description="The Arrow type of its values; else the kind's usual one.")
    ] = None


class SchemaChange(BaseModel):
    """A merge patch of a schema (RFC 7396), in which columns are addressed by their names."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [{"columns": {"zip": {"kind": "category"}}, "subject": "customer_id", "locale": "de"}]
        },
    )

    columns: Annotated[
        Mapping[str, ColumnChange], Field(description="By name; columns that are left out stay as they are.")
    ] = {}
    subject: Annotated[
        str | None, Field(description="The column that says whose row it is; null for none.")
    ] = None
    locale: Annotated[str | None, Field(description="Such as `de-at`; null for `en`.")] = None


# The type that a kind is kept in, where the present one cannot hold it; durations and decimals have none.
_USUAL_TYPES: dict[ColumnKind, pa.DataType] = {
    ColumnKind.integer: pa.int64(),
    ColumnKind.float: pa.float64(),
    ColumnKind.boolean: pa.bool_(),
    ColumnKind.date: pa.date32(),
    ColumnKind.time: pa.time64("us"),
    ColumnKind.timestamp: pa.timestamp("us"),
    **dict.fromkeys((ColumnKind.category, *MADE_ANEW_KINDS), pa.string()),
}


def change_schema(schema: Schema, change: SchemaChange) -> Schema:
    """Return the changed schema; whether the values fit it is `validation.check_fits`'s to say.

    Raises
    ------
    InvalidInput
        If a column is not there, or a kind cannot be held by a type; with a pointer to the place.
    """
    for name in change.columns:
        if name not in schema.names:
            raise InvalidInput(
                f"The table has no column {name!r}; columns can be changed, not added.",
                code="unknown_column",
                pointer=f"/columns/{_escaped(name)}",
            )
    changed = {"columns": [_changed(column, change.columns.get(column.name)) for column in schema.columns]}
    for name in change.model_fields_set & {"subject", "locale"}:
        value = getattr(change, name)
        changed[name] = Schema.model_fields[name].default if value is None else value
    try:
        return Schema.model_validate({**dict(schema), **changed})
    except ValidationError as error:
        place = "subject" if "subject" in str(error) else "locale"
        raise InvalidInput(
            error.errors()[0]["msg"].removeprefix("Value error, ") + ".",
            code="invalid_parameters",
            pointer=f"/{place}",
        ) from None


def _changed(column: Column, change: ColumnChange | None) -> Column:
    if change is None or not change.model_fields_set:
        return column
    pointer = f"/columns/{_escaped(column.name)}"
    try:
        type_ = parse_arrow_type(change.arrow_type or column.arrow_type)
    except InvalidInput as error:
        raise InvalidInput(error.detail, code=error.code, pointer=f"{pointer}/arrow_type") from None
    kind = change.kind or (column.kind if can_hold(type_, column.kind) else column_kind(type_))
    if change.arrow_type is None and not can_hold(type_, kind):
        type_ = _usual_type(column.name, kind, pointer)
    if not can_hold(type_, kind):
        raise InvalidInput(
            f"Column {column.name!r} cannot be of kind {kind.value} and of type {type_}. Leave one out.",
            code="unsupported_column",
            pointer=pointer,
        )
    return column.model_copy(update={"kind": kind, "arrow_type": str(type_), "evidence": _USER_SAID})


def can_hold(type_: pa.DataType, kind: ColumnKind) -> bool:
    """Return whether values of a kind can be kept in a type."""
    own = column_kind(type_)
    if kind in MADE_ANEW_KINDS:
        return own in (ColumnKind.category, ColumnKind.integer)
    if kind is ColumnKind.category:
        return own in (ColumnKind.category, ColumnKind.integer, ColumnKind.boolean)
    return own is kind


def _usual_type(name: str, kind: ColumnKind, pointer: str) -> pa.DataType:
    if kind not in _USUAL_TYPES:
        raise InvalidInput(
            f"Name the `arrow_type` of column {name!r}, such as duration[s] or decimal128(10, 2): "
            f"the kind {kind.value} has no usual one.",
            code="invalid_parameters",
            pointer=f"{pointer}/arrow_type",
        )
    return _USUAL_TYPES[kind]


def _escaped(name: str) -> str:
    """Return a name as a part of a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
