"""Guesses of an attacker about how one person can be picked out of a table, made of synthetic rows alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.encoding import EncodedTable, Values, is_missing

# A number is meant with so many of the column's ranks to each side: nobody hits a value to the digit.
TOLERANCE = 0.01
# Conditions that are added once a combination has become the only one of its kind: the synthetic table is
# as large as the real one, so that what is just unique here often fits several there.
N_SPARE = 2

NOBODY = -1


@dataclass(frozen=True)
class Condition:
    """What a guess says of one column: a value between two, or that none is known.

    Parameters
    ----------
    column : int
    low, high : float
        Both included; NaN of a number that is missing.
    """

    column: int
    low: float
    high: float

    def holds(self, values: Values) -> NDArray[np.bool_]:
        """Return for which values the condition holds."""
        if np.isnan(self.low):
            return np.asarray(np.isnan(values))
        return np.asarray((values >= self.low) & (values <= self.high))


@dataclass(frozen=True)
class SortedColumn:
    """A column, in which the rows between two values are found without a look at all others.

    Parameters
    ----------
    values : array of shape (n_rows,)
    order : int array of shape (n_rows,)
        The rows by their values, NaN last.
    known : array of shape (n_known,)
        The values in that order, without NaN.
    """

    values: Values
    order: NDArray[np.integer]
    known: Values

    @classmethod
    def of(cls, values: Values, order: NDArray[np.integer] | None = None) -> SortedColumn:
        """Return the column of these values, whose order may be known."""
        order = np.argsort(values, kind="stable") if order is None else order
        return cls(values, order, values[order[: len(values) - int(np.isnan(values).sum())]])

    def rows(self, condition: Condition) -> NDArray[np.int64]:
        """Return the rows for which a condition holds."""
        if np.isnan(condition.low):
            return self.order[len(self.known) :].astype(np.int64)
        # The needle's type is the column's: else the whole column is converted.
        low, high = self.known.dtype.type(condition.low), self.known.dtype.type(condition.high)
        left, right = np.searchsorted(self.known, low, "left"), np.searchsorted(self.known, high, "right")
        return self.order[left:right].astype(np.int64)

    def around(self, row: int, column: int) -> Condition:
        """Return a condition that a row fulfils, and rows that are near to it."""
        value = float(self.values[row])
        if self.values.dtype == np.int32 or np.isnan(value):
            return Condition(column, value, value)
        reach = int(TOLERANCE * len(self.known))
        low = int(np.searchsorted(self.known, value, "left")) - reach
        high = int(np.searchsorted(self.known, value, "right")) - 1 + reach
        ends = max(low, 0), min(high, len(self.known) - 1)
        return Condition(column, *(float(self.known[end]) for end in ends))


def hits_of_values(
    synthetic: EncodedTable, pool: Sequence[SortedColumn], n: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return whom guesses of one value pick out, each of which occurs in one synthetic row only.

    Parameters
    ----------
    pool : list of SortedColumn
        The columns of the rows that are searched.
    n : int
        So many of the guesses, by chance, if there are more.

    Returns
    -------
    hits : array of shape (n_guesses,)
        The row of the pool that is the only one with the value, or NOBODY.
    """
    found = [_hits_of_column(values, column) for values, column in zip(synthetic.columns, pool, strict=True)]
    hits = np.concatenate(found)
    return hits if len(hits) <= n else rng.choice(hits, n, replace=False)


def hits_of_combinations(
    synthetic: EncodedTable, pool: Sequence[SortedColumn], n: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return whom guesses of several columns pick out, each of which fits one synthetic row only."""
    own = [SortedColumn.of(values) for values in synthetic.columns]
    guesses = _combinations(own, rng.permutation(synthetic.n_rows)[: 2 * n], rng)
    return np.array([_only_match(pool, guess) for guess in islice(guesses, n)], dtype=np.int64)


def _hits_of_column(values: Values, column: SortedColumn) -> NDArray[np.int64]:
    known, counts = np.unique(values[~is_missing(values)], return_counts=True)
    guesses = known[counts == 1]
    left, right = (np.searchsorted(column.known, guesses, side=side) for side in ("left", "right"))
    return np.where(right - left == 1, column.order[np.minimum(left, len(column.order) - 1)], NOBODY)


def _combinations(
    columns: Sequence[SortedColumn], rows: NDArray[np.int64], rng: np.random.Generator
) -> Iterator[list[Condition]]:
    for row in rows:
        order = rng.permutation(len(columns))
        guess = _combination(columns, (columns[column].around(row, int(column)) for column in order))
        if guess is not None:
            yield guess


def _combination(columns: Sequence[SortedColumn], conditions: Iterator[Condition]) -> list[Condition] | None:
    """Return so many of the conditions that they fit one row only, and some more; None if they never do."""
    taken: list[Condition] = []
    rows = None
    for condition in conditions:
        taken.append(condition)
        rows = _fitting(columns[condition.column], condition, rows)
        if len(rows) == 1:
            return [*taken, *islice(conditions, N_SPARE)]
    return None


def _only_match(columns: Sequence[SortedColumn], conditions: Sequence[Condition]) -> int:
    rows = None
    for condition in conditions:
        rows = _fitting(columns[condition.column], condition, rows)
    assert rows is not None
    return int(rows[0]) if len(rows) == 1 else NOBODY


def _fitting(column: SortedColumn, condition: Condition, rows: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Return which of the rows, or of all, fulfil one more condition."""
    if rows is None:
        return column.rows(condition)
    return rows[condition.holds(column.values[rows])]
