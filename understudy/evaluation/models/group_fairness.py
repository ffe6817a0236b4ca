"""Fairness measures of two models for the groups of a column, computed on the same test rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.models.prediction import Labelled, Predictions, Target
from understudy.evaluation.statistics.groups import N_ROWS_JUDGED_MIN, Groups
from understudy.evaluation.statistics.influence import wilson

# Number of bootstrap samples.
N_RESAMPLED = 400
# Minimum number of positive test rows per group for evaluating its true and false positive rates. The same
# minimum applies to negative test rows.
N_ROWS_OF_TRUTH_MIN = 20

Floats = NDArray[np.float64]
Interval = tuple[float, float]
Rates = Callable[[Floats], Floats]


@dataclass(frozen=True)
class Crossing:
    """The numbers of test rows by group, by membership in a class, and by the predictions of two models.

    Parameters
    ----------
    label : str
        The name of the class.
    counts : float array of shape (n_groups, 2, 2, 2)
        The numbers of test rows. The axes are the group, true membership in the class, the first model's
        prediction and the second model's prediction.
    """

    label: str
    counts: Floats

    @property
    def n(self) -> NDArray[np.int64]:
        """Number of test rows by group."""
        return np.asarray(self.counts.sum(axis=(1, 2, 3)), dtype=np.int64)

    def model(self, number: int) -> Floats:
        """Return the counts of one model by group, truth and prediction."""
        return of_model(self.counts, number)

    def resampled(self, rng: np.random.Generator) -> Floats:
        """Return the counts of rows sampled with replacement from each group, `N_RESAMPLED` times."""
        cells = self.counts.reshape(len(self.counts), -1)
        drawn = [rng.multinomial(int(row.sum()), row / max(row.sum(), 1), size=N_RESAMPLED) for row in cells]
        return np.stack(drawn, axis=1).reshape(N_RESAMPLED, *self.counts.shape).astype(np.float64)


def of_model(counts: Floats, number: int) -> Floats:
    """Return the counts for one model, summed over the other model's predictions."""
    return np.asarray(counts.sum(axis=-1 if number == 0 else -2))


def crossings(
    target: Target, test: Labelled, models: tuple[Predictions, Predictions], groups: Groups
) -> list[Crossing]:
    """Return the counts for each class. For two classes, return only the counts for the rarer class."""
    assigned = groups.assign(test.table.columns[groups.position])
    present = np.unique(test.classes)
    return [
        Crossing(target.labels[k], _count(assigned, len(groups.labels), _cells(test, models, int(k))))
        for k in (present[1:] if len(present) == 2 else present)
    ]


def _cells(test: Labelled, models: tuple[Predictions, Predictions], k: int) -> NDArray[np.int64]:
    """Return the cell of each test row (0 to 7), from its membership in class k and both predictions."""
    first, second = (model.classes == k for model in models)
    return np.asarray(((test.classes == k) * 2 + first) * 2 + second, dtype=np.int64)


def _count(assigned: NDArray[np.int64], n_groups: int, cells: NDArray[np.int64]) -> Floats:
    """Return the number of test rows by group and cell, in the shape of `Crossing.counts`."""
    counts = np.bincount(assigned * 8 + cells, minlength=n_groups * 8)
    return counts.reshape(n_groups, 2, 2, 2).astype(np.float64)


def selected(counts: Floats) -> Floats:
    """Return the selection rate for each group: the share of its rows that the model assigns to the class."""
    return _share(counts[..., 1].sum(axis=-1), counts.sum(axis=(-1, -2)))


def true_positive_rate(counts: Floats) -> Floats:
    """Return the true positive rate of each group, with the class as the positive outcome."""
    return _share(counts[..., 1, 1], counts[..., 1, :].sum(axis=-1))


def false_positive_rate(counts: Floats) -> Floats:
    """Return the false positive rate of each group, with the class as the positive outcome."""
    return _share(counts[..., 0, 1], counts[..., 0, :].sum(axis=-1))


def _share(part: Floats, whole: Floats) -> Floats:
    return np.divide(part, whole, out=np.zeros_like(part), where=whole > 0)


def parity_difference(counts: Floats) -> Floats:
    """Return the demographic parity difference: the largest difference between selection rates."""
    return np.asarray(np.ptp(selected(counts), axis=-1))


def parity_ratio(counts: Floats) -> float | None:
    """Return the lowest selection rate divided by the highest. A ratio below 0.8 indicates adverse impact.

    Notes
    -----
    The threshold follows the Uniform Guidelines on Employee Selection Procedures (1978), section 4 D.
    """
    shares = selected(counts)
    return float(shares.min() / shares.max()) if shares.max() > 0 else None


def odds_difference(counts: Floats) -> Floats:
    """Return the larger of the differences in true and in false positive rates (Hardt et al., 2016)."""
    gaps_ = [np.ptp(rate(counts), axis=-1) for rate in (true_positive_rate, false_positive_rate)]
    return np.asarray(np.maximum(*gaps_))


def judged_by_parity(crossing: Crossing) -> NDArray[np.bool_]:
    """Return a mask of the groups with enough test rows."""
    return np.asarray(crossing.n >= N_ROWS_JUDGED_MIN)


def judged_by_odds(crossing: Crossing) -> NDArray[np.bool_]:
    """Return a mask of the groups with enough test rows inside and outside the class."""
    by_truth = crossing.counts.sum(axis=(2, 3))
    return np.asarray((crossing.n >= N_ROWS_JUDGED_MIN) & (by_truth.min(axis=1) >= N_ROWS_OF_TRUTH_MIN))


@dataclass(frozen=True)
class Gaps:
    """The difference between groups under each model, and the excess of the first model.

    Parameters
    ----------
    differences : (float, float)
        The difference between groups under the first and under the second model.
    intervals : (Interval, Interval)
        The intervals of the differences.
    excess : float
        The first difference minus the second.
    excess_interval : Interval
        The interval of the excess.
    """

    differences: tuple[float, float]
    intervals: tuple[Interval, Interval]
    excess: float
    excess_interval: Interval


def gaps(
    crossing: Crossing, is_judged: NDArray[np.bool_], difference: Rates, rng: np.random.Generator
) -> Gaps:
    """Return the differences with 95% percentile intervals, from rows that are resampled within the groups.

    Notes
    -----
    Both models are tested on the same resampled rows. Chance biases the largest difference upwards, and
    resampled rows have this bias twice. The interval is therefore widened to contain the estimate.
    """
    evaluated = Crossing(crossing.label, crossing.counts[is_judged])
    differences = [float(difference(evaluated.model(number))) for number in (0, 1)]
    drawn = evaluated.resampled(rng)
    first, second = (difference(of_model(drawn, number)) for number in (0, 1))
    return Gaps(
        (differences[0], differences[1]),
        (_percentiles(first, differences[0]), _percentiles(second, differences[1])),
        differences[0] - differences[1],
        _percentiles(first - second, differences[0] - differences[1]),
    )


def _percentiles(drawn: Floats, value: float) -> Interval:
    low, high = np.quantile(drawn, [0.025, 0.975])
    return min(float(low), value), max(float(high), value)


def share_interval(part: float, whole: float) -> Interval:
    """Return the interval of a share, with the same rounding as the share."""
    low, high = wilson(part, whole)
    return round(low, 4), round(high, 4)
