"""Order the levels of a large category so that levels with similar values in other columns are adjacent."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from understudy.transformers.base import Codes, Mask
from understudy.transformers.coarse_codes import group_neighbours

Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]

# Number of columns that determine the order: those that are most strongly associated with the levels.
N_KEYS = 2
# Maximum number of cells in a contingency table of levels and codes. In larger tables, codes are grouped.
N_CELLS_MAX = 2**22


def order_levels(levels: Int64s, n_levels: int, others: list[tuple[Codes, int]]) -> Int64s:
    """Return the levels, sorted by their codes in the columns that are most strongly associated with them.

    Parameters
    ----------
    levels : array of shape (n_rows,)
        Level of each row, or a number outside 0 … n_levels - 1 if the row has no level.
    n_levels : int
        Number of levels.
    others : list of (codes, n_codes)
        Codes of the columns to compare with, and the number of codes in each column.

    Notes
    -----
    Memory is limited to a few numbers per row plus `N_CELLS_MAX` cells, for any number of levels and columns.
    """
    has_level = (levels >= 0) & (levels < n_levels)
    own = levels[has_level]
    explained = [_explained(own, n_levels, codes[has_level], n_codes) for codes, n_codes in others]
    best = np.argsort(-np.array(explained), kind="stable")[:N_KEYS]
    if not len(own) or not len(best):
        return np.arange(n_levels)
    keys = [_commonest(own, n_levels, *_present(others[best[0]], has_level))]
    keys += [_mean(own, n_levels, others[j][0][has_level]) for j in best[1:]]
    return np.lexsort(keys[::-1])


def _present(other: tuple[Codes, int], has_level: Mask) -> tuple[Codes, int]:
    return other[0][has_level], other[1]


def _commonest(own: Int64s, n_levels: int, codes: Codes, n_codes: int) -> Float64s:
    """Return the most frequent code for each level. If several codes are tied, return the lowest."""
    cells, n_rows = np.unique(own * n_codes + codes, return_counts=True)
    level = cells // n_codes
    by_level = np.lexsort((-n_rows, level))
    first = by_level[np.flatnonzero(np.concatenate(([True], np.diff(level[by_level]) > 0)))]
    commonest = np.zeros(n_levels)
    commonest[level[first]] = cells[first] % n_codes
    return commonest


def _mean(own: Int64s, n_levels: int, codes: Codes) -> Float64s:
    n_rows = np.bincount(own, minlength=n_levels)
    mean: Float64s = np.bincount(own, codes, n_levels) / np.maximum(n_rows, 1)
    return mean


def _explained(own: Int64s, n_levels: int, codes: Codes, n_codes: int) -> float:
    """Return the share of the other column's entropy that the level explains."""
    group = group_neighbours(np.bincount(codes, minlength=n_codes), max(N_CELLS_MAX // n_levels, 2))
    n = int(group.max()) + 1
    cells = np.bincount(own * n + group[codes], minlength=n_levels * n).reshape(n_levels, n)
    n_rows = max(len(own), 1)
    entropy = np.log(n_rows) - _sum_of_logs(cells.sum(axis=0)) / n_rows
    within = (_sum_of_logs(cells.sum(axis=1)) - _sum_of_logs(cells)) / n_rows
    return float((entropy - within) / max(entropy, 1e-9))


def _sum_of_logs(counts: Int64s) -> float:
    """Return the sum of ``n log n`` over all counts."""
    positive = counts[counts > 0].astype(np.float64)
    return float((positive * np.log(positive)).sum())
