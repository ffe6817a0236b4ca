"""Detect the type of each column of a sheet from all of its values."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables.formats.csv.column_types import ColumnProfile, ColumnType, cast_column
from understudy.tables.formats.csv.parsing import MISSING
from understudy.tables.formats.xlsx.dates import Whole, parse_durations
from understudy.tables.formats.xlsx.styles import WORDS, Kind
from understudy.tables.formats.xlsx.values import Texts
from understudy.tables.notations.parsing import AnyNotation

# Text with 16 or more digits, which a float may not represent exactly. The decimal point counts as a digit.
_LONG_NUMERAL = r"\A\s*[-+]?0*[.]?0*[1-9][0-9.]{15,}(?:[eE][-+]?[0-9]+)?\s*\z"


class ColumnCounts:
    """Counts of the values in each column, collected batch by batch.

    Parameters
    ----------
    n_values, first_rows : array of shape (number of kinds, number of columns)
        For each kind, in the order of `Kind`, the number of values and the row of the first value. Words
        for missing values do not count as text.
    n_impossible : array of shape (number of columns,)
        Number of dates that do not exist.
    """

    def __init__(self, width: int) -> None:
        self.n_rows = 0
        self.n_values = np.zeros((len(Kind), width), np.int64)
        self.first_rows = np.zeros((len(Kind), width), np.int64)
        self.n_impossible = np.zeros(width, np.int64)
        self._has_fraction = np.zeros(width, np.bool_)
        self._has_long_numeral = np.zeros(width, np.bool_)
        self._profiles = [ColumnProfile() for _ in range(width)]
        self._width = width

    def add(self, texts: Texts) -> None:
        """Count the values of the next rows."""
        self.n_rows += len(texts.row_numbers)
        self.n_impossible += np.bincount(texts.impossible % self._width, minlength=self._width)
        for profile, column in zip(self._profiles, texts.columns, strict=True):
            profile.add(column)
        for kind, places in texts.places.items():
            rows, columns = np.divmod(places, self._width)
            self.n_values[kind] += np.bincount(columns, minlength=self._width)
            if kind != Kind.text:
                self._record_first(kind, columns, texts.row_numbers[rows])
                continue
            for column in np.unique(columns).tolist():
                self._count_text(column, rows[columns == column], texts)
        self._check_fractions(texts)

    def _record_first(self, kind: Kind, columns: Whole, row_numbers: Whole) -> None:
        present, first = np.unique(columns, return_index=True)
        is_new = self.first_rows[kind, present] == 0
        self.first_rows[kind, present[is_new]] = row_numbers[first[is_new]]

    def _count_text(self, column: int, rows: Whole, texts: Texts) -> None:
        values: Any = texts.columns[column].take(rows)
        if pc.min(pc.binary_length(values)).as_py() <= max(map(len, MISSING)):
            trimmed = pc.utf8_trim_whitespace(values)
            is_value = pc.invert(pc.is_in(trimmed, value_set=pa.array(MISSING))).to_numpy(
                zero_copy_only=False
            )
            self.n_values[Kind.text, column] -= len(rows) - int(is_value.sum())
            rows = rows[is_value]
        if len(rows) and self.first_rows[Kind.text, column] == 0:
            self.first_rows[Kind.text, column] = texts.row_numbers[rows[0]]
        if not self._has_long_numeral[column]:
            is_long = pc.match_substring_regex(values, _LONG_NUMERAL)
            self._has_long_numeral[column] = pc.any(is_long).as_py() is True

    def _check_fractions(self, texts: Texts) -> None:
        timed = self.n_values[Kind.timestamp] + self.n_values[Kind.duration]
        for column in np.flatnonzero((timed > 0) & ~self._has_fraction).tolist():
            values: Any = texts.columns[column]
            self._has_fraction[column] = pc.any(pc.match_substring(values, ".")).as_py() is True

    def has_long_numeral(self, column: int) -> bool:
        """Return whether a text cell contains a number that a float may not represent exactly."""
        return bool(self._has_long_numeral[column])

    def decide(self, column: int) -> ColumnType:
        """Return the smallest type that can represent all values of a column."""
        kinds_present = {kind for kind in Kind if self.n_values[kind, column] > 0}
        is_complete = int(self.n_values[:, column].sum()) == self.n_rows
        unit: Literal["s", "ms"] = "ms" if self._has_fraction[column] else "s"
        if kinds_present == {Kind.duration}:
            return ColumnType(pa.duration(unit), is_complete)
        if kinds_present == {Kind.date, Kind.timestamp}:
            return ColumnType(pa.timestamp(unit), is_complete)
        decided = self._profiles[column].decide()
        if pa.types.is_floating(decided.arrow_type) and self._has_long_numeral[column]:
            note = "text cells with numbers of more than 15 digits are kept as text"
            return ColumnType(pa.string(), is_complete, note)
        if pa.types.is_string(decided.arrow_type) and len(kinds_present) > 1:
            return replace(decided, note=self._mixture(column), is_doubtful=True)
        return decided

    def _mixture(self, column: int) -> str:
        kinds = [
            f"{WORDS[kind]} ({n:,}, first in row {self.first_rows[kind, column]:,})"
            for kind in Kind
            if (n := self.n_values[kind, column]) > 0
        ]
        return f"it contains {', '.join(kinds[:-1])} and {kinds[-1]}"


def cast_texts(column: pa.Array[Any], target: pa.DataType, notation: AnyNotation | None) -> pa.Array[Any]:
    """Cast a text column to the detected type."""
    if not pa.types.is_duration(target):
        return cast_column(column, target, notation=notation)
    values: Any = column
    is_missing = pc.is_in(pc.utf8_trim_whitespace(values), value_set=pa.array(MISSING))
    return parse_durations(pc.if_else(is_missing, pa.scalar(None, pa.string()), values)).cast(target)
