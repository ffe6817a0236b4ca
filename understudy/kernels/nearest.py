"""The distance of each row to its nearest row of another table, over columns of both kinds."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

# Rows of the other table whose sums are kept at a time: they stay in the processor's nearest cache.
BLOCK = 1024


# fastmath, as only then min() becomes one instruction for many numbers; it asks for numbers without NaN.
@njit(cache=True, nogil=True, fastmath=True)
def nearest_distances(
    query_numbers: npt.NDArray[np.float32],
    query_codes: npt.NDArray[np.int32],
    other_numbers: npt.NDArray[np.float32],
    other_codes: npt.NDArray[np.int32],
) -> npt.NDArray[np.float32]:
    """Return for each query row the smallest distance to a row of the other table.

    Parameters
    ----------
    query_numbers : array of shape (n_queries, n_numbers)
        Finite; a pair of numbers counts as at most 1 apart.
    query_codes : array of shape (n_queries, n_codes)
        A pair of codes is 0 apart if equal, else 1.
    other_numbers, other_codes : array of shape (n_numbers, n_others), (n_codes, n_others)
        Column by column, unlike the queries.
    """
    n_queries, n_numbers = query_numbers.shape
    n_codes, n_others = other_codes.shape
    result = np.full(n_queries, np.float32(n_numbers + n_codes), dtype=np.float32)
    sums = np.empty(BLOCK, dtype=np.float32)
    for start in range(0, n_others, BLOCK):
        size = min(BLOCK, n_others - start)
        for i in range(n_queries):
            sums[:] = np.float32(0)
            for c in range(n_numbers):
                number = query_numbers[i, c]
                column = other_numbers[c, start : start + size]
                for j in range(size):
                    sums[j] += min(np.float32(1), abs(number - column[j]))
            for c in range(n_codes):
                code = query_codes[i, c]
                codes = other_codes[c, start : start + size]
                for j in range(size):
                    sums[j] += np.float32(code != codes[j])
            for j in range(size):
                result[i] = min(result[i], sums[j])
    return result
