"""Coarse codes, what other columns' trees look at: at most 256 groups of neighbours, of near equal mass."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

N_COARSE_CODES = 256


def fit_coarse(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.uint8]:
    """Return the coarse code of every code.

    Parameters
    ----------
    counts : array of shape (n_codes,)
        Rows with each code; at least one row.
    """
    n = len(counts)
    if n <= N_COARSE_CODES:
        return np.arange(n, dtype=np.uint8)
    middle = np.cumsum(counts) - counts / 2
    group = np.minimum(middle / counts.sum() * N_COARSE_CODES, N_COARSE_CODES - 1).astype(np.int64)
    return np.unique(group, return_inverse=True)[1].astype(np.uint8)
