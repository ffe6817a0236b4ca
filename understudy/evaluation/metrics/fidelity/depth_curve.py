"""The distance of a depth curve from the diagonal, for alpha-precision and beta-recall."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.statistics.auc import interval

N_STEPS = 40
N_RESAMPLED = 200

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]
# Shares of rows at which curves are evaluated, from the innermost rows to all rows.
LEVELS = np.linspace(0, 1, N_STEPS + 1)


def closeness(curve: Floats) -> Floats:
    """Return 1 minus twice the mean distance of curves on `LEVELS` from the diagonal (Alaa et al. 2022)."""
    return np.asarray(1 - np.abs(curve - LEVELS).sum(axis=-1) / LEVELS.sum())


def estimated(curve: Floats, drawn: Floats, factor: float = 1.0) -> tuple[float, tuple[float, float]]:
    """Return the closeness of a curve to the diagonal, and its 95% interval from resampled curves.

    Parameters
    ----------
    curve, drawn : array of shape (n_steps + 1,), (n_drawn, n_steps + 1)
    factor : float
        Factor that widens the interval to account for rows that were not resampled.
    """
    estimate = max(float(closeness(curve)), 0.0)
    return estimate, interval(estimate, factor * float(np.std(closeness(drawn))), 0.0, 1.0)


def drawn_steps(counts: Integers, rng: np.random.Generator) -> Integers:
    """Return the numbers of rows at each step in 200 resamples with replacement."""
    return rng.multinomial(int(counts.sum()), counts / counts.sum(), N_RESAMPLED)


def points(curve: Floats) -> list[tuple[float, float]]:
    """Return the curve as rounded pairs for a report."""
    return [(round(float(x), 4), round(float(y), 4)) for x, y in zip(LEVELS, curve, strict=True)]
