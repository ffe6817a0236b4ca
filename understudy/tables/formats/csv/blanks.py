"""Count blank rows and blank columns, and drop blank rows."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

# Blank rows are dropped only if the table has at least this many nonblank rows, in total and per blank row.
_OTHERS_MIN = 10
_OTHERS_PER_BLANK_MIN = 2
# Alternatively, the table must have at least this many nonblank rows per run of consecutive blank rows.
_OTHERS_PER_RUN_MIN = 20


class Blanks:
    """The number of missing values in each column, and the number of rows without any values.

    In unnamed columns, texts that contain only whitespace also count as missing.
    """

    def __init__(self, n_columns: int, unnamed: Collection[int] = ()) -> None:
        self.n_missing = np.zeros(n_columns, np.int64)
        self._unnamed = unnamed
        self._n_empty = np.zeros(n_columns, np.int64)
        self.n_rows = 0
        self.n_blank_rows = 0
        self._n_runs = 0
        self._ends_blank = False

    def add(self, batch: pa.RecordBatch) -> None:
        """Count the values of the next rows."""
        self.n_rows += batch.num_rows
        n_missing = [column.null_count for column in batch.columns]
        self.n_missing += n_missing
        for column in self._unnamed:
            texts: Any = batch.column(column)
            is_empty: Any = pc.equal(pc.utf8_trim_whitespace(texts), pa.scalar(""))
            self._n_empty[column] += pc.sum(is_empty.cast(pa.int64())).as_py() or 0
        if batch.num_rows == 0:
            return
        is_blank = _is_blank(batch) if all(n_missing) else np.zeros(batch.num_rows, np.bool_)
        self.n_blank_rows += int(np.count_nonzero(is_blank))
        previous = np.concatenate(([self._ends_blank], is_blank[:-1]))
        self._n_runs += int(np.count_nonzero(is_blank & ~previous))
        self._ends_blank = bool(is_blank[-1])

    @property
    def n_rows_dropped(self) -> int:
        """The number of blank rows to drop: all of them if they are separators, and otherwise 0.

        Blank rows are separators if at least one column has values in all other rows. In other tables and in
        tables with few rows, a blank row can be a row of missing values. Long runs of blank rows, such as
        formatted cells below a table, are separators even if they have more rows than the table.
        """
        n_others = self.n_rows - self.n_blank_rows
        is_rare = n_others >= _OTHERS_MIN and (
            _OTHERS_PER_BLANK_MIN * self.n_blank_rows <= n_others
            or _OTHERS_PER_RUN_MIN * self._n_runs <= n_others
        )
        is_separator = len(self.n_missing) > 1 and bool((self.n_missing == self.n_blank_rows).any())
        return self.n_blank_rows if is_separator and is_rare else 0

    def has_values(self, column: int) -> bool:
        """Return whether a column without a name contains a value."""
        return bool(self.n_missing[column] + self._n_empty[column] < self.n_rows)

    def is_complete_without(self, column: int) -> bool:
        """Return whether a column has missing values only in the blank rows that are dropped."""
        return self.n_rows_dropped > 0 and bool(self.n_missing[column] == self.n_blank_rows)


def without_blank_rows(batch: pa.RecordBatch) -> pa.RecordBatch:
    """Return the rows that contain at least one value."""
    if not all(column.null_count for column in batch.columns):
        return batch
    kept: pa.RecordBatch = batch.filter(pa.array(~_is_blank(batch)))
    return kept


def _is_blank(batch: pa.RecordBatch) -> npt.NDArray[np.bool_]:
    is_blank = np.ones(batch.num_rows, np.bool_)
    for column in batch.columns:
        is_blank &= _is_null(column)
        if not is_blank.any():
            break
    return is_blank


def _is_null(column: pa.Array[Any]) -> npt.NDArray[np.bool_]:
    nulls: npt.NDArray[np.bool_] = pc.is_null(column).to_numpy(zero_copy_only=False)
    return nulls
