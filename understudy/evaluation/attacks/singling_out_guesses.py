"""Guesses of a singling-out attack: conditions that are derived from synthetic rows to match one person."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.encoding import EncodedTable, Rows, Values, is_missing

# Tolerance on each side of a guessed numeric value, as a share of the column's sorted values. A tolerance is
# necessary because exact values rarely match.
TOLERANCE = 0.01
# Number of conditions that are added to a combination that is already unique among the synthetic rows. The
# real table has about as many rows as the synthetic table. Without additional conditions, the combination
# would often match several real rows.
N_SPARE = 2

# The result of a guess that does not single out anyone.
NOBODY = -1


@dataclass(frozen=True)
class Condition:
    """A condition on one column: an interval of values, or a missing value.

    Parameters
    ----------
    column : int
        The position of the column.
    low, high : float
        The ends of the interval, both inclusive. NaN represents a missing number.
    """

    column: int
    low: float
    high: float

    def holds(self, values: Values) -> NDArray[np.bool_]:
        """Return a mask of the values that meet the condition."""
        if np.isnan(self.low):
            return np.asarray(np.isnan(values))
        return np.asarray((values >= self.low) & (values <= self.high))


@dataclass(frozen=True)
class SortedColumn:
    """A column with a sorted index for finding rows within an interval by binary search.

    Parameters
    ----------
    values : array of shape (n_rows,)
        The values in the order of the rows.
    order : int array of shape (n_rows,)
        The positions of the rows, sorted by value with NaN last.
    known : array of shape (n_known,)
        The sorted values without NaN.
    """

    values: Values
    order: NDArray[np.integer]
    known: Values

    @classmethod
    def of(cls, values: Values, order: NDArray[np.integer] | None = None) -> SortedColumn:
        """Return a sorted column with these values. Compute `order` if it is not given."""
        order = np.argsort(values, kind="stable") if order is None else order
        return cls(values, order, values[order[: len(values) - int(np.isnan(values).sum())]])

    def rows(self, condition: Condition) -> NDArray[np.int64]:
        """Return the rows that meet a condition."""
        if np.isnan(condition.low):
            return self.order[len(self.known) :].astype(np.int64)
        # The ends of the interval have the data type of the column. With another data type, NumPy would
        # convert the whole column.
        low, high = self.known.dtype.type(condition.low), self.known.dtype.type(condition.high)
        left, right = np.searchsorted(self.known, low, "left"), np.searchsorted(self.known, high, "right")
        return self.order[left:right].astype(np.int64)

    def around(self, row: int, column: int) -> Condition:
        """Return a condition that is met by a row and by all rows with nearby values."""
        value = float(self.values[row])
        if self.values.dtype == np.int32 or np.isnan(value):
            return Condition(column, value, value)
        reach = int(TOLERANCE * len(self.known))
        low = int(np.searchsorted(self.known, value, "left")) - reach
        high = int(np.searchsorted(self.known, value, "right")) - 1 + reach
        ends = max(low, 0), min(high, len(self.known) - 1)
        return Condition(column, *(float(self.known[end]) for end in ends))


@dataclass(frozen=True)
class Crowd:
    """The rows that guesses are tested on. A successful guess matches exactly one person.

    Parameters
    ----------
    columns : list of SortedColumn
        The columns of the table.
    subjects : int array of shape (n_rows,), or None
        The subject of each row. If all rows that a guess matches belong to one subject, the guess singles out
        this subject. None if no subject is declared.
    """

    columns: Sequence[SortedColumn]
    subjects: Rows | None

    @classmethod
    def of(cls, table: EncodedTable) -> Crowd:
        """Return a crowd with all rows of a table."""
        subjects = None if table.subjects is None else table.units
        return cls([SortedColumn.of(values) for values in table.columns], subjects)

    def is_one(self, rows: Rows) -> bool:
        """Return whether at least one row is given and all rows belong to one subject."""
        if self.subjects is None or len(rows) < 2:
            return len(rows) == 1
        return bool((self.subjects[rows] == self.subjects[rows[0]]).all())

    def only_match(self, conditions: Sequence[Condition]) -> int:
        """Return a row of the subject that alone meets all conditions, or NOBODY."""
        rows = None
        for condition in conditions:
            rows = _fitting(self.columns[condition.column], condition, rows)
        assert rows is not None
        return int(rows[0]) if self.is_one(rows) else NOBODY

    def only_holders(self, column: SortedColumn, values: Values) -> Rows:
        """Return, for each value, a row of the subject that alone has this value, or NOBODY."""
        left, right = (np.searchsorted(column.known, values, side=side) for side in ("left", "right"))
        is_one = right - left == 1
        if self.subjects is not None:
            # `changes` contains the number of subject changes up to each row. If this number is the same at
            # both ends of a range, all rows in the range belong to one subject.
            owners = self.subjects[column.order[: len(column.known)]]
            changes = np.cumsum(np.diff(owners, prepend=-1) != 0)
            is_there = right > left
            is_one = is_there.copy()
            is_one[is_there] = changes[left[is_there]] == changes[right[is_there] - 1]
        return np.where(is_one, column.order[np.minimum(left, len(column.order) - 1)], NOBODY)


def hits_of_values(
    synthetic: EncodedTable, pool: Crowd, n: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the hits of guesses that each use one value, unique among the synthetic rows or subjects.

    Parameters
    ----------
    pool : Crowd
        The rows to search.
    n : int
        The maximum number of guesses. If more guesses are possible, a random selection is used.

    Returns
    -------
    hits : array of shape (n_guesses,)
        For each guess, a row of the subject in the pool that alone has the guessed value, or NOBODY.
    """
    pairs = zip(synthetic.columns, pool.columns, strict=True)
    subjects = None if synthetic.subjects is None else synthetic.units
    hits_by_column = [pool.only_holders(column, _values_of_one(values, subjects)) for values, column in pairs]
    hits = np.concatenate(hits_by_column)
    return hits if len(hits) <= n else rng.choice(hits, n, replace=False)


