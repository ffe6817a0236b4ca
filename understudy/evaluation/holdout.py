"""Which rows are set aside before anything is learnt."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from understudy.errors import InvalidInput


def split_holdout(n_rows: int, fraction: float, seed: int) -> NDArray[np.bool_]:
    """Return a mask of the rows that are held out.

    Parameters
    ----------
    n_rows : int
        Rows of the table.
    fraction : float
        Wished share of held-out rows, 0 … 1; each row is decided by itself, so the
        real share differs by chance.
    seed : int
        Same seed, same rows.

    Returns
    -------
    mask : bool array of shape (n_rows,)
        True where the row is held out.

    Notes
    -----
    Row k depends on the seed and k alone (SplitMix64, Steele et al. 2014), so a longer table of the same
    seed begins with the same decisions, and no generator's stream has to stay stable across versions.
    """
    if n_rows < 0:
        raise InvalidInput(f"n_rows is {n_rows}; it needs to be 0 or more.")
    if not 0 <= fraction <= 1:
        raise InvalidInput(f"The holdout fraction is {fraction}; it needs to be between 0 and 1.")
    start = mix64(np.array([seed % 2**64], dtype=np.uint64))
    rows = np.arange(n_rows, dtype=np.uint64)
    uniform = (mix64(start + rows) >> np.uint64(11)).astype(np.float64) * 2.0**-53
    return np.asarray(uniform < fraction)


def mix64(values: NDArray[np.uint64]) -> NDArray[np.uint64]:
    """Return the SplitMix64 output for each state."""
    z = values + np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return z ^ (z >> np.uint64(31))
