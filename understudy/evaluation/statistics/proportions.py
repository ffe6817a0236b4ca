"""Shares and their differences, with intervals that are also valid for few rows."""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import BaseModel, ConfigDict

CONFIDENCE = 0.95
# Maximum number of observations in the prediction of a share. More observations hardly narrow the interval.
N_PREDICTED_MAX = 100_000

Interval = tuple[float, float]


@dataclass(frozen=True)
class Proportion:
    """A share and its effective sample size.

    Parameters
    ----------
    value : float
        The observed or estimated share.
    n : float
        The effective number of independent observations, between the number of units and the number of rows.
    """

    value: float
    n: float


class Excess(BaseModel):
    """The difference between the success of an attack on training rows and on other rows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    score: float
    interval: Interval


def share_of(hits: NDArray[np.bool_], units: NDArray[np.int64]) -> Proportion:
    """Return the share of hits, with the same weight for all units.

    Parameters
    ----------
    hits : bool array of shape (n_rows,)
        Whether each row is a hit.
    units : int array of shape (n_rows,)
        The unit of each row, numbered from 0 to n_units - 1. A unit is a subject or a single row.

    Notes
    -----
    The effective sample size follows Korn and Graubard (1998), "Confidence intervals for proportions with
    small expected number of positive counts estimated from survey data": p (1 - p) divided by the variance of
    p, which is here the variance of the mean over units. One unit with only hits and one without hits are
    added before the variance is computed. With few hits, the correlation of rows within a unit cannot be
    estimated. Because of the two additional units, the rows count as correlated.
    """
    sizes = np.bincount(units)
    if len(sizes) == len(hits):
        return Proportion(float(hits.mean()), len(hits))
    means = np.bincount(units, weights=hits) / sizes
    smoothed = np.append(means, [0.0, 1.0])
    centre = float(smoothed.mean())
    n = len(means) * centre * (1 - centre) / float(smoothed.var())
    return Proportion(float(means.mean()), float(np.clip(n, len(means), len(hits))))


def exact_interval(n_successes: float, n: float, *, confidence: float = CONFIDENCE) -> Interval:
    """Return the interval of a share (Clopper and Pearson, 1934). `n` can be an effective sample size."""
    tail = (1 - confidence) / 2
    low = beta_quantile(tail, n_successes, n - n_successes + 1) if n_successes > 0 else 0.0
    high = beta_quantile(1 - tail, n_successes + 1, n - n_successes) if n_successes < n else 1.0
    return float(low), float(high)


def beta_quantile(share: float, a: ArrayLike, b: ArrayLike) -> NDArray[np.float64]:
    """Return the quantiles of beta distributions with the parameters `a` and `b`."""
    # Imported here because SciPy is slow to load, and listing the metrics does not require it.
    from scipy.stats import beta

    quantiles: NDArray[np.float64] = beta.ppf(share, a, b)
    return quantiles


def score_interval(share: float, n: float, *, confidence: float = CONFIDENCE) -> Interval:
    """Return the confidence interval for a share that is observed in n rows (Wilson, 1927)."""
    z = normal_quantile(confidence)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return centre - half, centre + half


def predicted_shares(share: Proportion, n: float, tail: float) -> Interval:
    """Return the prediction interval for the share in n new observations from the same population.

    Parameters
    ----------
    share : Proportion
        The estimated share.
    tail : float
        Probability that the new share lies beyond a given end of the interval.

    Notes
    -----
    The ends are quantiles of the beta-binomial distribution, which is the posterior predictive distribution
    under Jeffreys' prior.
    """
    n_predicted = int(min(n, N_PREDICTED_MAX))
    a, b = share.value * share.n + 0.5, (1 - share.value) * share.n + 0.5
    counts = np.arange(n_predicted)
    # Log ratios between the probabilities of consecutive counts.
    ratios = np.log((n_predicted - counts) * (counts + a)) - np.log(
        (counts + 1) * (n_predicted - counts - 1 + b)
    )
    logs = np.append(0.0, np.cumsum(ratios))
    masses = np.exp(logs - logs.max())
    shares = np.cumsum(masses) / masses.sum()
    low, high = np.searchsorted(shares, [tail, 1 - tail])
    return float(low) / n_predicted, float(min(high, n_predicted)) / n_predicted


def normal_quantile(confidence: float) -> float:
    """Return the number of standard errors between an estimate and the ends of its interval."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def difference(attack: Proportion, control: Proportion, *, confidence: float) -> Excess:
    """Return the difference of two independent shares.

    Notes
    -----
    Newcombe (1998), "Interval estimation for the difference between independent proportions", method 10: the
    distances to the ends of both shares' Wilson intervals are added in quadrature. The interval is also valid
    near 0 and 1.
    """
    low, high = score_interval(attack.value, attack.n, confidence=confidence)
    low_control, high_control = score_interval(control.value, control.n, confidence=confidence)
    excess = attack.value - control.value
    return Excess(
        score=excess,
        interval=(
            excess - math.hypot(attack.value - low, high_control - control.value),
            excess + math.hypot(high - attack.value, control.value - low_control),
        ),
    )


def risk(attack: Proportion, control: Proportion, *, confidence: float = CONFIDENCE) -> Excess:
    """Return the risk of an attack with success rate a and control success rate c: (a - c) / (1 - c).

    Notes
    -----
    Giomi et al. (2023), "A unified framework for quantifying privacy risk in synthetic data", equation 6. The
    interval is the scaled interval of the difference, because the error of the control in the denominator is
    of second order.
    """
    left = max(1 - control.value, 1 / control.n)
    found = difference(attack, control, confidence=confidence)
    low, high = (float(np.clip(end / left, -1.0, 1.0)) for end in found.interval)
    return Excess(score=float(np.clip(found.score / left, -1.0, 1.0)), interval=(low, high))
