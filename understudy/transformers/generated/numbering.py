"""Assign a unique, short and shuffled number to each row."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from understudy.kernels import hashing, permutation
from understudy.transformers.base import RowStream

# Number of rows in the first group. Rows are shuffled within groups, and each group ends at ten times the
# row number at which the previous one ends.
N_ROWS_FIRST = 1000


def shuffle_rows(stream: RowStream) -> npt.NDArray[np.uint64]:
    """Return a number for each row. The number is unique among the rows of the same seed and stream."""
    seed, stream_number, rows = stream.key()
    key = np.uint64(hashing.stream_key(seed, stream_number))
    numbers = np.empty(len(rows), np.uint64)
    low, high = 0, N_ROWS_FIRST
    while low < 2**63:
        own = np.flatnonzero((rows >= np.uint64(low)) & (rows < np.uint64(high)))
        if len(own):
            places = np.empty(len(own), np.uint64)
            permutation.permute(rows[own] - np.uint64(low), np.uint64(high - low), key, places)
            numbers[own] = places + np.uint64(low)
        low, high = high, min(high * 10, 2**63)
        if low == high:
            break
    return numbers