def hits_of_combinations(
    synthetic: EncodedTable, pool: Crowd, n: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return the hits of guesses that combine several columns and match one synthetic row or subject."""
    guesses = _combinations(Crowd.of(synthetic), rng.permutation(synthetic.n_rows)[: 2 * n], rng)
    return np.array([pool.only_match(guess) for guess in islice(guesses, n)], dtype=np.int64)


def _values_of_one(values: Values, subjects: Rows | None) -> Values:
    """Return the sorted known values that occur in only one row or only in rows of one subject."""
    is_known = ~is_missing(values)
    if subjects is None:
        known, counts = np.unique(values[is_known], return_counts=True)
        once: Values = known[counts == 1]
        return once
    order = np.lexsort((subjects[is_known], values[is_known]))
    ordered, own = values[is_known][order], subjects[is_known][order]
    if not len(ordered):
        return ordered
    begins = np.flatnonzero(np.append(True, ordered[1:] != ordered[:-1]))
    ends = np.append(begins[1:], len(ordered)) - 1
    unique: Values = ordered[begins[own[begins] == own[ends]]]
    return unique


def _combinations(crowd: Crowd, rows: Rows, rng: np.random.Generator) -> Iterator[list[Condition]]:
    for row in rows:
        order = rng.permutation(len(crowd.columns))
        guess = _combination(crowd, (crowd.columns[column].around(row, int(column)) for column in order))
        if guess is not None:
            yield guess


def _combination(crowd: Crowd, conditions: Iterator[Condition]) -> list[Condition] | None:
    """Return the first conditions that together match only one subject, and `N_SPARE` more conditions.

    None if all conditions together still match several subjects.
    """
    taken: list[Condition] = []
    rows = None
    for condition in conditions:
        taken.append(condition)
        rows = _fitting(crowd.columns[condition.column], condition, rows)
        if crowd.is_one(rows):
            return [*taken, *islice(conditions, N_SPARE)]
    return None


def _fitting(column: SortedColumn, condition: Condition, rows: NDArray[np.int64] | None) -> NDArray[np.int64]:
    """Return the rows among `rows` that meet the condition. If `rows` is None, search all rows."""
    if rows is None:
        return column.rows(condition)
    return rows[condition.holds(column.values[rows])]
