"""The type of each column of a CSV file, from all of its values.

Each value is counted under the one way in which it is written; the column's type is the smallest that holds
all the ways that were met. What a type would change (leading zeros, a plus sign, too many digits) keeps a
column text.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.parameters.read_options import ReadOptions
from understudy.tables.casting import cast, find_unfit
from understudy.tables.formats.csv import conventions
from understudy.tables.formats.csv.conventions import Convention, Settled, Values
from understudy.tables.formats.csv.fast_path import count_writings
from understudy.tables.formats.csv.parsing import MISSING

# A text column of which so many values are of one type is worth a word; others are not looked at to the end.
_NEARLY = 0.95
_SETTLED_AFTER = 1_000
# Nothing but text is written so long.
_LENGTH_MAX = 100
_UNFIT_MAX = 100
# So many are looked at before it is asked whether the rest of the batch is worth a look.
_FIRST_LOOK = 16_384
# Of how many odd values it is told where they stand.
_PLACES_MAX = 3

_DATE = r"(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-[0-9]{2}-[0-9]{2}"
# Years that nanoseconds in 64 bits can tell.
_NEAR = r"(?:1[7-9][0-9]{2}|2[01][0-9]{2})-[0-9]{2}-[0-9]{2}"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
_CURRENCY = r"(?:[$\x{20ac}\x{a3}\x{a5}\x{20b9}]|USD|EUR|GBP|CHF|JPY)"
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
    Writing(
        "numeral",
        r"(?:\+[0-9]+|-?0[0-9]+)(?:\.[0-9]*)?|-?[1-9][0-9]{19,}|-?[1-9][0-9]{18,}\.[0-9]*",
        None,
        "numerals",
    ),
    Writing("separated", conventions.SEPARATED, None, "numbers"),
    Writing("local_date", conventions.LOCAL_DATE, None, "dates"),
    Writing("percent", r"[-+]?[0-9][0-9.,' ]*%", None, "percentages"),
    Writing(
        "currency", rf"[-+]?{_CURRENCY} ?-?[0-9][0-9.,' ]*|-?[0-9][0-9.,' ]*{_CURRENCY}", None, "amounts"
    ),
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

    Parameters
    ----------
    odd_rows : tuple of int
        The first rows, counted from 0, whose values made a column text.
    open_question : "numbers" or "dates", optional
        What only another look at all values can tell: see `settle`.
    n_words : int
        How many values are words for missing ones.
    convention : Convention, optional
        How the values are written, if not plainly.
    is_clean : bool
        Whether all values may be cast as they are: no blanks around them, no words for missing ones.
    """

    arrow_type: pa.DataType
    is_complete: bool
    note: str | None = None
    is_doubtful: bool = False
    odd_rows: tuple[int, ...] = ()
    open_question: Literal["numbers", "dates"] | None = None
    n_words: int = 0
    convention: Convention | None = None
    is_clean: bool = False


