"""Nearest rows in another table, by several sets of columns at once, and rows that differ in few columns."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from understudy.kernels.trees import Float64s, Int64s

# Number of rows of the other table per block, so that their sums for all views fit in the L1 cache.
BLOCK = 512

Float32s = npt.NDArray[np.float32]
Int32s = npt.NDArray[np.int32]
Mask = npt.NDArray[np.bool_]


class Rows(NamedTuple):
    """Rows of numeric and coded columns. The kernel determines whether rows or columns come first.

    Parameters
    ----------
    numbers : array of shape (n_rows, n_numbers) or (n_numbers, n_rows)
        Values of numeric columns.
    codes : array of shape (n_rows, n_codes) or (n_codes, n_rows)
        Codes of other columns.
    """

    numbers: Float32s
    codes: Int32s


class Views(NamedTuple):
    """Sets of columns that are compared separately, in addition to all columns.

    Parameters
    ----------
    part : array of shape (n_numbers + n_codes,) or (0,)
        Mask of a set of columns, numeric columns first. If the mask is not empty, the set and its complement
        are two further views.
    left_out : array of shape (n_left_out,)
        Columns for leave-one-out views: each view contains all columns except one of these.
    """

    part: Mask
    left_out: Int64s


class _Block(NamedTuple):
    """A block of rows of the other table, with buffers for distances in one column and for sums by view."""

    start: int
    size: int
    apart: Float32s
    sums: Float32s


# fastmath allows vectorized min(), but requires numbers without NaN.
@njit(cache=True, nogil=True, fastmath=True)
def _smallest(sums: Float32s, size: int) -> np.float32:
    smallest = np.float32(np.inf)
    for j in range(size):
        smallest = min(smallest, sums[j])
    return smallest


@njit(cache=True, nogil=True)
def _insert(sums: Float32s, size: int, start: int, distances: Float32s, rows: Int32s) -> None:
    """Insert the rows of a block that are nearer than the k-th nearest row so far."""
    k = distances.shape[0]
    for j in range(size):
        distance = sums[j]
        if not distance < distances[k - 1]:
            continue
        place = k - 1
        while place > 0 and distance < distances[place - 1]:
            distances[place], rows[place] = distances[place - 1], rows[place - 1]
            place -= 1
        distances[place], rows[place] = distance, start + j


@njit(cache=True, nogil=True, fastmath=True)
def _measure_numbers(number: float, column: Float32s, apart: Float32s) -> None:
    for j in range(column.shape[0]):
        apart[j] = min(np.float32(1), abs(np.float32(number) - column[j]))


@njit(cache=True, nogil=True, fastmath=True)
def _measure_codes(code: int, column: Int32s, apart: Float32s) -> None:
    for j in range(column.shape[0]):
        apart[j] = np.float32(np.int32(code) != column[j])


@njit(cache=True, nogil=True, fastmath=True)
def _add(apart: Float32s, size: int, sums: Float32s) -> None:
    for j in range(size):
        sums[j] += apart[j]


@njit(cache=True, nogil=True, fastmath=True)
def _turn_into_rest(whole: Float32s, size: int, sums: Float32s) -> None:
    # The result replaces `sums` because compiled loops are slow if arrays might overlap.
    for j in range(size):
        sums[j] = whole[j] - sums[j]


@njit(cache=True, nogil=True)
def _sum_columns(numbers: Float32s, codes: Int32s, others: Rows, views: Views, block: _Block) -> None:
    """Write the distances from one query to the rows in a block, for each set of columns."""
    other_numbers, other_codes = others
    part, left_out = views
    start, size, apart, sums = block
    n_numbers = other_numbers.shape[0]
    n_parts = 2 if part.shape[0] > 0 else 0
    sums[:] = np.float32(0)
    for c in range(n_numbers + other_codes.shape[0]):
        if c < n_numbers:
            # The row is sliced here because fast loops need contiguous arrays, and Numba treats only rows of
            # whole arrays as contiguous.
            _measure_numbers(numbers[c], other_numbers[c, start : start + size], apart)
        else:
            d = c - n_numbers
            _measure_codes(codes[d], other_codes[d, start : start + size], apart)
        _add(apart, size, sums[0])
        if n_parts > 0 and part[c]:
            _add(apart, size, sums[1])
        for v in range(left_out.shape[0]):
            if left_out[v] == c:
                _add(apart, size, sums[1 + n_parts + v])
    if n_parts > 0:
        _add(sums[1], size, sums[2])
    for v in range(min(2, 1 + n_parts), sums.shape[0]):
        _turn_into_rest(sums[0], size, sums[v])


@njit(cache=True, nogil=True)
def nearest_rows(queries: Rows, others: Rows, views: Views, k: int) -> tuple[Float32s, Int32s]:
    """Return the k nearest rows of the other table by all columns, and by other sets of columns.

    The distance between two rows is a sum over columns. Numbers contribute their absolute difference, limited
    to 1. Codes contribute 0 if they are equal and 1 otherwise. Numbers that are multiples of a power of two
    are added without rounding, so that ties are exact.

    Parameters
    ----------
    queries : Rows
        Query rows, of shape (n_queries, n_columns).
    others : Rows
        Rows to search, of shape (n_columns, n_rows).
    views : Views
        Further sets of columns.
    k : int
        Number of nearest rows.

    Returns
    -------
    distances, rows : array of shape (n_views, n_queries, k)
        Distances and indices, nearest rows first. Equally near rows are in the order of the table. If fewer
        than k rows exist, the remaining indices are -1. The first view contains all columns. If `part` is not
        empty, the next two views contain the set `part` and the remaining columns. The leave-one-out views
        follow, with only the nearest row.
    """
    part, left_out = views
    n_queries, n_others = queries.numbers.shape[0], others.codes.shape[1]
    n_parts = 2 if part.shape[0] > 0 else 0
    n_views = 1 + n_parts + left_out.shape[0]
    distances = np.full((n_views, n_queries, k), np.float32(np.inf), dtype=np.float32)
    rows = np.full((n_views, n_queries, k), -1, dtype=np.int32)
    sums = np.zeros((n_views, BLOCK), dtype=np.float32)
    apart = np.zeros(BLOCK, dtype=np.float32)
    for start in range(0, n_others, BLOCK):
        size = min(BLOCK, n_others - start)
        block = _Block(start, size, apart, sums)
        for i in range(n_queries):
            _sum_columns(queries.numbers[i], queries.codes[i], others, views, block)
            for v in range(n_views):
                # Finding the smallest distance in a block is faster than inserting its rows one by one.
                # Therefore, a block is only inserted if its smallest distance is small enough.
                n_kept = k if v <= n_parts else 1
                if _smallest(sums[v], size) < distances[v, i, n_kept - 1]:
                    _insert(sums[v], size, start, distances[v, i, :n_kept], rows[v, i, :n_kept])
    return distances, rows


@njit(cache=True, nogil=True, fastmath=True)
def _count_far(number: float, column: Float32s, tolerance: float, counts: Int32s) -> None:
    for j in range(column.shape[0]):
        counts[j] += np.int32(abs(np.float32(number) - column[j]) > np.float32(tolerance))


@njit(cache=True, nogil=True)
def _count_unequal(code: int, column: Int32s, counts: Int32s) -> None:
    for j in range(column.shape[0]):
        counts[j] += np.int32(np.int32(code) != column[j])


@njit(cache=True, nogil=True)
def fewest_differences(queries: Rows, others: Rows, tolerance: float) -> Float64s:
    """Return, for each query, the number of columns that differ from the most similar row in `others`.

    Parameters
    ----------
    queries, others : Rows
        Rows in the layout of `nearest_rows`.
    tolerance : float
        Maximum difference of numbers that count as equal.
    """
    query_numbers, query_codes = queries
    other_numbers, other_codes = others
    n_queries, n_numbers = query_numbers.shape
    n_codes, n_others = other_codes.shape
    fewest = np.full(n_queries, n_numbers + n_codes, dtype=np.int32)
    counts = np.zeros(BLOCK, dtype=np.int32)
    for start in range(0, n_others, BLOCK):
        size = min(BLOCK, n_others - start)
        for i in range(n_queries):
            counts[:] = 0
            for c in range(n_numbers):
                _count_far(query_numbers[i, c], other_numbers[c, start : start + size], tolerance, counts)
            for c in range(n_codes):
                _count_unequal(query_codes[i, c], other_codes[c, start : start + size], counts)
            for j in range(size):
                fewest[i] = min(fewest[i], counts[j])
    return fewest.astype(np.float64)
