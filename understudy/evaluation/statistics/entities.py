"""Statistics of entities: rows per entity, attributes that an entity determines, and unique combinations."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

Codes: TypeAlias = NDArray[np.int64]
Mask: TypeAlias = NDArray[np.bool_]

# 95% critical values of the Kolmogorov distribution and the normal distribution.
KOLMOGOROV = 1.358
NORMAL = 1.96
# If no duplicate occurs, the expected number of duplicates is below this number with 95% confidence (rule of
# three).
N_DUPLICATES_MAX = 3.0


@dataclass(frozen=True)
class RowCounts:
    """The number of rows for each entity."""

    counts: Codes

    @classmethod
    def of(cls, codes: Codes) -> RowCounts:
        """Count the rows of each entity. Rows with a missing code are ignored."""
        return cls(np.unique(codes[codes >= 0], return_counts=True)[1].astype(np.int64))

    @property
    def n_entities(self) -> int:
        """Number of entities."""
        return len(self.counts)

    @property
    def n_repeated(self) -> int:
        """Number of entities with at least two rows."""
        return int(np.sum(self.counts > 1))

    @property
    def mean(self) -> float:
        """Mean number of rows per entity, or 0 if there are no entities."""
        return float(self.counts.mean()) if len(self.counts) else 0.0

    def similarity(self, other: RowCounts) -> float:
        """Return the similarity of the distributions and means, ignoring differences that chance explains."""
        if not self.n_entities or not other.n_entities:
            return 0.0
        return min(1 - self._distance(other), self._ratio(other))

    def _distance(self, other: RowCounts) -> float:
        """Return the Kolmogorov-Smirnov distance minus its critical value, but at least 0."""
        one, two = np.sort(self.counts), np.sort(other.counts)
        points = np.union1d(one, two)
        shares = [np.searchsorted(part, points, side="right") / len(part) for part in (one, two)]
        by_chance = KOLMOGOROV * math.sqrt(1 / len(one) + 1 / len(two))
        return max(0.0, float(np.abs(shares[0] - shares[1]).max()) - by_chance)

    def _ratio(self, other: RowCounts) -> float:
        """Return the ratio of the smaller to the larger mean, ignoring differences that chance explains."""
        error = math.sqrt(
            sum((part.counts.std() / part.mean) ** 2 / part.n_entities for part in (self, other))
        )
        return math.exp(-max(0.0, abs(math.log(self.mean / other.mean)) - NORMAL * error))


@dataclass(frozen=True)
class RowsByEntity:
    """Rows sorted by entity.

    Parameters
    ----------
    rows : int array of shape (n,)
        Positions of the rows. The rows of an entity are adjacent.
    codes : int array of shape (n,)
        Entity of each row in `rows`.
    """

    rows: Codes
    codes: Codes

    @classmethod
    def of(cls, codes: Codes, n_rows_max: int, rng: np.random.Generator) -> RowsByEntity:
        """Sort rows by entity. In a large table, only random entities with all of their rows are used."""
        known = np.flatnonzero(codes >= 0)
        numbers = np.unique(codes[known], return_inverse=True)[1]
        if len(known) > n_rows_max:
            numbers = rng.permutation(int(numbers.max()) + 1)[numbers]
        order = np.argsort(numbers, kind="stable")
        if len(order) > n_rows_max:
            ends = np.append(np.flatnonzero(np.diff(numbers[order])) + 1, len(order))
            # The first entity is used even if it has more rows than the maximum.
            last = int(np.searchsorted(ends, n_rows_max, side="right")) - 1
            order = order[: int(ends[max(last, 0)])]
        return cls(known[order], codes[known[order]])

    def constancy(self, values: NDArray[np.generic], known: Mask) -> tuple[int, int]:
        """Count the entities with at least two known values, and those whose known values are all equal."""
        kept = known[self.rows]
        codes, sorted_values = self.codes[kept], values[self.rows[kept]]
        is_same = codes[1:] == codes[:-1]
        differs = is_same & (sorted_values[1:] != sorted_values[:-1])
        n_entities = _n_runs(codes[1:][is_same])
        return n_entities, n_entities - _n_runs(codes[1:][differs])


def _n_runs(sorted_codes: Codes) -> int:
    return 0 if len(sorted_codes) == 0 else 1 + int(np.sum(sorted_codes[1:] != sorted_codes[:-1]))


def duplicate_share(codes: Codes, n_rows_real: int) -> float:
    """Return the share of rows that repeat the value of another row more often than chance explains.

    Parameters
    ----------
    codes : int array of shape (n_rows,)
        Codes of known values.
    n_rows_real : int
        Number of real rows, which contain no duplicates. The expected number of chance duplicates is
        proportional to the number of row pairs, so it grows with the square of the number of rows.
    """
    if len(codes) == 0:
        return 0.0
    n_duplicates = len(codes) - len(np.unique(codes))
    by_chance = N_DUPLICATES_MAX * (len(codes) / n_rows_real) ** 2
    return max(0.0, n_duplicates - by_chance) / len(codes)
