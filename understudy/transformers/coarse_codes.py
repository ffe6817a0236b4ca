"""Groups of neighbouring codes or levels, of near equal mass, such as the coarse codes that trees look at."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

N_COARSE_CODES = 256

Int64s = npt.NDArray[np.int64]


def fit_coarse(counts: Int64s) -> npt.NDArray[np.uint8]:
    """Return the coarse code of every code.

    Parameters
    ----------
    counts : array of shape (n_codes,)
        Rows with each code; at least one row.
    """
    return group_neighbours(counts, N_COARSE_CODES).astype(np.uint8)


def group_neighbours(counts: Int64s, n_groups_max: int) -> Int64s:
    """Return the group of every code: itself if there are few enough codes.

    Parameters
    ----------
    counts : array of shape (n_codes,)
        Rows with each code; at least one row.
    """
    if len(counts) <= n_groups_max:
        return np.arange(len(counts))
    middle = np.cumsum(counts) - counts / 2
    group = np.minimum(middle / counts.sum() * n_groups_max, n_groups_max - 1).astype(np.int64)
    return np.unique(group, return_inverse=True)[1]
