"""Changes that users make to the kinds, types, domains, roles and locale of a schema."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Literal, TypeVar

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from understudy.errors import InvalidInput
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.findings import ColumnFindings, Findings
from understudy.tables.inference import column_kind
from understudy.tables.notation import (
    AnyNotation,
    BooleanNotation,
    DurationNotation,
    Notation,
    NumberNotation,
    PlainNotation,
)
from understudy.tables.notations.writing import is_applicable
from understudy.tables.schema import (
    GENERATED_KINDS,
    Column,
    ColumnDomain,
    ColumnKind,
    DatasetSchema,
    TableSchema,
)

_DECLARED = "declared in a schema change"


class ColumnChange(BaseModel):
    """Changes to one column. Omitted fields keep their values or are derived from the other fields."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra={"examples": [{"kind": "name"}]})

    kind: Annotated[
        ColumnKind | None,
        Field(
            description="New kind of the column. By default, the column keeps its kind if the type can store "
            "it. Otherwise, the kind is derived from the type."
        ),
    ] = None
    arrow_type: Annotated[
        str | None,
        Field(
            description="New Arrow type of the stored values, such as `int64`. By default, the column keeps "
            "its type if the type can store the kind. Otherwise, the usual type of the kind is used."
        ),
    ] = None
    domain: Annotated[
        ColumnDomain | None,
        Field(
            description="Permitted values of the column. They must be public knowledge. Null removes the "
            "domain."
        ),
    ] = None
    notation: Annotated[
        Notation | None,
        Field(
            description="Notation for parsing values from text and for writing them to text formats. Null "
            "removes the notation."
        ),
    ] = None


class SchemaChange(BaseModel):
    """A merge patch (RFC 7396) for a table schema. The patch addresses columns by name."""

    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        json_schema_extra={
            "examples": [
                {"columns": {"zip": {"kind": "category"}}, "subject": ["customer_id"], "locale": "de"}
            ]
        },
    )

    columns: Annotated[
        Mapping[str, ColumnChange],
        Field(description="Changes by column name. Omitted columns do not change."),
    ] = {}
    primary_key: Annotated[
        tuple[str, ...] | None,
        Field(description="Names of the columns that identify a row. Null removes the primary key."),
    ] = None
    subject: Annotated[
        tuple[str, ...] | None,
        Field(
            description="Names of the columns that identify the person or other subject to whom a row "
            "belongs. Null removes the subject."
        ),
    ] = None
    order_by: Annotated[
        tuple[str, ...] | None,
        Field(
            description="Names of the columns that order the rows of one subject or parent row. Null removes "
            "the order."
        ),
    ] = None
    role: Annotated[
        Literal["data", "reference"] | None,
        Field(
            description="Role of the table: `data`, or `reference` for public lookup data. Null restores "
            "`data`."
        ),
    ] = None
    locale: Annotated[
        str | None,
        Field(
            description="Language and country of generated names and texts in the whole dataset, such as "
            "`de-at`. Null restores `en`."
        ),
    ] = None


# Default type for each kind, which is used if the current type cannot store the new kind. Durations and
# decimals have no default type.
_USUAL_TYPES: dict[ColumnKind, pa.DataType] = {
    ColumnKind.integer: pa.int64(),
    ColumnKind.float: pa.float64(),
    ColumnKind.boolean: pa.bool_(),
    ColumnKind.date: pa.date32(),
    ColumnKind.time: pa.time64("us"),
    ColumnKind.timestamp: pa.timestamp("us"),
    **dict.fromkeys((ColumnKind.category, *GENERATED_KINDS), pa.string()),
}


_ROLES = {"primary_key", "subject", "order_by", "role"}


def change_schema(
    schema: DatasetSchema, findings: Findings, change: SchemaChange, *, table: str
) -> tuple[DatasetSchema, Findings]:
    """Return the schema with one table changed, and the corresponding findings.

    This function does not check the values of the table. `validation.check_fits` checks them.

    Raises
    ------
    InvalidInput
        If a column does not exist, or if a kind cannot be stored in a type. The error has a JSON pointer to
        the faulty part of the change.
    """
    before = schema.tables[table]
    for name in change.columns:
        if name not in before.names:
            raise InvalidInput(
                f"The table has no column {name!r}. Correct the name of the column in the change.",
                code="unknown_column",
                pointer=f"/columns/{_escaped(name)}",
            )
    changed: dict[str, object] = {
        "columns": [_changed(column, change.columns.get(column.name)) for column in before.columns]
    }
    for name in change.model_fields_set & _ROLES:
        value = getattr(change, name)
        changed[name] = TableSchema.model_fields[name].default if value is None else value
    after = _validated(TableSchema, {**dict(before), **changed})
    tables = schema.tables | {table: after}
    locale = (change.locale or "en") if "locale" in change.model_fields_set else schema.locale
    whole = _validated(DatasetSchema, {**dict(schema), "tables": tables, "locale": locale})
    declared = [name for name, column in change.columns.items() if column.model_fields_set]
    return whole, _declared(findings, table, declared)


