"""The schema of columns with detected types, and the messages about these columns."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import pyarrow as pa

from understudy.tables.formats.csv.column_types import ColumnType
from understudy.tables.notation import field_metadata


def schema_of(columns: Iterable[tuple[str, ColumnType]]) -> pa.Schema:
    """Return the Arrow schema of the columns. The metadata of each field contains its notation."""
    return pa.schema(
        [
            pa.field(
                name,
                type_.arrow_type,
                nullable=not type_.is_complete,
                metadata=field_metadata(type_.notation or type_.written_as),
            )
            for name, type_ in columns
        ]
    )


class Messages(NamedTuple):
    """The note about the type of a column, and the warnings about the column."""

    note: str | None
    warnings: list[str]


def describe(name: str, type_: ColumnType, place: str = "") -> Messages:
    """Return the messages about a column.

    Parameters
    ----------
    place : str
        Phrase with the lines of the values that do not follow the column's main notation. It is appended to
        the sentence about these values.
    """
    if pa.types.is_string(type_.arrow_type):
        note = type_.note and type_.note + place
        remedy = f" Set the option `coerce` to {name!r} to read them as missing." if type_.is_nearly else ""
        return Messages(note, [f"Column {name!r} is text: {note}.{remedy}"] if type_.is_doubtful else [])
    # The last sentence refers to the values on the lines in `place`.
    sentences = [*type_.replaced[:-1], *(text + place for text in type_.replaced[-1:])]
    warnings = [f"Column {name!r}: {sentence}." for sentence in sentences]
    if type_.is_nearly:
        warnings[-1] += f" Set the option `coerce` to {name!r} to confirm that they are missing."
    return Messages(type_.note, warnings)
