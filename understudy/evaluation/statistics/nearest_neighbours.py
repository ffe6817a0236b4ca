"""Nearest-neighbor search between rows of encoded tables.

The distance between two rows is the sum of their distances in each column. The distance between two numbers
is the difference between their ranks in the real table (0 to 1). The distance between two categories is 0 if
they are equal and 1 otherwise. A missing value equals only another missing value.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import EncodedTable, Values, is_missing
from understudy.threads import count_threads

# Rank of a missing value. Ranks are between 0 and 1, and the kernels limit the distance to 1 per column, so a
# missing value has the maximum distance from all known values.
MISSING_AT = 2.0
# Ranks are rounded to multiples of 1 / RANK_STEPS. For up to 1,000 columns, sums of these ranks are exact in
# single precision, so equal distances compare as equal.
RANK_STEPS = 2**14

_NO_PART = np.zeros(0, dtype=np.bool_)


@dataclass(frozen=True)
class Points:
    """Rows as numbers and codes, column by column.

    Parameters
    ----------
    numbers, codes : array of shape (n_numbers, n_rows), (n_codes, n_rows)
        The ranks for numeric columns and the codes for categorical columns.
    columns : int array of shape (n_numbers + n_codes,)
        The positions of these columns in the schema.
    """

    numbers: NDArray[np.float32]
    codes: NDArray[np.int32]
    columns: NDArray[np.int64]

    @property
    def n_rows(self) -> int:
        """Number of points."""
        return int(self.numbers.shape[1])

    def first(self, n: int) -> Points:
        """Return the first n points."""
        return Points(self.numbers[:, :n], self.codes[:, :n], self.columns)

    def place(self, column: int) -> int:
        """Return the position of a schema column in `columns`."""
        return int(np.flatnonzero(self.columns == column)[0])


@dataclass(frozen=True)
class Neighbours:
    """The nearest rows of another table; `kernels.neighbours.nearest_rows` describes the views.

    Parameters
    ----------
    distances, rows : array of shape (n_views, n_queries, k)
        The distances to the nearest rows, and their positions.
    """

    distances: NDArray[np.float32]
    rows: NDArray[np.int32]


def as_points(comparison: Comparison, table: EncodedTable) -> Points:
    """Return the rows of a table as points."""
    numbers, codes, places = [], [], []
    for i, (encoder, values) in enumerate(zip(comparison.encoder.columns, table.columns, strict=True)):
        if encoder.is_categorical:
            codes.append(values)
        else:
            ranks = ranks_among(values, _scale(comparison, i), missing_at=MISSING_AT)
            numbers.append(np.rint(ranks * RANK_STEPS) / RANK_STEPS)
        places.append((encoder.is_categorical, i))
    none = np.empty((0, table.n_rows))
    return Points(
        np.array(numbers or none, dtype=np.float32),
        np.array(codes or none, dtype=np.int32),
        np.array([i for _, i in sorted(places)]),
    )


def _scale(comparison: Comparison, i: int) -> Values:
    """Return the real values of a column that define the ranks.

    If a subject is declared, holdout values are included. The similar rows of one subject occupy many ranks,
    whereas the gap between the values of two subjects contains no ranks. If only training values defined the
    ranks, members would appear to be farther from synthetic rows than the other victims.
    """
    real = comparison.real.columns[i]
    if not comparison.has_subjects or comparison.holdout is None:
        return real
    whole: Values = np.concatenate([real, comparison.holdout.columns[i]])
    return whole


def find_nearest(
    queries: Points,
    others: Points,
    k: int,
    *,
    part: NDArray[np.bool_] = _NO_PART,
    left_out: Sequence[int] = (),
) -> Neighbours:
    """Return the k nearest rows for each query; the kernel describes the parameters."""
    # Imported here because compiled code is slow to load, and the API lists metrics without it.
    from understudy.kernels.neighbours import Rows, Views, nearest_rows

    views, columns = Views(part, np.array(left_out, dtype=np.int64)), Rows(others.numbers, others.codes)
    found = _in_parts(
        queries,
        lambda numbers, codes: nearest_rows(Rows(numbers, codes), columns, views, k),
    )
    distances, rows = (np.concatenate(parts, axis=1) for parts in zip(*found, strict=True))
    return Neighbours(distances, rows)


def count_differences(queries: Points, others: Points, tolerance: float) -> NDArray[np.float64]:
    """Return, for each query, the number of columns in which it differs from the most similar other row."""
    # Imported here because Numba is slow to load, and the API lists metrics without it.
    from understudy.kernels.neighbours import Rows, fewest_differences

    columns = Rows(others.numbers, others.codes)
    found = _in_parts(
        queries,
        lambda numbers, codes: fewest_differences(Rows(numbers, codes), columns, tolerance),
    )
    return np.concatenate(found)


def ranks_among(values: Values, real: Values, *, missing_at: float) -> NDArray[np.float64]:
    """Return the share of real values below each value, with equal values counted as half."""
    known = np.sort(real[~is_missing(real)])
    low, high = (np.searchsorted(known, values, side=side) for side in ("left", "right"))
    return np.where(is_missing(values), missing_at, (low + high) / (2 * max(len(known), 1)))


# `Any` is used because the results of the kernels have different types.
def _in_parts(queries: Points, search: Callable[..., Any]) -> list[Any]:
    """Run a search in parallel, with a part of the queries on each processor, and return its results."""
    n_threads = count_threads()
    numbers, codes = (
        np.array_split(np.ascontiguousarray(part.T), n_threads) for part in (queries.numbers, queries.codes)
    )
    with ThreadPoolExecutor(n_threads) as threads:
        return list(threads.map(search, numbers, codes))
