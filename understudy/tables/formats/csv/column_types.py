"""Detect the type of each CSV column from all of its values.

Each value is counted under one notation. The type of a column is the smallest type that can represent all of
its notations. A column remains text if a numeric type would change its values (leading zeros, a plus sign,
too many digits).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.parameters.read_options import ReadOptions
from understudy.tables.casting import cast, find_unfit
from understudy.tables.formats.csv.fast_path import count_notations
from understudy.tables.formats.csv.parsing import MISSING
from understudy.tables.notations import parse
from understudy.tables.notations.parsing import AnyNotation

# A text column causes a warning if at least this share of its values, but not every value, fits one other
# type. Counting stops early if the share is lower.
_NEARLY = 0.95
_DECIDED_AFTER = 1_000
# Maximum length of a value that is not text, in bytes.
_LENGTH_MAX = 100
_UNFIT_MAX = 100
# Number of values to count before deciding whether to count the rest of the batch.
_N_PROBED = 16_384
# Lines are reported for at most this number of values of another type.
_PLACES_MAX = 3

_DATE = r"(?:[1-9][0-9]{3}|0[1-9][0-9]{2}|00[1-9][0-9]|000[1-9])-[0-9]{2}-[0-9]{2}"
# Dates in years that 64-bit nanosecond timestamps can represent.
_NEAR = r"(?:1[7-9][0-9]{2}|2[01][0-9]{2})-[0-9]{2}-[0-9]{2}"
_TIME = r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9](?:\.[0-9]{1,9})?)?"
_CURRENCY = r"(?:[$\x{20ac}\x{a3}\x{a5}\x{20b9}]|USD|EUR|GBP|CHF|JPY)"
_ZONE = r"(?:Z|[-+][0-9]{2}(?::?[0-9]{2})?)"


@dataclass(frozen=True)
class Notation:
    """One way to write values of a type.

    Parameters
    ----------
    pattern : str
        Regular expression that matches the whole value.
    check : pyarrow.DataType or None
        Type that the values must also be castable to, because a pattern also matches dates such as 30
        February.
    words : str
        Plural noun for these values in notes.
    """

    name: str
    pattern: str
    check: pa.DataType | None
    words: str


# A value matches only one notation, except that timestamps in `_NEAR` years match both `near` and `far`.
NOTATIONS = (
    Notation("integer", r"-?(?:0|[1-9][0-9]{0,18})", pa.int64(), "whole numbers"),
    Notation(
        "float",
        r"-?(?:(?:(?:0|[1-9][0-9]{0,17})\.[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?"
        r"|(?:0|[1-9][0-9]{0,17})[eE][-+]?[0-9]+|[Ii]nf|[Ii]nfinity|INF)|nan",
        None,
        "numbers",
    ),
    Notation("boolean", "true|false|True|False|TRUE|FALSE", None, "true or false"),
    Notation("date", _DATE, pa.date32(), "dates"),
    Notation("time", _TIME, None, "times"),
    Notation("near", f"{_NEAR}[T ]{_TIME}", pa.timestamp("ns"), "timestamps"),
    Notation("far", f"{_DATE}[T ]{_TIME}", pa.timestamp("us"), "timestamps"),
    Notation("near_zoned", f"{_NEAR}[T ]{_TIME}{_ZONE}", pa.timestamp("ns", tz="UTC"), "timestamps"),
    Notation("far_zoned", f"{_DATE}[T ]{_TIME}{_ZONE}", pa.timestamp("us", tz="UTC"), "timestamps"),
    Notation(
        "numeral",
        r"(?:\+[0-9]+|-?0[0-9]+)(?:\.[0-9]*)?|-?[1-9][0-9]{19,}|-?[1-9][0-9]{18,}\.[0-9]*",
        None,
        "numerals",
    ),
    Notation("percent", r"[-+]?[0-9][0-9.,' ]*%", None, "percentages"),
    Notation(
        "currency", rf"[-+]?{_CURRENCY} ?-?[0-9][0-9.,' ]*|-?[0-9][0-9.,' ]*{_CURRENCY}", None, "amounts"
    ),
    Notation("missing", "|".join(MISSING), None, "missing"),
)
_BY_NAME = {notation.name: notation for notation in NOTATIONS}
_TIMED = {"time", "near", "far", "near_zoned", "far_zoned"}

Unit = Literal["s", "ms", "us", "ns"]
Make = Callable[[Unit], pa.DataType]

# Types in order of preference. Each entry contains the notations that the type can represent, and a function
# that returns the type for a time unit.
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
    """The type of a column, with a note that gives the reason if the type may be unexpected.

    If `is_doubtful`, the note is also a warning.

    Parameters
    ----------
    odd_rows : tuple of int
        First rows, counted from 0, with values that make the column text.
    notation : NumberNotation, DateNotation or BooleanNotation, optional
        Notation of the values. None if they are plain numbers or dates in ISO 8601.
    is_nearly : bool
        Whether the values in `odd_rows` do not follow the notation of the other values. If the column is not
        text, these values become missing.
    written_as : NumberNotation, DateNotation or BooleanNotation, optional
        Notation for writing values that are read without a notation.
    replaced : tuple of str
        Sentences about values that are read as missing values, without the name of the column.
    missing : mapping of str to int
        Number of missing values that each word represents. An empty string represents all other missing
        values. The mapping is empty if the notation was not detected.
    is_clean : bool
        Whether all values can be cast directly, because none has surrounding whitespace or is a word for a
        missing value.
    """

    arrow_type: pa.DataType
    is_complete: bool
    note: str | None = None
    is_doubtful: bool = False
    odd_rows: tuple[int, ...] = ()
    notation: AnyNotation | None = None
    is_clean: bool = False
    is_nearly: bool = False
    written_as: AnyNotation | None = None
    replaced: tuple[str, ...] = ()
    missing: Mapping[str, int] = field(default_factory=dict)


class ColumnProfile:
    """Counts of the notations in a column, collected batch by batch.

    Parameters
    ----------
    missing : sequence of str
        Words for a missing value.
    options : ReadOptions, optional
        Options for the format of numbers and dates.
    """

    def __init__(self, missing: Sequence[str] = MISSING, options: ReadOptions | None = None) -> None:
        self._options = options or ReadOptions()
        # The words for missing values in the options may look like values of a type, so they are removed
        # before notations are matched.
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
        """Count the notations of the next rows."""
        self._n_null += column.null_count
        self._n_rows += len(column)
        if self._is_text or column.null_count == len(column):
            return
        values: Any = column.drop_null()
        if pc.max(pc.binary_length(values)).as_py() > _LENGTH_MAX:
            self._is_text = True
        elif not self._add_quickly(values):
            self._add_slowly(column, values)

    def _add_quickly(self, values: Any) -> bool:
        """Count values on the fast path. Return False if the slow path has to count them."""
        counts = count_notations(values)
        if counts is None or any(
            n > 0 and len(self._places[name]) < _PLACES_MAX for name, n in counts.items()
        ):
            return False
        if len(self._words) and pc.any(pc.is_in(values, self._words)).as_py():
            return False
        self._counts.update(counts)
        return True

    def _add_slowly(self, column: Any, values: Any) -> None:
        rows = np.flatnonzero(column.is_valid().to_numpy(zero_copy_only=False)) + self._n_rows - len(column)
        self._add_some(values[:_N_PROBED], rows[:_N_PROBED])
        ahead, rows = values[_N_PROBED:], rows[_N_PROBED:]
        # If the first values contain enough text, the remaining values cannot change the result.
        is_decided = len(ahead) == 0 or self._has_much_text(self._counts.total() + len(ahead))
        if not is_decided and not self._add_quickly(ahead):
            self._add_some(ahead, rows)
        self._is_text = self._has_much_text(self._counts.total())

    def _has_much_text(self, n_values: int) -> bool:
        return self._counts["text"] > max(_DECIDED_AFTER, (1 - _NEARLY) * n_values)

    def _add_some(self, values: Any, rows: Any) -> None:
        trimmed: Any = pc.utf8_trim_whitespace(values)
        self._is_clean &= trimmed.equals(values)
        values = trimmed
        if len(self._words):
            is_word = pc.is_in(values, self._words)
            self._counts["missing"] += pc.sum(is_word.cast(pa.int64())).as_py() or 0
            values, rows = values.filter(pc.invert(is_word)), rows[~is_word.to_numpy(zero_copy_only=False)]
        # The most frequent notation is tried first, so most values are matched only once.
        for notation in sorted(NOTATIONS, key=lambda notation: -self._counts[notation.name]):
            if len(values) == 0:
                break
            values, rows = self._count_matching(values, rows, notation)
        self._record("text", rows, len(values))

    def _record(self, name: str, rows: Any, n: int) -> None:
        self._counts[name] += n
        # Rows are sorted within a call, but this method may be called twice per batch for the same notation.
        places = [*self._places[name], *(int(row) for row in rows[:_PLACES_MAX])]
        self._places[name] = sorted(places)[:_PLACES_MAX]

    def _count_matching(self, values: Any, rows: Any, notation: Notation) -> tuple[Any, Any]:
        """Count the values that follow a notation, and return the other values."""
        is_match = pc.match_substring_regex(values, rf"\A(?:{notation.pattern})\z")
        mask = is_match.to_numpy(zero_copy_only=False)
        if not mask.any():
            return values, rows
        matching, matching_rows = (values, rows) if mask.all() else (values.filter(is_match), rows[mask])
        unfit = self._check(matching, notation)
        self._record(
            notation.name,
            np.delete(matching_rows, unfit) if unfit else matching_rows,
            len(matching) - len(unfit),
        )
        if unfit:
            self._record(
                "numeral" if notation.name == "integer" else "text", matching_rows[unfit], len(unfit)
            )
        return values.filter(pc.invert(is_match)), rows[~mask]

    def _check(self, matching: Any, notation: Notation) -> Sequence[int]:
        """Return the indices of matching values that cannot be cast."""
        if notation.name == "float":
            self._n_not_finite += len(matching) - (
                pc.sum(pc.is_finite(matching.cast(pa.float64()))).as_py() or 0
            )
        if notation.name in _TIMED:
            self._n_digits = max(self._n_digits, _digits(matching))
        if notation.check is None:
            return []
        unfit = find_unfit(matching, notation.check, _UNFIT_MAX)
        # `find_unfit` stops at this number of failures. All matching values then count as unfit.
        return range(len(matching)) if len(unfit) == _UNFIT_MAX else unfit

    def decide(self) -> ColumnType:
        """Return the smallest type that can represent all counted values."""
        seen = {name for name, n in self._counts.items() if n > 0 and name != "missing"}
        n_missing = self._n_null + self._counts["missing"] + self._n_not_finite
        unit: Unit = _unit(self._n_digits)
        text = ColumnType(pa.string(), self._n_null == 0)
        if self._is_text or not seen:
            return text
        is_clean = self._is_clean and self._counts["missing"] == 0
        if self._is_unusual and "float" in seen and self._n_not_finite == 0:
            return text
        for notations, make in _TYPES:
            if seen <= notations and not (unit == "ns" and seen & {"far", "far_zoned"}):
                return ColumnType(make(unit), n_missing == 0, is_clean=is_clean)
        return self._text_with_reason(text, seen)

    @property
    def _is_unusual(self) -> bool:
        """Whether the options exclude a decimal point."""
        return self._options.decimal == "," or self._options.thousands == "."

    def _text_with_reason(self, text: ColumnType, seen: set[str]) -> ColumnType:
        """Return the type of a text column, with a note if the type may be unexpected."""
        if "numeral" in seen and seen <= {"numeral", "integer", "float"}:
            note = "values with leading zeros, a plus sign or too many digits are kept as text"
            return replace(text, note=note)
        for name, words in (("percent", "percent"), ("currency", "currency")):
            if name in seen and seen <= {name, "integer", "float"}:
                return replace(text, note=f"numbers with {words} signs are kept as text")
        n_values = self._counts.total() - self._counts["missing"]
        for notations, _ in _TYPES:
            n_convertible = sum(self._counts[name] for name in notations)
            if _NEARLY * n_values <= n_convertible < n_values:
                words = _BY_NAME[max(notations, key=lambda name: self._counts[name])].words
                note = f"{n_values - n_convertible:,} of {n_values:,} values cannot be read as {words}"
                odd = sorted(row for name in seen - notations for row in self._places[name])
                return replace(text, note=note, is_doubtful=True, odd_rows=tuple(odd[:_PLACES_MAX]))
        return text


def _digits(values: Any) -> int:
    """Return the maximum number of decimal places in the seconds of the values."""
    if not pc.any(pc.match_substring(values, ".")).as_py():
        return 0
    digits = pc.extract_regex(values, r"\.(?P<digits>[0-9]+)").field("digits")
    return pc.max(pc.binary_length(digits)).as_py() or 0


def _unit(n_digits: int) -> Unit:
    """Return the coarsest unit that preserves this number of decimal places."""
    return "s" if n_digits == 0 else "ms" if n_digits <= 3 else "us" if n_digits <= 6 else "ns"


def trimmed_values(columns: Iterable[pa.Array[Any]], missing: Sequence[str]) -> Iterable[pa.Array[Any]]:
    """Yield the trimmed values. Words for a missing value become null."""
    for column in columns:
        yield _without_missing(column, missing)


def cast_column(
    column: pa.Array[Any],
    target: pa.DataType,
    *,
    missing: Sequence[str] = MISSING,
    notation: AnyNotation | None = None,
    is_clean: bool = False,
) -> pa.Array[Any]:
    """Cast a text column to the detected type. Columns of type text are returned unchanged.

    Parameters
    ----------
    notation, is_clean
        See `ColumnType`.
    """
    if pa.types.is_string(target):
        return column
    values = column if is_clean else _without_missing(column, missing)
    return parse(values, notation, target) if notation else cast(values, target)


def _without_missing(column: pa.Array[Any], missing: Sequence[str]) -> pa.Array[Any]:
    """Return the trimmed values. Words for a missing value become null."""
    values: Any = column
    trimmed: Any = pc.utf8_trim_whitespace(values)
    is_missing = pc.is_in(trimmed, value_set=pa.array(missing, pa.string()))
    if pc.any(is_missing).as_py():
        trimmed = pc.if_else(is_missing, pa.scalar(None, pa.string()), trimmed)
    present: pa.Array[Any] = trimmed
    return present
