"""Splitting of sorted rows into blocks with a minimum number of subjects."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

Int64s = npt.NDArray[np.int64]
Mask = npt.NDArray[np.bool_]


@njit(cache=True, nogil=True)
def find_blocks(subjects: Int64s, is_value: Mask, is_run: Mask, n_subjects: int, k: int) -> Int64s:
    """Return the first row of every block. Blocks have at least k subjects and do not split equal values.

    Each block is as small as possible and lies within one run. The last block of a run includes the remaining
    rows, and a run with fewer than k subjects is one block.

    Parameters
    ----------
    subjects : array of shape (n_rows,)
        Subject of each row, from 0 to n_subjects - 1.
    is_value, is_run : array of shape (n_rows,)
        Masks of the rows that begin a value or a run. A row that begins a run also begins a value.
    n_subjects : int
        Number of subjects.
    k : int
        Minimum number of subjects in a block.
    """
    n_rows = subjects.shape[0]
    begin = np.empty(n_rows, np.int64)
    last_block = np.full(n_subjects, -1)
    n_blocks, block, n_own = 0, 0, 0
    is_first_of_run = True
    for i in range(n_rows):
        if is_run[i] or (is_value[i] and n_own >= k):
            if is_run[i] and n_own < k and not is_first_of_run:
                n_blocks -= 1
            is_first_of_run = is_run[i]
            begin[n_blocks] = i
            n_blocks += 1
            block += 1
            n_own = 0
        if last_block[subjects[i]] != block:
            last_block[subjects[i]] = block
            n_own += 1
    if n_own < k and not is_first_of_run:
        n_blocks -= 1
    return begin[:n_blocks].copy()


@njit(cache=True, nogil=True)
def mark_first_rows(subjects: Int64s, begin: Int64s, n_subjects: int) -> Mask:
    """Return a mask of the rows that are the first row of their subject in their block.

    Parameters
    ----------
    subjects : array of shape (n_rows,)
        Subject of each row, from 0 to n_subjects - 1.
    begin : array of shape (n_blocks,)
        First row of each block. The first block starts at row 0.
    n_subjects : int
        Number of subjects.
    """
    is_first = np.zeros(subjects.shape[0], np.bool_)
    last_block = np.full(n_subjects, -1)
    block = -1
    for i in range(subjects.shape[0]):
        if block + 1 < begin.shape[0] and begin[block + 1] == i:
            block += 1
        if last_block[subjects[i]] != block:
            last_block[subjects[i]] = block
            is_first[i] = True
    return is_first
