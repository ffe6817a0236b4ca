"""The kinds of values in each column of a JSON Lines file, updated block by block."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from understudy.errors import InvalidInput, TooLarge
from understudy.tables.formats.csv.column_types import ColumnProfile
from understudy.tables.json_place import NUMBER_KEYS, JsonPlace

# A float can represent every whole number up to this limit.
FLOAT_INTEGER_MAX = 2**53


class ValueKind(IntEnum):
    """The kind of a column's values. Each numeric kind includes the numeric kinds before it."""

    nothing = 0
    integers = 1
    floats = 2
    numerals = 3  # numbers that neither a 64-bit integer nor a float can represent exactly
    booleans = 4
    texts = 5
    mixed = 6


# Type for staging the values in a block. The final type is determined after the last line.
STAGED_TYPES: dict[ValueKind, pa.DataType] = {
    ValueKind.nothing: pa.null(),
    ValueKind.integers: pa.int64(),
    ValueKind.floats: pa.float64(),
    ValueKind.numerals: pa.string(),
    ValueKind.booleans: pa.bool_(),
    ValueKind.texts: pa.string(),
    ValueKind.mixed: pa.string(),
}
_WORDS = {
    **dict.fromkeys((ValueKind.integers, ValueKind.floats, ValueKind.numerals), "numbers"),
    ValueKind.booleans: "booleans",
    ValueKind.texts: "text",
}


@dataclass
class Column:
    """A column for one key, with counts of the values read so far.

    Parameters
    ----------
    keys : tuple of str
        Path of keys to the values in nested objects.
    has_json : bool
        Whether the values are arrays, which are stored as JSON text.
    first_lines : dict
        Number of the line with the first value of each kind.
    integer_max : int
        Largest absolute value among the whole numbers.
    has_numbers : bool
        Whether texts are numbers of MongoDB Extended JSON, some of which have no quotation marks.
    """

    name: str
    keys: tuple[str, ...] = ()
    has_json: bool = False
    kind: ValueKind = ValueKind.nothing
    first_lines: dict[str, int] = field(default_factory=dict)
    n_values: int = 0
    integer_max: int = 0
    profile: ColumnProfile = field(default_factory=ColumnProfile)
    has_numbers: bool = False

    @property
    def is_nested(self) -> bool:
        """Whether the values are arrays or within nested objects."""
        return len(self.keys) > 1 or self.has_json

    @property
    def place(self) -> JsonPlace | None:
        """The path to the values in nested objects."""
        if not self.is_nested:
            return None
        is_quoted = self.is_quoted_number and self.keys[-1] in NUMBER_KEYS
        return JsonPlace(keys=self.keys, is_json=self.has_json, is_quoted=is_quoted)

    @property
    def is_quoted_number(self) -> bool:
        """Whether the values are numbers in quotation marks, in an object of MongoDB Extended JSON."""
        has_texts = self.kind in (ValueKind.texts, ValueKind.mixed)
        return has_texts and (self.has_numbers or (len(self.keys) > 1 and self.keys[-1] in NUMBER_KEYS))

    def add_kinds(self, lines: Mapping[ValueKind, int]) -> None:
        """Add kinds of values, with the line of the first value of each kind."""
        for kind, line in lines.items():
            self.kind = _joined(self.kind, kind)
            self.first_lines.setdefault(_WORDS[kind], line)
        if self.kind is ValueKind.floats and self.integer_max > FLOAT_INTEGER_MAX:
            self.kind = ValueKind.numerals

    def count(self, values: pa.Array[Any]) -> None:
        """Count staged values."""
        self.n_values += len(values) - values.null_count
        if self.kind is ValueKind.integers:
            ends: Any = pc.min_max(values)
            self.integer_max = max(self.integer_max, -(ends["min"].as_py() or 0), ends["max"].as_py() or 0)
        if self.kind is ValueKind.texts:
            self.profile.add(values)

    def describe_mixture(self) -> str:
        """Describe the kinds of values, with the line of the first value of each kind."""
        return ", ".join(f"{words} (first on line {line:,})" for words, line in self.first_lines.items())


def _joined(one: ValueKind, other: ValueKind) -> ValueKind:
    if ValueKind.nothing in (one, other) or max(one, other) <= ValueKind.numerals or one is other:
        return max(one, other)
    return ValueKind.mixed


def remove_absent_objects(columns: dict[str, Column]) -> list[str]:
    """Remove columns for keys that have only objects and null as values. Return the names of nested columns.

    Raises
    ------
    InvalidInput
        If a key has both objects and other values (code unsupported_column).
    """
    nested = [column for column in columns.values() if column.is_nested]
    objects = {".".join(column.keys[:n]) for column in nested for n in range(1, len(column.keys))}
    for name in sorted(objects & columns.keys()):
        if columns[name].n_values:
            raise InvalidInput(
                f"The key {name!r} has objects on some lines and values of other types on others. Use a "
                "different key for each type.",
                code="unsupported_column",
            )
        del columns[name]
    return [column.name for column in nested]


def check_cell(name: str, n_bytes: int, bytes_max: int) -> None:
    """Check that a text value is not too long.

    Raises
    ------
    TooLarge
        If the text is too long. The message contains the column and the limit.
    """
    if n_bytes > bytes_max:
        raise TooLarge(
            f"Column {name!r} contains a text value of more than {bytes_max:,} bytes. "
            "Shorten the text, or remove the column."
        )