S = TypeVar("S", TableSchema, DatasetSchema)


def _validated(model: type[S], values: dict[str, object]) -> S:
    try:
        return model.model_validate(values)
    except ValidationError as error:
        message = error.errors()[0]["msg"].removeprefix("Value error, ")
        place = next((role for role in (*_ROLES, "locale") if role in message), "columns")
        raise InvalidInput(
            f"The changed schema is invalid: {message}. Correct `{place}` in the change.",
            code="invalid_parameters",
            pointer=f"/{place}",
        ) from None


def _declared(findings: Findings, table: str, names: list[str]) -> Findings:
    """Return the findings, with a confidence of 1 for the columns that the caller declared."""
    before = findings.table(table)
    declared = {name: ColumnFindings(confidence=1.0, evidence=_DECLARED) for name in names}
    changed = before.model_copy(update={"columns": before.columns | declared})
    return findings.model_copy(update={"tables": findings.tables | {table: changed}})


def _changed(column: Column, change: ColumnChange | None) -> Column:
    if change is None or not change.model_fields_set:
        return column
    pointer = f"/columns/{_escaped(column.name)}"
    try:
        type_ = parse_arrow_type(change.arrow_type or column.arrow_type)
    except InvalidInput as error:
        raise InvalidInput(error.detail, code=error.code, pointer=f"{pointer}/arrow_type") from None
    kind = change.kind or _default_kind(column, change, type_)
    if change.arrow_type is None and not can_hold(type_, kind):
        type_ = _usual_type(column.name, kind, pointer)
    if not can_hold(type_, kind):
        raise InvalidInput(
            f"Column {column.name!r} cannot have both kind {kind.value} and type {type_}. "
            "Leave out `kind` or `arrow_type`.",
            code="unsupported_column",
            pointer=pointer,
        )
    domain = change.domain if "domain" in change.model_fields_set else column.domain
    return column.model_copy(
        update={
            "kind": kind,
            "arrow_type": str(type_),
            "domain": domain,
            "notation": _notation(column, change, type_, pointer),
        }
    )


def _default_kind(column: Column, change: ColumnChange, type_: pa.DataType) -> ColumnKind:
    """Return the kind of a column if the change does not specify a kind."""
    notation = change.notation
    if notation is not None and change.arrow_type is None and not _fits(notation, type_):
        if isinstance(notation, NumberNotation):
            return ColumnKind.float
        if isinstance(notation, BooleanNotation):
            return ColumnKind.boolean
        if isinstance(notation, DurationNotation):
            return ColumnKind.duration
        assert not isinstance(notation, PlainNotation)
        is_date = notation.has_date and not notation.has_time
        return ColumnKind.date if is_date else ColumnKind.timestamp if notation.has_date else ColumnKind.time
    return column.kind if can_hold(type_, column.kind) else column_kind(type_)


def _notation(column: Column, change: ColumnChange, type_: pa.DataType, pointer: str) -> AnyNotation | None:
    """Return the notation after a change. The previous notation is kept only if the new type supports it."""
    if "notation" not in change.model_fields_set:
        before = column.notation
        return before if before is not None and _fits(before, type_) else None
    if change.notation is not None and not _fits(change.notation, type_):
        raise InvalidInput(
            f"The notation of column {column.name!r} cannot represent values of type {type_}. "
            "Set a `kind` that fits the notation.",
            code="invalid_parameters",
            pointer=f"{pointer}/notation",
        )
    return change.notation


def _fits(notation: AnyNotation, type_: pa.DataType) -> bool:
    return isinstance(notation, PlainNotation) or is_applicable(notation, type_)


def can_hold(type_: pa.DataType, kind: ColumnKind) -> bool:
    """Return whether values of a kind can be stored in a type."""
    own = column_kind(type_)
    if kind is ColumnKind.coordinates and own in (ColumnKind.float, ColumnKind.decimal):
        return True
    if kind in GENERATED_KINDS:
        return own in (ColumnKind.category, ColumnKind.integer)
    if kind is ColumnKind.category:
        return own in (ColumnKind.category, ColumnKind.integer, ColumnKind.boolean)
    return own is kind


def _usual_type(name: str, kind: ColumnKind, pointer: str) -> pa.DataType:
    if kind not in _USUAL_TYPES:
        raise InvalidInput(
            f"Column {name!r} has kind {kind.value}, which has no default type. "
            "Set its `arrow_type`, for example to `duration[s]` or `decimal128(10, 2)`.",
            code="invalid_parameters",
            pointer=f"{pointer}/arrow_type",
        )
    return _USUAL_TYPES[kind]


def _escaped(name: str) -> str:
    """Return a name escaped for use in a JSON pointer (RFC 6901)."""
    return name.replace("~", "~0").replace("/", "~1")