class ColumnProfile:
    """How the values of a column are written, counted as they pass.

    Parameters
    ----------
    missing : sequence of str
        What stands for a missing value.
    options : ReadOptions, optional
        What the caller says of numbers and dates.
    """

    def __init__(self, missing: Sequence[str] = MISSING, options: ReadOptions | None = None) -> None:
        self._options = options or ReadOptions()
        # Words of the caller's may look like values, so they are set aside before anything else.
        self._words = pa.array([word for word in missing if word not in MISSING], pa.string())
        self._counts: Counter[str] = Counter()
        self._places: dict[str, list[int]] = {name: [] for name in (*_BY_NAME, "text")}
        self._n_rows = 0
        self._is_clean = True
        self._n_null = 0
        self._n_not_finite = 0
        self._n_digits = 0
        self._is_text = False

    def add(self, column: pa.Array[Any]) -> None:
        """Count the values of the next rows."""
        self._n_null += column.null_count
        self._n_rows += len(column)
        if self._is_text or column.null_count == len(column):
            return
        values: Any = column.drop_null()
        if pc.max(pc.binary_length(values)).as_py() > _LENGTH_MAX:
            self._is_text = True
        elif not self._add_quickly(values):
            self._add_closely(column, values)

    def _add_quickly(self, values: Any) -> bool:
        """Count values that are plainly written, if they are and it is known where such values stand."""
        counts = count_writings(values)
        if counts is None or any(
            n > 0 and len(self._places[name]) < _PLACES_MAX for name, n in counts.items()
        ):
            return False
        if len(self._words) and pc.any(pc.is_in(values, self._words)).as_py():
            return False
        self._counts.update(counts)
        return True

    def _add_closely(self, column: Any, values: Any) -> None:
        rows = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False)) + self._n_rows - len(column)
        self._add_some(values[:_FIRST_LOOK], rows[:_FIRST_LOOK])
        ahead, rows = values[_FIRST_LOOK:], rows[_FIRST_LOOK:]
        # With much text among the first, what follows could only add to it.
        is_settled = len(ahead) == 0 or self._has_much_text(self._counts.total() + len(ahead))
        if not is_settled and not self._add_quickly(ahead):
            self._add_some(ahead, rows)
        self._is_text = self._has_much_text(self._counts.total())

    def _has_much_text(self, n_values: int) -> bool:
        return self._counts["text"] > max(_SETTLED_AFTER, (1 - _NEARLY) * n_values)

    def _add_some(self, values: Any, rows: Any) -> None:
        trimmed: Any = pc.utf8_trim_whitespace(values)
        self._is_clean &= trimmed.equals(values)
        values = trimmed
        if len(self._words):
            is_word = pc.is_in(values, self._words)
            self._counts["missing"] += pc.sum(is_word.cast(pa.int64())).as_py() or 0
            values, rows = values.filter(pc.invert(is_word)), rows[~is_word.to_numpy(zero_copy_only=False)]
        # What was met most comes first, so that most values are looked at once.
        for writing in sorted(WRITINGS, key=lambda writing: -self._counts[writing.name]):
            if len(values) == 0:
                break
            values, rows = self._take(values, rows, writing)
        self._note("text", rows, len(values))

    def _note(self, name: str, rows: Any, n: int) -> None:
        self._counts[name] += n
        # In order within a call, but a batch may come here twice for one name.
        places = [*self._places[name], *(int(row) for row in rows[:_PLACES_MAX])]
        self._places[name] = sorted(places)[:_PLACES_MAX]

    def _take(self, values: Any, rows: Any, writing: Writing) -> tuple[Any, Any]:
        """Count the values that are written so, and return the others."""
        is_so = pc.match_substring_regex(values, rf"\A(?:{writing.pattern})\z")
        mask = is_so.to_numpy(zero_copy_only=False)
        if not mask.any():
            return values, rows
        taken, taken_rows = (values, rows) if mask.all() else (values.filter(is_so), rows[mask])
        unfit = self._check(taken, writing)
        self._note(
            writing.name, np.delete(taken_rows, unfit) if unfit else taken_rows, len(taken) - len(unfit)
        )
        if unfit:
            self._note("numeral" if writing.name == "integer" else "text", taken_rows[unfit], len(unfit))
        return values.filter(pc.invert(is_so)), rows[~mask]

    def _check(self, taken: Any, writing: Writing) -> Sequence[int]:
        """Return which of the values that are written so are none."""
        if writing.name == "float":
            self._n_not_finite += len(taken) - (pc.sum(pc.is_finite(taken.cast(pa.float64()))).as_py() or 0)
        if writing.name in _TIMED:
            self._n_digits = max(self._n_digits, _digits(taken))
        if writing.check is None:
            return []
        unfit = find_unfit(taken, writing.check, _UNFIT_MAX)
        # So many are no slips of the pen.
        return range(len(taken)) if len(unfit) == _UNFIT_MAX else unfit

    def decide(self) -> ColumnType:
        """Return the type that holds all values that were counted."""
        met = {name for name, n in self._counts.items() if n > 0 and name != "missing"}
        n_missing = self._n_null + self._counts["missing"] + self._n_not_finite
        unit: Unit = _unit(self._n_digits)
        text = ColumnType(pa.string(), self._n_null == 0)
        if self._is_text or not met:
            return text
        is_clean = self._is_clean and self._counts["missing"] == 0
        if question := self._open_question(met):
            return replace(self._why_text(text, met), open_question=question, n_words=self._counts["missing"])
        for held, make in _TYPES:
            if met <= held and not (unit == "ns" and met & {"far", "far_zoned"}):
                return ColumnType(make(unit), n_missing == 0, is_clean=is_clean)
        return self._why_text(text, met)

    def _open_question(self, met: set[str]) -> Literal["numbers", "dates"] | None:
        """Say whether only another look at the values, with the conventions in mind, can tell the type."""
        if met == {"local_date"}:
            return "dates"
        is_unusual = self._options.decimal == "," or self._options.thousands == "."
        if met <= {"integer", "float", "separated"} and (
            "separated" in met or (is_unusual and "float" in met and self._n_not_finite == 0)
        ):
            return "numbers"
        return None

    def _why_text(self, text: ColumnType, met: set[str]) -> ColumnType:
        """Return the type of a text column with the reason for it, if it is one that may surprise."""
        if "numeral" in met and met <= {"numeral", "integer", "float"}:
            note = "numerals with leading zeros, a plus sign or too many digits are kept as text"
            return replace(text, note=note)
        for name, words in (("percent", "percent"), ("currency", "currency")):
            if name in met and met <= {name, "integer", "float", "separated"}:
                return replace(text, note=f"numbers with {words} signs are kept as text")
        n_values = self._counts.total() - self._counts["missing"]
        for held in (*(held for held, _ in _TYPES), {"integer", "float", "separated"}, {"local_date"}):
            n_held = sum(self._counts[name] for name in held)
            if _NEARLY * n_values <= n_held < n_values:
                words = _BY_NAME[max(held, key=lambda name: self._counts[name])].words
                note = f"{n_values - n_held:,} of {n_values:,} values are not {words}"
                odd = sorted(row for name in met - held for row in self._places[name])
                return replace(text, note=note, is_doubtful=True, odd_rows=tuple(odd[:_PLACES_MAX]))
        return text


