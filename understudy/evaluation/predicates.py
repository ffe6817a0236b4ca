"""Guesses of an attacker about how one person can be picked out of a table, made of synthetic rows alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

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


def hits_of_values(
    synthetic: EncodedTable, pool: Sequence[Values], n: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return whom guesses of one value pick out, each of which occurs in one synthetic row only.

    Parameters
    ----------
    pool : list of array of shape (n_pool,)
        The columns of the rows that are searched.
    n : int
        So many of the guesses, by chance, if there are more.

    Returns
    -------
    hits : array of shape (n_guesses,)
        The row of the pool that is the only one with the value, or NOBODY.
    """
    found = [_hits_of_column(values, real) for values, real in zip(synthetic.columns, pool, strict=True)]
    hits = np.concatenate(found)
    return hits if len(hits) <= n else rng.choice(hits, n, replace=False)


def hits_of_combinations(
    synthetic: EncodedTable, pool: Sequence[Values], n: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Return whom guesses of several columns pick out, each of which fits one synthetic row only."""
    rows = rng.permutation(synthetic.n_rows)[: 2 * n]
    guesses = _combinations(synthetic, rows, rng)
    return np.array([_only_match(pool, guess) for _, guess in zip(range(n), guesses, strict=False)], np.int64)


def _hits_of_column(values: Values, pool: Values) -> NDArray[np.int64]:
    known, counts = np.unique(values[~is_missing(values)], return_counts=True)
    guesses = known[counts == 1]
    order = np.argsort(pool, kind="stable")
    ordered = pool[order]
    left, right = (np.searchsorted(ordered, guesses, side=side) for side in ("left", "right"))
    return np.where(right - left == 1, order[np.minimum(left, len(order) - 1)], NOBODY)


def _combinations(
    synthetic: EncodedTable, rows: NDArray[np.int64], rng: np.random.Generator
) -> Iterator[list[Condition]]:
    ordered = [np.sort(values[~is_missing(values)]) for values in synthetic.columns]
    for row in rows:
        conditions = [
            _condition(int(column), synthetic.columns[column][row], ordered[column])
            for column in rng.permutation(len(ordered))
        ]
        n_needed = _n_needed(synthetic.columns, conditions)
        if n_needed is not None:
            yield conditions[: n_needed + N_SPARE]


def _condition(column: int, value: float, ordered: Values) -> Condition:
    number = float(value)
    if ordered.dtype == np.int32 or np.isnan(number):
        return Condition(column, number, number)
    reach = int(TOLERANCE * len(ordered))
    low = int(np.searchsorted(ordered, number, side="left")) - reach
    high = int(np.searchsorted(ordered, number, side="right")) - 1 + reach
    return Condition(column, float(ordered[max(low, 0)]), float(ordered[min(high, len(ordered) - 1)]))


def _n_needed(columns: Sequence[Values], conditions: Sequence[Condition]) -> int | None:
    """Return how many of the conditions are needed until they fit one row; None if they never do."""
    for n, rows in enumerate(_matches(columns, conditions), start=1):
        if len(rows) == 1:
            return n
    return None


def _only_match(columns: Sequence[Values], conditions: Sequence[Condition]) -> int:
    *_, rows = _matches(columns, conditions)
    return int(rows[0]) if len(rows) == 1 else NOBODY


def _matches(columns: Sequence[Values], conditions: Sequence[Condition]) -> Iterator[NDArray[np.int64]]:
    """Yield the rows that fit the first condition, the first two, and so on."""
    rows = np.flatnonzero(conditions[0].holds(columns[conditions[0].column]))
    yield rows
    for condition in conditions[1:]:
        rows = rows[condition.holds(columns[condition.column][rows])]
        yield rows
