"""Encoded tables as points between which there is a distance, and the search for the nearest of them.

Rows are compared column by column: numbers by how far apart their ranks in the real table are (0 … 1),
categories by whether they are equal; a missing value equals only another one.
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
from understudy.synthesizers.contexts import count_threads

# Ranks lie between 0 and 1, and the kernels count at most 1 a column: missing is as far as can be from known.
MISSING_AT = 2.0
# Sums of so coarse ranks are exact in single precision for 1,000 columns: equally far is equally far.
RANK_STEPS = 2**14

_NO_PART = np.zeros(0, dtype=np.bool_)


@dataclass(frozen=True)
class Points:
    """Rows as numbers and codes, column by column.

    Parameters
    ----------
    numbers, codes : array of shape (n_numbers, n_rows), (n_codes, n_rows)
    columns : int array of shape (n_numbers + n_codes,)
        Which columns of the schema they are.
    """

    numbers: NDArray[np.float32]
    codes: NDArray[np.int32]
    columns: NDArray[np.int64]

    @property
    def n_rows(self) -> int:
        """Rows that are points."""
        return int(self.numbers.shape[1])

    def first(self, n: int) -> Points:
        """Return the first n points."""
        return Points(self.numbers[:, :n], self.codes[:, :n], self.columns)

    def place(self, column: int) -> int:
        """Return where a column of the schema is among the points' columns."""
        return int(np.flatnonzero(self.columns == column)[0])


@dataclass(frozen=True)
class Neighbours:
    """The nearest rows of another table; the views are those of `kernels.neighbours.nearest_rows`.

    Parameters
    ----------
    distances, rows : array of shape (n_views, n_queries, k)
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
    """Return the real values of a column, among which others have their ranks.

    Of subjects, held-out values count as training values do: the near-equal rows of one subject take many
    ranks, and what lies between two subjects takes none, so that with the ranks of training subjects alone
    members would look further from everything than others do.
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
    """Return the k nearest of the others for each query; parameters as those of the kernel."""
    # Compiled code is loaded only where it runs: the catalogue of metrics is listed without it.
    from understudy.kernels.neighbours import Rows, Views, nearest_rows

    views, columns = Views(part, np.array(left_out, dtype=np.int64)), Rows(others.numbers, others.codes)
    found = _in_parts(
        queries,
        lambda numbers, codes: nearest_rows(Rows(numbers, codes), columns, views, k),
    )
    distances, rows = (np.concatenate(parts, axis=1) for parts in zip(*found, strict=True))
    return Neighbours(distances, rows)


def count_differences(queries: Points, others: Points, tolerance: float) -> NDArray[np.float64]:
    """Return in how many columns each query differs from that other row that differs in the fewest."""
    # Loaded here: Numba is slow to load, and the API lists metrics without it.
    from understudy.kernels.neighbours import Rows, fewest_differences

    columns = Rows(others.numbers, others.codes)
    found = _in_parts(
        queries,
        lambda numbers, codes: fewest_differences(Rows(numbers, codes), columns, tolerance),
    )
    return np.concatenate(found)


def ranks_among(values: Values, real: Values, *, missing_at: float) -> NDArray[np.float64]:
    """Return the share of the real values below each value, half of the equal ones counted."""
    known = np.sort(real[~is_missing(real)])
    low, high = (np.searchsorted(known, values, side=side) for side in ("left", "right"))
    return np.where(is_missing(values), missing_at, (low + high) / (2 * max(len(known), 1)))


# Any: what the kernels give.
def _in_parts(queries: Points, search: Callable[..., Any]) -> list[Any]:
    """Return what is found for the queries, a part of them on each processor."""
    n_threads = count_threads()
    numbers, codes = (
        np.array_split(np.ascontiguousarray(part.T), n_threads) for part in (queries.numbers, queries.codes)
    )
    with ThreadPoolExecutor(n_threads) as threads:
        return list(threads.map(search, numbers, codes))