def _digits(values: Any) -> int:
    """Return the most digits of a second that are written."""
    if not pc.any(pc.match_substring(values, ".")).as_py():
        return 0
    digits = pc.extract_regex(values, r"\.(?P<digits>[0-9]+)").field("digits")
    return pc.max(pc.binary_length(digits)).as_py() or 0


def _unit(n_digits: int) -> Unit:
    """Return the unit in which the seconds are written, so that they are given back so."""
    return "s" if n_digits == 0 else "ms" if n_digits <= 3 else "us" if n_digits <= 6 else "ns"


def settle(column_type: ColumnType, values: Values, options: ReadOptions) -> ColumnType:
    """Answer the open question of a column.

    Parameters
    ----------
    values : callable () -> iterable of text arrays
        All values of the column, as `ColumnProfile` saw them.
    """
    if column_type.open_question is None:
        return column_type
    look = conventions.settle_numbers if column_type.open_question == "numbers" else conventions.settle_dates
    settled: Settled = look(values, options)
    if settled.arrow_type is None:
        return replace(
            column_type,
            note=settled.note or column_type.note,
            is_doubtful=settled.note is not None or column_type.is_doubtful,
            open_question=None,
        )
    return ColumnType(
        settled.arrow_type,
        column_type.is_complete and column_type.n_words == 0,
        settled.convention.words if settled.convention else None,
        convention=settled.convention,
    )


def present_values(columns: Iterable[pa.Array[Any]], missing: Sequence[str]) -> Iterable[pa.Array[Any]]:
    """Yield the values that are not missing, trimmed."""
    for column in columns:
        values = _without_missing(column, missing).drop_null()
        if len(values):
            yield values


def cast_column(
    column: pa.Array[Any],
    target: pa.DataType,
    *,
    missing: Sequence[str] = MISSING,
    convention: Convention | None = None,
    is_clean: bool = False,
) -> pa.Array[Any]:
    """Return a column of text as the type that was decided for it; text is kept to the letter.

    Parameters
    ----------
    convention, is_clean
        As in `ColumnType`.
    """
    if pa.types.is_string(target):
        return column
    values = column if is_clean else _without_missing(column, missing)
    return cast(convention.plain(values) if convention else values, target)


def _without_missing(column: pa.Array[Any], missing: Sequence[str]) -> pa.Array[Any]:
    """Return trimmed values, with null for what stands for a missing one."""
    values: Any = column
    trimmed: Any = pc.utf8_trim_whitespace(values)
    is_missing = pc.is_in(trimmed, value_set=pa.array(missing, pa.string()))
    if pc.any(is_missing).as_py():
        trimmed = pc.if_else(is_missing, pa.scalar(None, pa.string()), trimmed)
    present: pa.Array[Any] = trimmed
    return present
