"""Fingerprints of rows: hashes of their values, and the search for fingerprints in a sorted array."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from understudy.kernels.hashing import GOLDEN, mix
from understudy.kernels.trees import Uint32s, Uint64s


@njit(cache=True, nogil=True)
def add_words(words: Uint64s, column: np.uint64, out: Uint64s) -> None:
    """Mix the words of a column into the fingerprints of the rows. The result depends on the column order."""
    for i in range(out.shape[0]):
        out[i] = mix((out[i] ^ words[i]) + (column + np.uint64(1)) * GOLDEN)


@njit(cache=True, nogil=True)
def is_among(queries: Uint32s, ordered: Uint32s) -> npt.NDArray[np.bool_]:
    """Return a mask of the queries that occur in an ascending array.

    Fingerprints are uniformly distributed, so a table of 2**16 start positions replaces a binary search.
    """
    start = np.searchsorted(ordered, (np.arange(65_536) << 16).astype(np.uint32))
    occurs = np.zeros(queries.shape[0], np.bool_)
    for i in range(queries.shape[0]):
        k = start[queries[i] >> 16]
        while k < ordered.shape[0] and ordered[k] < queries[i]:
            k += 1
        occurs[i] = k < ordered.shape[0] and ordered[k] == queries[i]
    return occurs
