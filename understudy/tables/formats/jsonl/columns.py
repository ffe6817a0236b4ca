"""What is known of each column of a JSON lines file while its lines go by."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from understudy.errors import TooLarge
from understudy.tables.formats.csv.column_types import ColumnProfile

# Greater whole numbers are not told apart by a float.
FLOAT_INTEGER_MAX = 2**53


class Holds(IntEnum):
    """What all values of a column are; numbers of a later kind include those of an earlier one."""

    nothing = 0
    integers = 1
    floats = 2
    numerals = 3  # numbers that neither holds to the digit
    booleans = 4
    texts = 5
    mixed = 6


# As which type a block's values are put aside; what is final is decided after the last line.
STAGED_TYPES: dict[Holds, pa.DataType] = {
    Holds.nothing: pa.null(),
    Holds.integers: pa.int64(),
    Holds.floats: pa.float64(),
    Holds.numerals: pa.string(),
    Holds.booleans: pa.bool_(),
    Holds.texts: pa.string(),
    Holds.mixed: pa.string(),
}
_WORDS = {
    **dict.fromkeys((Holds.integers, Holds.floats, Holds.numerals), "numbers"),
    Holds.booleans: "true or false",
    Holds.texts: "text",
}


@dataclass
class Column:
    """A key, and what its values were until now.

    Parameters
    ----------
    first_lines : dict
        In which line a value of each kind came first.
    integer_max : int
        The greatest whole number, its sign left out.
    """

    name: str
    holds: Holds = Holds.nothing
    first_lines: dict[str, int] = field(default_factory=dict)
    n_values: int = 0
    integer_max: int = 0
    profile: ColumnProfile = field(default_factory=ColumnProfile)

    def meet(self, lines: Mapping[Holds, int]) -> None:
        """Take note of the kinds of some values, and of the line of the first of each."""
        for kind, line in lines.items():
            self.holds = _joined(self.holds, kind)
            self.first_lines.setdefault(_WORDS[kind], line)
        if self.holds is Holds.floats and self.integer_max > FLOAT_INTEGER_MAX:
            self.holds = Holds.numerals

    def count(self, values: pa.Array[Any]) -> None:
        """Take note of values that are put aside."""
        self.n_values += len(values) - values.null_count
        if self.holds is Holds.integers:
            ends: Any = pc.min_max(values)
            self.integer_max = max(self.integer_max, -(ends["min"].as_py() or 0), ends["max"].as_py() or 0)
        if self.holds is Holds.texts:
            self.profile.add(values)

    def describe_mixture(self) -> str:
        """Return the kinds of the values and where each came first."""
        return ", ".join(f"{words} (first in line {line:,})" for words, line in self.first_lines.items())


def _joined(one: Holds, other: Holds) -> Holds:
    if Holds.nothing in (one, other) or max(one, other) <= Holds.numerals or one is other:
        return max(one, other)
    return Holds.mixed


def check_cell(name: str, n_bytes: int, bytes_max: int) -> None:
    """Refuse texts that are too long.

    Raises
    ------
    TooLarge
        With the column and the limit.
    """
    if n_bytes > bytes_max:
        raise TooLarge(
            f"Column {name!r} holds a text of more than {bytes_max:,} bytes. "
            "Shorten it or leave the column out."
        )
