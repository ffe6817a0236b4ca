"""Distances to the k-th nearest row, and rows within a radius, over numeric and coded columns."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from understudy.kernels.neighbours import Rows

# Number of rows per block, so that their sums fit in the L1 cache.
BLOCK = 1024
FAR = np.float32(1e30)


@njit(cache=True, nogil=True)
def kth_distances(
    queries: Rows, others: Rows, itself: npt.NDArray[np.int64], k: int
) -> npt.NDArray[np.float32]:
    """Return, for each query, the squared distance to its k-th nearest row, excluding the query itself.

    The squared distance is the sum of squared differences of numbers, plus 1 for each different code.

    Parameters
    ----------
    queries : Rows
        Query rows with finite numbers, of shape (n_queries, n_columns).
    others : Rows
        Rows to search, of shape (n_columns, n_rows).
    itself : array of shape (n_queries,)
        Index of each query in `others`.
    k : int
        Rank of the neighbor to find, from 1 to the number of other rows.
    """
    n_queries, n_rows = queries.numbers.shape[0], others.numbers.shape[1]
    result = np.empty(n_queries, dtype=np.float32)
    sums = np.empty(BLOCK, dtype=np.float32)
    nearest = np.empty(k, dtype=np.float32)
    for i in range(n_queries):
        nearest[:] = FAR
        for start in range(0, n_rows, BLOCK):
            size = min(BLOCK, n_rows - start)
            set_squares(queries.numbers[i], queries.codes[i], others, start, sums[:size])
            if start <= itself[i] < start + size:
                sums[itself[i] - start] = FAR
            for j in range(size):
                if sums[j] < nearest[k - 1]:
                    place = k - 1
                    while place > 0 and nearest[place - 1] > sums[j]:
                        nearest[place] = nearest[place - 1]
                        place -= 1
                    nearest[place] = sums[j]
        result[i] = nearest[k - 1]
    return result


@njit(cache=True, nogil=True)
def find_within(
    queries: Rows, others: Rows, radii: npt.NDArray[np.float32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the nearest row for each query, and count the rows and queries within the radii.

    Parameters
    ----------
    queries, others : Rows
        Rows in the layout of `kth_distances`.
    radii : array of shape (n_queries,)
        Squared radius of each query. A row at exactly this distance is within the radius.

    Returns
    -------
    nearest : array of shape (n_queries,)
        Index of the nearest row.
    n_within : array of shape (n_queries,)
        Number of rows within the radius of each query.
    n_around : array of shape (n_rows,)
        For each row, the number of queries that have this row within their radius.
    """
    n_queries, n_rows = queries.numbers.shape[0], others.numbers.shape[1]
    nearest = np.zeros(n_queries, dtype=np.int64)
    n_within, n_around = np.zeros(n_queries, dtype=np.int64), np.zeros(n_rows, dtype=np.int64)
    sums = np.empty(BLOCK, dtype=np.float32)
    for i in range(n_queries):
        least = FAR
        for start in range(0, n_rows, BLOCK):
            size = min(BLOCK, n_rows - start)
            set_squares(queries.numbers[i], queries.codes[i], others, start, sums[:size])
            for j in range(size):
                if sums[j] <= radii[i]:
                    n_within[i] += 1
                    n_around[start + j] += 1
                if sums[j] < least:
                    least = sums[j]
                    nearest[i] = start + j
    return nearest, n_within, n_around


@njit(cache=True, nogil=True)
def set_squares(
    query_numbers: npt.NDArray[np.float32],
    query_codes: npt.NDArray[np.int32],
    others: Rows,
    start: int,
    sums: npt.NDArray[np.float32],
) -> None:
    """Write to `sums` the squared distances from a query to the rows, beginning with row `start`."""
    numbers, codes = others
    size = sums.shape[0]
    sums[:] = np.float32(0)
    for c in range(query_numbers.shape[0]):
        number = query_numbers[c]
        column = numbers[c, start : start + size]
        for j in range(size):
            sums[j] += (number - column[j]) * (number - column[j])
    for c in range(query_codes.shape[0]):
        code = query_codes[c]
        labels = codes[c, start : start + size]
        for j in range(size):
            sums[j] += np.float32(code != labels[j])
