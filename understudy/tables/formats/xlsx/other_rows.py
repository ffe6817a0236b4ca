"""Find rows and columns that do not belong to a table: totals, repeated headers, and other tables."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from understudy.errors import InvalidInput
from understudy.tables.formats.layout import SheetRow
from understudy.tables.formats.layout.cells import is_missing, is_value, n_filled
from understudy.tables.formats.layout.headers import is_typed
from understudy.tables.formats.layout.totals import is_total_row, required_columns
from understudy.tables.formats.xlsx.raw_cells import column_letters
from understudy.tables.formats.xlsx.values import Texts

_BODY_ROWS_MAX = 30


@dataclass(frozen=True)
class Body:
    """Properties of the first rows of a table, which help to recognize rows outside the table.

    Parameters
    ----------
    names : sequence of str
        Names of the columns.
    required : frozenset of int, optional
        Columns that have a value in every row except totals rows. None if the table has no totals rows.
    typed : frozenset of int
        Columns of numbers, dates or booleans.
    """

    names: Sequence[str]
    required: frozenset[int] | None
    typed: frozenset[int]


def describe_body(rows: Sequence[Sequence[str]], names: Sequence[str]) -> Body:
    """Return a description of the rows below the header."""
    width = len(names)
    body = [SheetRow(0, 0, cells) for cells in rows if n_filled(cells) > 1][:_BODY_ROWS_MAX]
    typed = frozenset(column for column in range(width) if is_typed(body, column))
    return Body(names, required_columns(rows, width) if width > 1 else None, typed)


class OtherRows:
    """A collector of the rows that do not belong to the table, batch by batch.

    Parameters
    ----------
    header_row : int
        Number of the header row.
    has_unnamed : bool
        Whether some columns have no name, so that `last_rows` is needed.
    """

    def __init__(self, body: Body, header_row: int, *, has_unnamed: bool) -> None:
        self.headers: list[int] = []
        self.totals: list[int] = []
        self.last_rows = np.zeros(len(body.names), np.int64)
        self._has_unnamed = has_unnamed
        self._doubt: int | None = None
        self._last_row = header_row
        self._body = body

    def add(self, texts: Texts) -> None:
        """Examine the next rows."""
        numbers = np.asarray(texts.row_numbers)
        for column, values in enumerate(texts.columns if self._has_unnamed else ()):
            valid = np.flatnonzero(values.is_valid().to_numpy(zero_copy_only=False))
            if len(valid):
                self.last_rows[column] = numbers[valid[-1]]
        self._add_headers(texts, numbers)
        if self._body.required is not None:
            self._add_totals(texts, numbers)
        self._check_gaps(texts, numbers)
        self._last_row = int(numbers[-1])

    def _add_headers(self, texts: Texts, numbers: npt.NDArray[np.int64]) -> None:
        is_header = np.ones(len(numbers), np.bool_)
        for column, name in zip(texts.columns, self._body.names, strict=True):
            is_header &= _is_equal(column, name)
            if not is_header.any():
                return
        self.headers += numbers[is_header].tolist()

    def _add_totals(self, texts: Texts, numbers: npt.NDArray[np.int64]) -> None:
        assert self._body.required is not None
        is_short = np.zeros(len(numbers), np.bool_)
        for column in self._body.required:
            is_short |= ~texts.columns[column].is_valid().to_numpy(zero_copy_only=False)
        for index in np.flatnonzero(is_short).tolist():
            if is_total_row(_cells(texts, index), self._body.required):
                self.totals.append(int(numbers[index]))

    def _check_gaps(self, texts: Texts, numbers: npt.NDArray[np.int64]) -> None:
        """Find a row that follows a blank row and has text in columns of numbers or dates."""
        if self._doubt is not None or not self._body.typed:
            return
        before = np.concatenate(([self._last_row], numbers[:-1]))
        for index in np.flatnonzero(numbers > before + 1).tolist():
            following = range(index, min(index + 2, len(numbers)))
            row = next((n for n in following if self._is_other_header(_cells(texts, n))), None)
            if row is not None and int(numbers[row]) not in self.headers:
                self._doubt = int(numbers[row])
                return

    def _is_other_header(self, cells: Sequence[str]) -> bool:
        typed = [cells[column] for column in self._body.typed if not is_missing(cells[column])]
        return n_filled(cells) > 1 and bool(typed) and not any(map(is_value, typed))

    def check(self, last_row: int) -> None:
        """Check that no row up to the last row appears to begin another table.

        Raises
        ------
        InvalidInput
            If there is a row of this kind (code invalid_header). The message contains the row and the options
            to set.
        """
        if self._doubt is not None and self._doubt <= last_row:
            raise InvalidInput(
                f"Row {self._doubt:,} follows a blank row and has text in columns of numbers or dates, so it "
                "may be the header of another table or a note. Set the option `range` to the cells of one "
                "table, or list the rows that do not belong to it in the option `skip_rows`.",
                code="invalid_header",
            )


def _is_equal(column: pa.Array[Any], name: str) -> npt.NDArray[np.bool_]:
    values: Any = column
    equal: Any = pc.equal(values, pa.scalar(name))
    filled: npt.NDArray[np.bool_] = pc.fill_null(equal, pa.scalar(False)).to_numpy(zero_copy_only=False)
    return filled


def _cells(texts: Texts, row: int) -> list[str]:
    return [column[row].as_py() or "" for column in texts.columns]


def check_beside(unnamed: frozenset[int], last_rows: Sequence[int], first_column: int) -> None:
    """Check that blank columns do not separate tables of different lengths.

    Parameters
    ----------
    unnamed : frozenset of int
        Indices of the columns without a name.
    last_rows : sequence of int
        Number of the last row with a value in each column, or 0 for a blank column.

    Raises
    ------
    InvalidInput
        If there are tables of this kind (code invalid_header). The message contains the option to set.
    """
    blank = {column for column in unnamed if last_rows[column] == 0}
    cuts = [-1, *sorted(blank), len(last_rows)]
    blocks = [(start + 1, end - 1) for start, end in pairwise(cuts) if end > start + 1]
    ends = [max(last_rows[first : last + 1]) for first, last in blocks]
    if len(set(ends)) < 2:
        return
    shown = ", ".join(
        f"{column_letters(first_column + first)}:{column_letters(first_column + last)} down to row {end:,}"
        for (first, last), end in zip(blocks[:5], ends[:5], strict=True)
    )
    raise InvalidInput(
        f"The sheet appears to contain several tables side by side, because blank columns separate columns "
        f"that end in different rows ({shown}). Set the option `range` to the cells of one table, including "
        "its header.",
        code="invalid_header",
    )
