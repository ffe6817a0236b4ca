"""Group neighboring codes or levels into groups of almost equal mass, such as the coarse codes for trees."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

# Maximum number of coarse codes in a column.
N_COARSE_CODES = 256

Int64s = npt.NDArray[np.int64]


def fit_coarse(counts: Int64s) -> npt.NDArray[np.uint8]:
    """Return the coarse code of each code.

    Parameters
    ----------
    counts : array of shape (n_codes,)
        Number of rows with each code; the sum is at least 1.
    """
    return group_neighbours(counts, N_COARSE_CODES).astype(np.uint8)


def group_neighbours(counts: Int64s, n_groups_max: int) -> Int64s:
    """Return the group of each code. If there are at most `n_groups_max` codes, each code is a group.

    Parameters
    ----------
    counts : array of shape (n_codes,)
        Number of rows with each code; the sum is at least 1.
    """
    if len(counts) <= n_groups_max:
        return np.arange(len(counts))
    middle = np.cumsum(counts) - counts / 2
    group = np.minimum(middle / counts.sum() * n_groups_max, n_groups_max - 1).astype(np.int64)
    return np.unique(group, return_inverse=True)[1]
