"""How far a curve of shares by depth is from the diagonal: what alpha-precision and beta-recall share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.discrimination import interval

N_STEPS = 40
N_RESAMPLED = 200

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
# Shares of depth from 0 to 1.
LEVELS = np.linspace(0, 1, N_STEPS + 1)


def closeness(curve: Floats) -> Floats:
    """Return 1 - twice the mean distance of curves on `LEVELS` from the diagonal (Alaa et al. 2022)."""
    return np.asarray(1 - np.abs(curve - LEVELS).sum(axis=-1) / LEVELS.sum())


def scored(counts: Integers, n_rows: int, rng: np.random.Generator) -> tuple[float, tuple[float, float]]:
    """Return the closeness of the curve of these rows, and its 95 % interval.

    Parameters
    ----------
    counts : array of shape (n_steps + 2,)
        Rows up to the first level, between each two levels, and beyond all.
    n_rows : int
        Rows by which the levels were set.

    Notes
    -----
    Rows and levels are drawn anew; half of the interval is 1.96 standard deviations of what that gives.
    """
    curve = np.cumsum(counts[:-1]) / counts.sum()
    drawn = rng.multinomial(int(counts.sum()), counts / counts.sum(), N_RESAMPLED)
    ideal = np.diff(LEVELS, prepend=0.0)
    levels = rng.multinomial(n_rows, ideal / ideal.sum(), N_RESAMPLED)
    moved = np.cumsum(drawn[:, :-1], axis=1) / counts.sum() - np.cumsum(levels, axis=1) / n_rows + LEVELS
    estimate = max(float(closeness(curve)), 0.0)
    return estimate, interval(estimate, float(closeness(moved).std()), 0.0, 1.0)


def points(curve: Floats) -> list[tuple[float, float]]:
    """Return the curve for a report."""
    return [(round(float(x), 4), round(float(y), 4)) for x, y in zip(LEVELS, curve, strict=True)]
