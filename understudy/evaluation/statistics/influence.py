"""Measures of prediction quality, with the influence of each test row on the estimate.

Influence values also determine the interval of a difference between two models. Both models are tested on the
same rows, so the influence values are subtracted before their spread is computed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]

# Distance from 0 within which 95% of the standard normal distribution lies.
Z_95 = 1.959964


@dataclass(frozen=True)
class Estimate:
    """An estimate, and the influence of each test row on the estimate.

    Parameters
    ----------
    value : float
        The estimated value.
    influence : float array of shape (n_test,)
        The influence values, with a mean of 0. The standard error of the estimate is the standard deviation
        of these values divided by sqrt(n).
    subjects : int array of shape (n_test,), optional
        The subject of each test row. Rows of the same subject are not independent.
    """

    value: float
    influence: Floats
    subjects: NDArray[np.int64] | None = None

    def __sub__(self, other: Estimate) -> Estimate:
        """Return the difference of two estimates on the same rows."""
        return replace(self, value=self.value - other.value, influence=self.influence - other.influence)

    @property
    def standard_error(self) -> float:
        """The standard error. If subjects are given, the values of each subject's rows are summed first."""
        n = len(self.influence)
        if self.subjects is None:
            return float(self.influence.std()) / math.sqrt(n)
        sums = np.bincount(np.unique(self.subjects, return_inverse=True)[1], weights=self.influence)
        return math.sqrt(float((sums**2).sum())) / n

    def interval(self, low: float, high: float) -> tuple[float, float]:
        """Return the 95% interval, clipped to a range."""
        half = Z_95 * self.standard_error
        return max(low, self.value - half), min(high, self.value + half)


def area(scores: Floats, is_positive: Bools) -> Estimate:
    """Return the area under the ROC curve. Both classes must be present.

    Notes
    -----
    DeLong, DeLong and Clarke-Pearson (1988): the contribution of a row is the share of rows of the other
    class against which the row is ranked correctly, with ties counted as half.
    """
    positive, negative = scores[is_positive], scores[~is_positive]
    right = np.empty(len(scores))
    right[is_positive] = _share_below(np.sort(negative), positive)
    right[~is_positive] = 1 - _share_below(np.sort(positive), negative)
    value = float(right[is_positive].mean())
    weight = np.where(is_positive, len(scores) / len(positive), len(scores) / len(negative))
    return Estimate(value, weight * (right - value))


def _share_below(ordered: Floats, values: Floats) -> Floats:
    below = np.searchsorted(ordered, values, side="left")
    at_most = np.searchsorted(ordered, values, side="right")
    return (below + at_most) / (2 * len(ordered))


def mean_area(probabilities: Floats, truth: NDArray[np.int64]) -> Estimate:
    """Return the area under the ROC curve, or the mean one-vs-rest area for more than two classes.

    Parameters
    ----------
    probabilities : float array of shape (n_test, n_classes)
        The predicted probabilities. A class without training rows has the same probability for all rows, so
        its area is 0.5.
    truth : int array of shape (n_test,)
        The true classes. At least two different classes are required.
    """
    present = np.unique(truth)
    areas = [area(probabilities[:, k], truth == k) for k in (present[1:] if len(present) == 2 else present)]
    return Estimate(
        float(np.mean([estimate.value for estimate in areas])),
        np.mean([estimate.influence for estimate in areas], axis=0),
    )


def r2(predicted: Floats, truth: Floats) -> Estimate:
    """Return the coefficient of determination R², at least -1, with influence values by the delta method."""
    squares = (truth - predicted) ** 2
    spread = (truth - truth.mean()) ** 2
    ratio = squares.mean() / spread.mean()
    return Estimate(float(max(-1.0, 1 - ratio)), -(squares - ratio * spread) / spread.mean())


def average_precision(scores: Floats, is_positive: Bools, weights: Floats | None = None) -> float:
    """Return the average precision: a sum over steps of the precision-recall curve, with ties as one step.

    Parameters
    ----------
    weights : float array of shape (n_test,), optional
        The weight of each row.
    """
    recall, precision = recall_and_precision(scores, is_positive, weights)
    return float(np.sum(np.diff(recall, prepend=0.0) * precision))


def recall_and_precision(
    scores: Floats, is_positive: Bools, weights: Floats | None = None
) -> tuple[Floats, Floats]:
    """Return recall and precision at each distinct score, in descending order of scores."""
    order = np.argsort(-scores, kind="stable")
    is_last = np.append(np.diff(scores[order]) != 0, True)
    counted = np.ones(len(scores)) if weights is None else weights[order]
    n_positive = np.cumsum(counted * is_positive[order])[is_last]
    n_selected = np.cumsum(counted)[is_last]
    precision = np.divide(n_positive, n_selected, out=np.zeros_like(n_positive), where=n_selected > 0)
    return n_positive / max(float(n_positive[-1]), 1e-300), precision


def wilson(n_with: float, n: float) -> tuple[float, float]:
    """Return the 95% interval of a share (Wilson, 1927)."""
    if n == 0:
        return 0.0, 1.0
    share, z = n_with / n, Z_95
    centre = share + z**2 / (2 * n)
    half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return max(0.0, (centre - half) / (1 + z**2 / n)), min(1.0, (centre + half) / (1 + z**2 / n))


def difference_of_shares(n_with: tuple[float, float], n: tuple[float, float]) -> tuple[float, float]:
    """Return the 95% interval of the first share minus the second (Newcombe, 1998, method 10)."""
    (low_1, high_1), (low_2, high_2) = (wilson(*pair) for pair in zip(n_with, n, strict=True))
    share_1, share_2 = n_with[0] / max(n[0], 1), n_with[1] / max(n[1], 1)
    gap = share_1 - share_2
    return (
        gap - math.hypot(share_1 - low_1, high_2 - share_2),
        gap + math.hypot(high_1 - share_1, share_2 - low_2),
    )


def of_absolute(interval: tuple[float, float]) -> tuple[float, float]:
    """Convert the interval of an estimate to the interval of its absolute value."""
    low, high = interval
    return (0.0 if low <= 0 <= high else min(abs(low), abs(high))), max(abs(low), abs(high))
