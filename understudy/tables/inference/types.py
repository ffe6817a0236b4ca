"""The storage types for columns, and the kind that each type determines."""

from __future__ import annotations

import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.tables.schema import ColumnKind

_REMEDY = "Leave the column out, or store it as numbers, text, dates or true/false."


def column_kind(type_: pa.DataType) -> ColumnKind:
    """Return the kind that is determined by a type from `storable_type`."""
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
    """Return the storage type for a column: its current type or a plain equivalent.

    Dictionaries are stored in the type of their values. Null columns and text views are stored as text.
    Decimals of 32 and 64 bits are stored as 128-bit decimals.

    Raises
    ------
    InvalidInput
        If the type cannot be stored. Examples are nested, binary and extension types, and decimals of more
        than 38 digits.
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
        f"Column {name!r} has type {_type_word(type_)}, which cannot be synthesized. {_REMEDY}",
        code="unsupported_column",
    )


def _type_word(type_: pa.DataType) -> str:
    """Return the name of a type without its parameters, because parameters may contain field names."""
    if isinstance(type_, pa.BaseExtensionType):
        return "extension"
    return str(type_).split("<", maxsplit=1)[0]
