"""How far a curve of shares by depth is from the diagonal: what alpha-precision and beta-recall share."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.statistics.auc import interval

N_STEPS = 40
N_RESAMPLED = 200

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
# Shares of depth from 0 to 1.
LEVELS = np.linspace(0, 1, N_STEPS + 1)


def closeness(curve: Floats) -> Floats:
    """Return 1 - twice the mean distance of curves on `LEVELS` from the diagonal (Alaa et al. 2022)."""
    return np.asarray(1 - np.abs(curve - LEVELS).sum(axis=-1) / LEVELS.sum())


def estimated(curve: Floats, drawn: Floats, factor: float = 1.0) -> tuple[float, tuple[float, float]]:
    """Return the closeness of a curve, and its 95 % interval by the spread of curves of rows drawn anew.

    Parameters
    ----------
    curve, drawn : array of shape (n_steps + 1,), (n_drawn, n_steps + 1)
    factor : float
        How much wider the interval is, for rows that were not drawn anew.
    """
    estimate = max(float(closeness(curve)), 0.0)
    return estimate, interval(estimate, factor * float(np.std(closeness(drawn))), 0.0, 1.0)


def drawn_steps(counts: Integers, rng: np.random.Generator) -> Integers:
    """Return how many of as many rows, drawn with replacement, would be at each step; 200 times."""
    return rng.multinomial(int(counts.sum()), counts / counts.sum(), N_RESAMPLED)


def points(curve: Floats) -> list[tuple[float, float]]:
    """Return the curve for a report."""
    return [(round(float(x), 4), round(float(y), 4)) for x, y in zip(LEVELS, curve, strict=True)]
