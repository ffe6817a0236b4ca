"""Recognize a row below a table that has no label and contains the sums of the columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.tables.formats.layout.cells import is_missing
from understudy.tables.notation import NumberNotation
from understudy.tables.notations.clues import Clues
from understudy.tables.notations.detection import detect
from understudy.tables.notations.numbers import parse_numbers

# With fewer rows or values, a last row may equal the sums by chance.
_ROWS_MIN = 5
_VALUES_MIN = 3
# Minimum number of rows if only one column has a sum.
_ROWS_OF_ONE_SUM_MIN = 10
# At least one sum exceeds the largest value of its column by more than this factor.
_RATIO = 3.0
# Minimum share of the values of a column that are numbers.
_NUMBERS_MIN = 0.9
# Floating-point error of a stored sum, relative to the sum of the absolute values.
_ERROR = 1e-9
# Maximum rounding error of the last value, relative to the sum of the absolute values.
_ROUNDING_MAX = 1e-3


@dataclass
class _Sum:
    """The sum of a column, and the value in the row that may be the sum."""

    notation: NumberNotation
    last: float
    precision: float
    n_filled: int = 0
    n_numbers: int = 0
    n_nonzero: int = 0
    total: float = 0.0
    size: float = 0.0
    largest: float = 0.0

    def add(self, texts: pa.Array[Any]) -> None:
        numbers = _numbers(texts, self.notation)
        self.n_filled += len(texts) - texts.null_count
        self.n_numbers += len(numbers)
        if len(numbers):
            sizes = np.abs(numbers)
            self.n_nonzero += int(np.count_nonzero(numbers))
            with np.errstate(over="ignore", invalid="ignore"):
                self.total += float(numbers.sum())
                self.size += float(sizes.sum())
            self.largest = max(self.largest, float(sizes.max()))

    @property
    def may_be_equal(self) -> bool:
        """Whether the value may be the sum although only the last rows have been added."""
        is_small = self.size == self.total > self.last + self.precision + _ERROR * self.size
        return bool(np.isfinite(self.last)) and not is_small

    @property
    def is_large(self) -> bool:
        """Whether the value is too large for a data row, and all values above it have the same sign."""
        return self.size == abs(self.total) and abs(self.last) > _RATIO * self.largest

    @property
    def is_equal(self) -> bool:
        tolerance = max(_ERROR * self.size, min(self.precision, _ROUNDING_MAX * self.size))
        is_numeric = self.n_numbers > 0 and self.n_numbers >= _NUMBERS_MIN * self.n_filled
        return is_numeric and bool(np.isfinite(self.size)) and abs(self.total - self.last) <= tolerance

    @property
    def is_clear(self) -> bool:
        """Whether it is evidence of a row of sums that the value equals the sum."""
        return self.n_nonzero >= _VALUES_MIN and self.last != 0


class SumRow:
    """A row without a label whose numbers may be the sums of the columns above it."""

    def __init__(self, sums: Mapping[int, _Sum], *, has_texts: bool) -> None:
        self.columns = tuple(sums)
        self._sums = sums
        self._has_texts = has_texts

    def is_confirmed(self, batches: Iterable[Sequence[pa.Array[Any]]]) -> bool:
        """Return whether each number equals the sum of its column, and chance is ruled out.

        Parameters
        ----------
        batches : iterable of sequence of text arrays
            All rows above the row, in batches: the texts of each of `columns`, with null for blank cells.
        """
        n_rows = 0
        for batch in batches:
            n_rows += len(batch[0])
            for each, texts in zip(self._sums.values(), batch, strict=True):
                each.add(texts)
        if n_rows < _ROWS_MIN or not all(each.is_equal for each in self._sums.values()):
            return False
        clear = [each for each in self._sums.values() if each.is_clear]
        if not any(each.is_large for each in clear):
            return False
        return len(clear) > 1 or (n_rows >= _ROWS_OF_ONE_SUM_MIN and not self._has_texts)


def find_sum_row(rows: Sequence[Sequence[str]]) -> SumRow | None:
    """Return the last row if it has no label and its numbers may be the sums of the columns, or None.

    Parameters
    ----------
    rows : sequence of sequence of str
        Last rows of the table, all of the same width. The sums of these rows rule out most last rows.
    """
    *above, last = rows if rows else [[]]
    if len(above) < _ROWS_MIN:
        return None
    labels = [column for column, cell in enumerate(last) if not cell.strip() and _is_full(above, column)]
    filled = [column for column, cell in enumerate(last) if not is_missing(cell)]
    columns = {column: [row[column].strip() for row in rows] for column in filled} if labels else {}
    notations = {column: _notation(cells) for column, cells in columns.items()}
    sums = {}
    has_large = False
    for column, notation in notations.items():
        if notation is not None:
            sums[column] = _empty_sum(columns[column], notation)
            tail = replace(sums[column])
            tail.add(pa.array([cell or None for cell in columns[column][:-1]], pa.string()))
            if not tail.may_be_equal:
                return None
            has_large = has_large or tail.is_large
    return SumRow(sums, has_texts=len(sums) < len(filled)) if has_large else None


def _is_full(rows: Sequence[Sequence[str]], column: int) -> bool:
    return all(row[column].strip() for row in rows)


def _notation(cells: Sequence[str]) -> NumberNotation | None:
    """Return the notation of a column of numbers, or None for another column."""
    texts = pa.array([None if is_missing(cell) else cell.strip() for cell in cells], pa.string())
    detected = detect(lambda: [texts], Clues())
    if detected is None or not isinstance(detected.notation, NumberNotation):
        return None
    return detected.notation if detected.tally.n_fitting >= _NUMBERS_MIN * len(texts.drop_null()) else None


def _empty_sum(cells: Sequence[str], notation: NumberNotation) -> _Sum:
    """Return the sum of a column before the first value is added. The last cell may be the sum."""
    *above, last = cells
    numbers = _numbers(pa.array([last], pa.string()), notation)
    n_decimals = _n_decimals(last, notation)
    is_rounded = any(_n_decimals(cell, notation) > n_decimals for cell in above)
    precision = 0.5 * 10.0**-n_decimals if is_rounded else 0.0
    return _Sum(notation, float(numbers[0]) if len(numbers) else np.nan, precision)


def _n_decimals(cell: str, notation: NumberNotation) -> int:
    return sum(map(str.isdecimal, cell.partition(notation.decimal)[2]))


def _numbers(texts: pa.Array[Any], notation: NumberNotation) -> npt.NDArray[np.float64]:
    """Return the numbers among the texts of a column."""
    numbers: Any = parse_numbers(texts, notation, pa.float64()).drop_null()
    values: npt.NDArray[np.float64] = numbers.to_numpy(zero_copy_only=False)
    return values
