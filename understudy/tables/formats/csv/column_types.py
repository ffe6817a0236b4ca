"""The type of each column of a CSV file, from all of its values.

Each value is counted under the one way in which it is written; the column's type is the smallest that holds
all the ways that were met. What a type would change (leading zeros, a plus sign, too many digits) keeps a
column text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables.casting import cast, count_unfit
from understudy.tables.formats.csv.parsing import MISSING

# A text column of which so many values are of one type is worth a word; others are not looked at to the end.
_NEARLY = 0.95
_SETTLED_AFTER = 1_000
# Nothing but text is written so long.
_LENGTH_MAX = 100
_UNFIT_MAX = 100

_DATE = r"(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-[0-9]{2}-[0-9]{2}"
# Years that nanoseconds in 64 bits can tell.
_NEAR = r"(?:1[7-9][0-9]{2}|2[01][0-9]{2})-[0-9]{2}-[0-9]{2}"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
_ZONE = r"(?:Z|[-+][0-9]{2}(?::?[0-9]{2})?)"


@dataclass(frozen=True)
class Writing:
    """A way in which values are written.

    Parameters
    ----------
    pattern : str
        A regular expression for the whole value.
    check : pyarrow.DataType or None
        What values must cast to as well: a pattern takes 30 February for a date.
    words : str
        What such values are, in the plural.
    """

    name: str
    pattern: str
    check: pa.DataType | None
    words: str


# Exclusive, but for a date of the near years, which is met before the far ones.
WRITINGS = (
    Writing("integer", r"-?(?:0|[1-9][0-9]{0,18})", pa.int64(), "whole numbers"),
    Writing(
        "float",
        r"-?(?:(?:(?:0|[1-9][0-9]{0,17})\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
        r"|(?:0|[1-9][0-9]{0,17})[eE][-+]?[0-9]+|[Ii]nf|[Ii]nfinity|INF)|nan",
        None,
        "numbers",
    ),
    Writing("boolean", "true|false|True|False|TRUE|FALSE", None, "true or false"),
    Writing("date", _DATE, pa.date32(), "dates"),
    Writing("time", _TIME, None, "times of day"),
    Writing("near", f"{_NEAR}[T ]{_TIME}", pa.timestamp("ns"), "points in time"),
    Writing("far", f"{_DATE}[T ]{_TIME}", pa.timestamp("us"), "points in time"),
    Writing("near_zoned", f"{_NEAR}[T ]{_TIME}{_ZONE}", pa.timestamp("ns", tz="UTC"), "points in time"),
    Writing("far_zoned", f"{_DATE}[T ]{_TIME}{_ZONE}", pa.timestamp("us", tz="UTC"), "points in time"),
    Writing("numeral", r"[-+]?[0-9]+(?:\.[0-9]*)?", None, "numerals"),
    Writing("missing", "|".join(MISSING), None, "missing"),
)
_BY_NAME = {writing.name: writing for writing in WRITINGS}
_TIMED = {"time", "near", "far", "near_zoned", "far_zoned"}

Unit = Literal["s", "ms", "us", "ns"]
Make = Callable[[Unit], pa.DataType]

# In order of preference: the ways of writing that a type holds, and the type for seconds of some precision.
_TYPES: tuple[tuple[set[str], Make], ...] = (
    ({"integer"}, lambda _: pa.int64()),
    ({"integer", "float"}, lambda _: pa.float64()),
    ({"boolean"}, lambda _: pa.bool_()),
    ({"date"}, lambda _: pa.date32()),
    ({"time"}, lambda unit: pa.time32(unit) if unit == "s" or unit == "ms" else pa.time64(unit)),
    ({"near", "far"}, lambda unit: pa.timestamp(unit)),
    ({"near_zoned", "far_zoned"}, lambda unit: pa.timestamp(unit, tz="UTC")),
)


@dataclass(frozen=True)
class ColumnType:
    """What was decided for a column: its type, and why if that is not plain.

    A doubtful one deserves a warning.
    """

    arrow_type: pa.DataType
    is_complete: bool
    note: str | None = None
    is_doubtful: bool = False


class ColumnProfile:
    """How the values of a column are written, counted as they pass."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._n_null = 0
        self._n_not_finite = 0
        self._n_digits = 0
        self._is_text = False

    def add(self, column: pa.Array[Any]) -> None:
        """Count the values of the next rows."""
        self._n_null += column.null_count
        if self._is_text or column.null_count == len(column):
            return
        values: Any = column.drop_null()
        if pc.max(pc.binary_length(values)).as_py() > _LENGTH_MAX:
            self._is_text = True
            return
        values = pc.utf8_trim_whitespace(values)
        # What was met most comes first, so that most values are looked at once.
        for writing in sorted(WRITINGS, key=lambda writing: -self._counts[writing.name]):
            if len(values) == 0:
                break
            values = self._take(values, writing)
        self._counts["text"] += len(values)
        self._is_text = self._counts["text"] > max(_SETTLED_AFTER, (1 - _NEARLY) * self._counts.total())

    def _take(self, values: Any, writing: Writing) -> Any:
        """Count the values that are written so, and return the others."""
        is_so = pc.match_substring_regex(values, rf"\A(?:{writing.pattern})\z")
        taken = values.filter(is_so)
        if len(taken) == 0:
            return values
        n_unfit = self._check(taken, writing)
        self._counts[writing.name] += len(taken) - n_unfit
        self._counts["numeral" if writing.name == "integer" else "text"] += n_unfit
        return values.filter(pc.invert(is_so))

    def _check(self, taken: Any, writing: Writing) -> int:
        """Return how many of the values that are written so are none."""
        if writing.name == "float":
            self._n_not_finite += len(taken) - (pc.sum(pc.is_finite(taken.cast(pa.float64()))).as_py() or 0)
        if writing.name in _TIMED:
            self._n_digits = max(self._n_digits, _digits(taken))
        if writing.check is None:
            return 0
        n_unfit = count_unfit(taken, writing.check, _UNFIT_MAX)
        # So many are no slips of the pen.
        return len(taken) if n_unfit == _UNFIT_MAX else n_unfit

    def decide(self) -> ColumnType:
        """Return the type that holds all values that were counted."""
        met = {name for name, n in self._counts.items() if n > 0 and name != "missing"}
        n_missing = self._n_null + self._counts["missing"] + self._n_not_finite
        unit: Unit = _unit(self._n_digits)
        for held, make in _TYPES:
            if (
                met
                and met <= held
                and not self._is_text
                and not (unit == "ns" and met & {"far", "far_zoned"})
            ):
                return ColumnType(make(unit), is_complete=n_missing == 0)
        note, is_doubtful = self._why_text(met)
        return ColumnType(pa.string(), self._n_null == 0, note, is_doubtful)

    def _why_text(self, met: set[str]) -> tuple[str | None, bool]:
        """Return why a column is text, and whether that is a surprise."""
        if self._is_text or not met:
            return None, False
        if "numeral" in met and met <= {"numeral", "integer", "float"}:
            return "numerals with leading zeros, a plus sign or too many digits are kept as text", False
        n_values = self._counts.total() - self._counts["missing"]
        for held, _ in _TYPES:
            n_held = sum(self._counts[name] for name in held)
            if _NEARLY * n_values <= n_held < n_values:
                words = _BY_NAME[max(held, key=lambda name: self._counts[name])].words
                return f"{n_values - n_held:,} of {n_values:,} values are not {words}", True
        return None, False


def _digits(values: Any) -> int:
    """Return the most digits of a second that are written."""
    if not pc.any(pc.match_substring(values, ".")).as_py():
        return 0
    digits = pc.extract_regex(values, r"\.(?P<digits>[0-9]+)").field("digits")
    return pc.max(pc.binary_length(digits)).as_py() or 0


def _unit(n_digits: int) -> Unit:
    """Return the unit in which the seconds are written, so that they are given back so."""
    return "s" if n_digits == 0 else "ms" if n_digits <= 3 else "us" if n_digits <= 6 else "ns"


def cast_column(column: pa.Array[Any], target: pa.DataType) -> pa.Array[Any]:
    """Return a column of text as the type that was decided for it; text is kept to the letter."""
    if pa.types.is_string(target):
        return column
    values: Any = column
    trimmed = pc.utf8_trim_whitespace(values)
    is_missing = pc.is_in(trimmed, value_set=pa.array(MISSING))
    if pc.any(is_missing).as_py():
        trimmed = pc.if_else(is_missing, pa.scalar(None, pa.string()), trimmed)
    return cast(trimmed, target)
