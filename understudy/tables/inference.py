"""What kind a column is, decided from the type that it is stored in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.tables.schema import Column, ColumnKind, Schema

# What is said of the values of a kind; the evidence in a schema is made of it.
_WORDS: dict[ColumnKind, str] = {
    ColumnKind.integer: "whole numbers",
    ColumnKind.float: "numbers",
    ColumnKind.decimal: "decimal numbers of fixed scale",
    ColumnKind.boolean: "true or false",
    ColumnKind.category: "text",
    ColumnKind.date: "dates",
    ColumnKind.time: "times of day",
    ColumnKind.timestamp: "points in time",
    ColumnKind.duration: "durations",
}

_REMEDY = "Leave the column out, or store it as numbers, text, dates or true/false."


def infer_schema(table: pa.Table) -> Schema:
    """Return the schema of a table, from the types and the missing values of its columns.

    Raises
    ------
    InvalidInput
        If there is no column, if names are empty or not unique, or if a column's type cannot be stored.

    Notes
    -----
    `nullable` is what the Arrow field declares, so that a table made after the schema has the very type of
    the table it was inferred from. Ingest declares it: as the file does for Parquet; for CSV, which declares
    nothing, a column is nullable if and only if a value is missing.
    """
    n_missing = [column.null_count for column in table.columns]
    return describe_columns(table.schema, n_rows=table.num_rows, n_missing=n_missing)


def describe_columns(
    arrow_schema: pa.Schema,
    *,
    n_rows: int,
    n_missing: Sequence[int],
    notes: Mapping[str, str] | None = None,
) -> Schema:
    """Return the schema of a table that was counted while it streamed by.

    Parameters
    ----------
    n_missing : sequence of int
        For each column how many values are missing.
    notes : mapping of column name to a sentence, optional
        What else led to the type; appended to the evidence.
    """
    check_names(arrow_schema.names)
    notes = notes or {}
    return Schema(
        columns=tuple(
            _describe(field, n_rows, missing, notes.get(field.name))
            for field, missing in zip(arrow_schema, n_missing, strict=True)
        )
    )


def check_names(names: Sequence[str]) -> None:
    """Refuse names that are empty, too long, not unique or hold a zero character, and tables without columns.

    Raises
    ------
    InvalidInput
        With the positions of the names, the first column being column 1.
    """
    if not names:
        raise InvalidInput("The table has no columns; it needs at least one.", code="no_columns")
    empty = [position for position, name in enumerate(names, start=1) if not name.strip()]
    long = [position for position, name in enumerate(names, start=1) if len(name) > 255]
    # PostgreSQL keeps no NUL.
    zero = [position for position, name in enumerate(names, start=1) if "\0" in name]
    if empty or long or zero:
        fault, positions = ("is empty", empty) if empty else ("is longer than 255 characters", long)
        fault, positions = (fault, positions) if positions else ("holds a zero character", zero)
        raise InvalidInput(
            f"The name of {_positions(positions)} {fault}. Name every column, in at most 255 characters.",
            code="invalid_header",
        )
    _check_unique(names)


def _check_unique(names: Sequence[str]) -> None:
    first: dict[str, int] = {}
    for position, name in enumerate(names, start=1):
        if first.setdefault(name, position) != position:
            raise InvalidInput(
                f"Columns {first[name]} and {position} have the same name, {name!r}. Rename one of them.",
                code="invalid_header",
            )


def _positions(positions: Sequence[int]) -> str:
    shown = ", ".join(str(position) for position in positions[:10])
    if len(positions) == 1:
        return f"column {shown}"
    return f"columns {shown}" + (f" and {len(positions) - 10} more" if len(positions) > 10 else "")


def _describe(field: pa.Field[Any], n_rows: int, n_missing: int, note: str | None) -> Column:
    type_ = storable_type(field.name, field.type)
    kind = column_kind(type_)
    evidence = _evidence(kind, n_rows, n_missing)
    return Column(
        name=field.name,
        kind=kind,
        arrow_type=str(type_),
        nullable=field.nullable,
        evidence=f"{evidence}; {note}" if note else evidence,
    )


def _evidence(kind: ColumnKind, n_rows: int, n_missing: int) -> str:
    if n_rows == n_missing:
        return f"all {n_rows:,} values are missing"
    if n_missing == 0:
        return f"all {n_rows:,} values are {_WORDS[kind]}"
    return f"all {n_rows - n_missing:,} values present are {_WORDS[kind]}; {n_missing:,} are missing"


def column_kind(type_: pa.DataType) -> ColumnKind:
    """Return the kind of a type that `storable_type` gave."""
    for is_kind, kind in _KINDS:
        if is_kind(type_):
            return kind
    raise AssertionError(type_)


_KINDS = (
    (pa.types.is_boolean, ColumnKind.boolean),
    (pa.types.is_integer, ColumnKind.integer),
    (pa.types.is_floating, ColumnKind.float),
    (pa.types.is_decimal128, ColumnKind.decimal),
    (pa.types.is_string, ColumnKind.category),
    (pa.types.is_large_string, ColumnKind.category),
    (pa.types.is_date, ColumnKind.date),
    (pa.types.is_time, ColumnKind.time),
    (pa.types.is_timestamp, ColumnKind.timestamp),
    (pa.types.is_duration, ColumnKind.duration),
)


def storable_type(name: str, type_: pa.DataType) -> pa.DataType:
    """Return the type in which a column is stored: its own, or the plain type it stands for.

    Dictionaries become their values' type, columns without any type become text, text views become text,
    and the small decimals become 128-bit ones.

    Raises
    ------
    InvalidInput
        If there is no such type: nested, binary and extension types, and decimals of more than 38 digits.
    """
    if pa.types.is_dictionary(type_):
        return storable_type(name, type_.value_type)
    if pa.types.is_null(type_) or pa.types.is_string_view(type_):
        return pa.string()
    if pa.types.is_decimal32(type_) or pa.types.is_decimal64(type_):
        return pa.decimal128(type_.precision, type_.scale)
    if any(is_kind(type_) for is_kind, _ in _KINDS):
        return type_
    raise InvalidInput(
        f"Column {name!r} is of type {_type_word(type_)}, which cannot be synthesized. {_REMEDY}",
        code="unsupported_column",
    )


def _type_word(type_: pa.DataType) -> str:
    """Return the type without what may be inside it: names of nested fields are the caller's."""
    if isinstance(type_, pa.BaseExtensionType):
        return "extension"
    return str(type_).split("<", maxsplit=1)[0]
