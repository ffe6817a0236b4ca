"""The distance of each row to its nearest row of another table, over columns of both kinds."""

from __future__ import annotations

import numba
import numpy as np
from numpy.typing import NDArray


@numba.njit(cache=True, nogil=True)
def nearest_distances(
    query_numbers: NDArray[np.float32],
    query_codes: NDArray[np.int32],
    other_numbers: NDArray[np.float32],
    other_codes: NDArray[np.int32],
) -> NDArray[np.float32]:
    """Return for each query row the smallest distance to a row of the other table.

    Parameters
    ----------
    query_numbers, other_numbers : array of shape (n, n_numbers)
        A pair of numbers is at most 1 apart, however far they lie from each other.
    query_codes, other_codes : array of shape (n, n_codes)
        A pair of codes is 0 apart if equal, else 1.

    Notes
    -----
    Sums over columns, and leaves a row as soon as its sum passes the best one so far.
    """
    n_queries, n_others = query_codes.shape[0], other_codes.shape[0]
    n_numbers, n_codes = query_numbers.shape[1], query_codes.shape[1]
    result = np.empty(n_queries, dtype=np.float32)
    for i in range(n_queries):
        best = np.float32(n_numbers + n_codes + 1)
        for j in range(n_others):
            distance = np.float32(0)
            for c in range(n_codes):
                if query_codes[i, c] != other_codes[j, c]:
                    distance += np.float32(1)
            if distance >= best:
                continue
            for c in range(n_numbers):
                distance += min(np.float32(1), abs(query_numbers[i, c] - other_numbers[j, c]))
                if distance >= best:
                    break
            best = min(best, distance)
        result[i] = best
    return result
