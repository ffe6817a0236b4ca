"""The Arrow types in which columns can be stored, and the names of these types."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Literal, cast

import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.tables.json_place import JsonPlace, place_metadata, read_place
from understudy.tables.notation import AnyNotation, read_metadata
from understudy.tables.notation import field_metadata as notation_metadata


def to_arrow_schema(
    columns: Iterable[tuple[str, str, bool, dict[bytes, bytes] | None]],
) -> pa.Schema:
    """Return an Arrow schema from the name, type name, nullability and metadata of each column."""
    return pa.schema(
        [
            pa.field(name, parse_arrow_type(type_), nullable=nullable, metadata=metadata)
            for name, type_, nullable, metadata in columns
        ]
    )


def field_metadata(notation: AnyNotation | None, place: JsonPlace | None) -> dict[bytes, bytes] | None:
    """Return Arrow field metadata that stores a notation and a place in JSON objects."""
    return {**(notation_metadata(notation) or {}), **place_metadata(place)} or None


def known_metadata(metadata: dict[bytes, bytes] | None) -> dict[bytes, bytes] | None:
    """Return only the notation and place entries of an Arrow field's metadata."""
    return field_metadata(read_metadata(metadata), read_place(metadata))


def parse_arrow_type(text: str) -> pa.DataType:
    """Return the Arrow type for a name in the format of `str(type)`.

    Raises
    ------
    InvalidInput
        If the name is unknown, or if columns of this type cannot be stored.
    """
    if text in _PLAIN_TYPES:
        return _PLAIN_TYPES[text]
    for pattern, make in _PARAMETRIC_TYPES:
        if match := pattern.fullmatch(text):
            try:
                return make(match)
            except (ValueError, OverflowError):  # The parameters are out of range, as in decimal128(99, 2).
                break
    raise InvalidInput(
        f"{text!r} is not an Arrow type that a column can be stored in. Use a type such as int64, double, "
        "string, date32[day] or timestamp[us].",
        code="unsupported_column",
    )


_UNITS: tuple[Literal["s", "ms", "us", "ns"], ...] = ("s", "ms", "us", "ns")

_EXACT_TYPES: tuple[pa.DataType, ...] = (
    *(pa.int8(), pa.int16(), pa.int32(), pa.int64()),
    *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
    *(pa.float16(), pa.float32(), pa.float64()),
    *(pa.bool_(), pa.string(), pa.large_string()),
    *(pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")),
    *(pa.timestamp(unit) for unit in _UNITS),
    *(pa.duration(unit) for unit in _UNITS),
)
_PLAIN_TYPES: dict[str, pa.DataType] = {str(type_): type_ for type_ in _EXACT_TYPES}
# Arrow prints the names halffloat, float and double, but also reads float16, float32 and float64.
_PLAIN_TYPES |= {"float16": pa.float16(), "float32": pa.float32(), "float64": pa.float64()}


def _zoned_timestamp(match: re.Match[str]) -> pa.DataType:
    return pa.timestamp(cast(Literal["s", "ms", "us", "ns"], match[1]), tz=match[2])


_PARAMETRIC_TYPES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], pa.DataType]], ...] = (
    (re.compile(r"decimal128\((\d+), (-?\d+)\)"), lambda m: pa.decimal128(int(m[1]), int(m[2]))),
    (re.compile(r"timestamp\[(s|ms|us|ns), tz=([\w/+:-]+)\]"), _zoned_timestamp),
)
