"""Count the rows, or the declared subjects, that share each number of a column."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.kernels import blocks
from understudy.transformers.base import MIN_SUPPORT, Mask, Subjects

# `Any` represents ticks (uint64) or floats (float64). Results have the type of the arguments.
Numbers = npt.NDArray[Any]
Int64s = npt.NDArray[np.int64]

# Number of rows that are searched first for the row of the k-th subject.
N_ROWS_FIRST = 64


@dataclass(frozen=True, eq=False, repr=False)
class SortedRows:
    """The numbers of a column in ascending order, from the k-th lowest to the k-th highest value.

    Parameters
    ----------
    values : array of shape (n,)
        The numbers; empty if the k-th lowest is above the k-th highest.
    subjects : array of shape (n,), optional
        Subject of each number.
    first_row : array of shape (n_distinct,)
        First row of each distinct value.
    is_shared : array of shape (n_distinct,)
        Whether at least k rows or subjects have the value. All rows with a shared value are included.
    n_rows_beyond : int
        Number of rows in the column with a number below the first or above the last of these values.
    """

    values: Numbers
    subjects: Subjects | None
    first_row: Int64s
    is_shared: Mask
    n_rows_beyond: int

    def first_rows_of_blocks(self, first_row_of_run: Int64s) -> Int64s:
        """Cut runs into blocks of k subjects each, without dividing equal values.

        A run with fewer than k subjects becomes a single block.
        """
        assert self.subjects is not None
        is_value, is_run = np.zeros((2, len(self.values)), np.bool_)
        is_value[self.first_row] = True
        is_run[first_row_of_run] = True
        n_subjects = int(self.subjects.max()) + 1
        return blocks.find_blocks(self.subjects, is_value, is_run, n_subjects, MIN_SUPPORT)

    def count_subjects(self, first_row: Int64s) -> tuple[Int64s, Mask]:
        """Return the number of subjects in each block, and a mask of the first row per subject and block."""
        assert self.subjects is not None
        is_first = blocks.mark_first_rows(self.subjects, first_row, int(self.subjects.max()) + 1)
        return np.add.reduceat(is_first.astype(np.int64), first_row), is_first

    def smooth(self, first_row: Int64s) -> Numbers:
        """Return the values with each block replaced by the mean of its subjects' lowest values."""
        n_subjects, is_first = self.count_subjects(first_row)
        size = np.diff(np.append(first_row, len(self.values)))
        base = self.values[first_row]
        above = (self.values - np.repeat(base, size)).astype(np.float64)
        mean = np.add.reduceat(above * is_first, first_row) / n_subjects
        moved = base + (np.rint(mean) if base.dtype == np.uint64 else mean).astype(base.dtype)
        return np.repeat(np.minimum(moved, self.values[first_row + size - 1]), size)


def sort_rows(values: Numbers, subjects: Subjects | None) -> SortedRows:
    """Return a column's numbers from the k-th lowest to the k-th highest value in ascending order."""
    ordered, owners = _sort(values, subjects)
    is_first = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    first_row = np.flatnonzero(is_first)
    is_shared = _count_sharers(first_row, is_first, owners) >= MIN_SUPPORT
    low, high = _ends(first_row, is_shared, len(ordered), owners)
    if low >= high:
        return SortedRows(ordered[:0], None, first_row[:0], is_shared[:0], len(ordered))
    a, b = np.searchsorted(first_row, [low, high - 1], side="right")
    last_row = np.append(first_row, len(ordered))[b]
    return SortedRows(
        ordered[low:high],
        None if owners is None else owners[low:high],
        np.maximum(first_row[a - 1 : b] - low, 0),
        is_shared[a - 1 : b],
        int(first_row[a - 1] + len(ordered) - last_row),
    )


def central_values(values: Numbers, subjects: Subjects | None) -> Numbers:
    """Return the k central numbers, at most one for each row or subject."""
    if subjects is not None:
        order = np.lexsort((values, subjects))
        owners = subjects[order]
        first = np.flatnonzero(np.concatenate(([True], owners[1:] != owners[:-1])))
        size = np.diff(np.append(first, len(owners)))
        values = values[order][first + (size - 1) // 2]
    ordered = np.sort(values)
    return ordered[(len(ordered) - MIN_SUPPORT) // 2 :][:MIN_SUPPORT]


def count_subjects(n_rows: int, subjects: Subjects | None) -> int:
    """Return the number of subjects, or the number of rows if no subjects are declared."""
    return n_rows if subjects is None else int(np.count_nonzero(np.bincount(subjects)))


def count_sharers(codes: npt.NDArray[Any], n_codes: int, subjects: Subjects | None) -> Int64s:
    """Return the number of rows with each code, or the number of subjects if they are declared."""
    if subjects is None:
        return np.bincount(codes, minlength=n_codes)
    n_subjects = int(subjects.max(initial=0)) + 1
    pairs = np.sort(codes.astype(np.int64) * n_subjects + subjects)
    is_first = np.concatenate(([True], pairs[1:] != pairs[:-1]))[: len(pairs)]
    return np.bincount(pairs[is_first] // n_subjects, minlength=n_codes)


def _sort(values: Numbers, subjects: Subjects | None) -> tuple[Numbers, Subjects | None]:
    if subjects is None:
        return np.sort(values), None
    n_bits = int(subjects.max(initial=0)).bit_length()
    if values.dtype == np.uint64 and int(values.max(initial=0)).bit_length() + n_bits <= 64:
        # One sort of numbers that contain both is several times as fast as a sort by two keys.
        pairs = np.sort(values << np.uint64(n_bits) | subjects.astype(np.uint64))
        owners = pairs & np.uint64((1 << n_bits) - 1)
        return pairs >> np.uint64(n_bits), owners.astype(subjects.dtype)
    order = np.lexsort((subjects, values))
    return values[order], subjects[order]


def _count_sharers(first_row: Int64s, is_first: Mask, owners: Subjects | None) -> Int64s:
    if owners is None:
        return np.diff(np.append(first_row, len(is_first)))
    is_other = is_first.copy()
    is_other[1:] |= owners[1:] != owners[:-1]
    return np.add.reduceat(is_other.astype(np.int64), first_row)


def _ends(first_row: Int64s, is_shared: Mask, n: int, owners: Subjects | None) -> tuple[int, int]:
    """Return the row of the k-th lowest value, and the row after the k-th highest value."""
    low, high = MIN_SUPPORT - 1, n - MIN_SUPPORT + 1
    if owners is not None:
        low = _row_of_kth_subject(owners)
        high = n - _row_of_kth_subject(owners[::-1])
    a, b = np.searchsorted(first_row, [low, high - 1], side="right")
    if is_shared[a - 1]:
        low = int(first_row[a - 1])
    if is_shared[b - 1]:
        high = int(np.append(first_row, n)[b])
    return low, high


def _row_of_kth_subject(owners: Subjects) -> int:
    n_rows = N_ROWS_FIRST
    while True:
        # The first rows usually have enough subjects.
        first = np.unique(owners[:n_rows], return_index=True)[1]
        if len(first) >= MIN_SUPPORT or n_rows >= len(owners):
            return int(np.sort(first)[MIN_SUPPORT - 1])
        n_rows *= 4
