"""The area under the ROC curve (AUC) and its standard error."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray


def auc(positive: NDArray[np.floating], negative: NDArray[np.floating]) -> float:
    """Return the AUC: the probability that a positive scores above a negative, with ties counted as half.

    Parameters
    ----------
    positive, negative : float array of shape (n_positive,), (n_negative,)
        The scores of positive rows and negative rows. Neither array is empty.
    """
    ordered = np.sort(negative)
    below = np.searchsorted(ordered, positive, side="left")
    at_most = np.searchsorted(ordered, positive, side="right")
    return float((below.sum() + at_most.sum()) / (2 * len(positive) * len(negative)))


def auc_standard_error(area: float, n_positive: int, n_negative: int) -> float:
    """Return the standard error of an area under the ROC curve (Hanley and McNeil, 1982)."""
    area = max(area, 1 - area)
    q_1, q_2 = area / (2 - area), 2 * area**2 / (1 + area)
    variance = area * (1 - area) + (n_positive - 1) * (q_1 - area**2) + (n_negative - 1) * (q_2 - area**2)
    return math.sqrt(max(variance, 0.0) / (n_positive * n_negative))


def interval(estimate: float, standard_error: float, low: float, high: float) -> tuple[float, float]:
    """Return the 95% interval of a normally distributed estimate, clipped to its range."""
    half = 1.959964 * standard_error
    return max(low, estimate - half), min(high, estimate + half)
