"""Families of distributions of the excesses over a high threshold, fitted to the rows below the extremes.

The k - 1 extreme rows are never read. They are treated as censored at the k-th value, so that only their
number influences the fit. Three families are fitted: the generalized Pareto distribution (Pickands 1975), the
Weibull distribution, and the left-truncated lognormal distribution. The family with the highest likelihood is
stored as a table of quantiles.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from understudy.kernels.decoding import N_TAIL_LEVELS, TAIL_LEVELS_PER_OCTAVE
from understudy.transformers.base import MIN_SUPPORT
from understudy.transformers.simplex import Point, minimize

Floats = npt.NDArray[np.float64]

# Fraction of the rows to which a tail is fitted, highest values first, and bounds for their number.
FRACTION_FITTED = 0.1
N_FITTED_MIN, N_FITTED_MAX = 25, 1000
# Minimum number of distinct values among the fitted rows, so that a continuous distribution is adequate.
N_DISTINCT_MIN = 20
# Bounds for the shape of a generalized Pareto distribution. If the shape is 1 or more, the mean is infinite.
SHAPE_MIN, SHAPE_MAX = -1.0, 0.95
# Upper bound for the logarithm of a fitted scale. It is not reached, because excesses are divided by their
# mean.
LOG_SCALE_MAX = 30.0

# Lowest probability in normal quantile computations. Its quantile is 37 standard deviations below the mean.
LOWEST_PROBABILITY = 1e-300
# Beyond this distance below zero, a series expansion gives the logarithm of a normal probability, because
# erfc underflows.
LOG_EXPANSION_FROM = 30.0
_STANDARD = NormalDist()
_ROOT_OF_2 = math.sqrt(2)

# Probability that a row in the tail exceeds each level's offset.
SURVIVALS = 2.0 ** (-np.arange(N_TAIL_LEVELS) / TAIL_LEVELS_PER_OCTAVE)


@dataclass(frozen=True, eq=False, repr=False)
class Excesses:
    """Excesses over a threshold, and the number of larger excesses that are censored.

    Parameters
    ----------
    values : array of shape (n,)
        Excesses, in units of their mean.
    censor : float
        Largest excess that is read.
    n_censored : int
        Number of excesses above `censor`.
    threshold : float
        Threshold in units of the mean excess. The lognormal family requires a positive threshold.
    """

    values: Floats
    censor: float
    n_censored: int
    threshold: float


@dataclass(frozen=True, eq=False, repr=False)
class _Fit:
    """A fitted family: its loss, and the functions that convert between excesses and survival."""

    loss: float
    survival: Callable[[float], float]
    quantile: Callable[[Floats], Floats]


def count_fitted(n_rows: int) -> int:
    """Return how many of a column's highest rows are used to fit its tail."""
    return int(np.clip(n_rows * FRACTION_FITTED, N_FITTED_MIN, N_FITTED_MAX))


def fit_offsets(highest: Floats, start: float) -> Floats | None:
    """Return the offsets of an upper tail from its start, or None if no tail can be fitted.

    Parameters
    ----------
    highest : array of shape (n_fitted + 1,)
        The threshold and the highest numbers of a column in ascending order. The last `MIN_SUPPORT` - 1
        numbers are not read.
    start : float
        Start of the tail, which is close to the k-th highest number.

    Returns
    -------
    array of shape (N_TAIL_LEVELS,)
        Offsets in ascending order. `SURVIVALS` contains the probability that each offset is exceeded.
    """
    threshold, body = highest[0], highest[1 : len(highest) - MIN_SUPPORT + 1]
    scale = float((body - threshold).mean())
    if not scale > 0 or len(np.unique(body)) < N_DISTINCT_MIN:
        return None
    positive = np.maximum((body - threshold) / scale, 1e-6)
    excesses = Excesses(positive, float(positive[-1]), MIN_SUPPORT - 1, float(threshold / scale))
    best = min(_fit_families(excesses), key=lambda fit: fit.loss)
    at = float((start - threshold) / scale)
    beyond = best.survival(at)
    if not beyond > 0:
        return None
    with np.errstate(over="ignore"):
        offsets = (best.quantile(beyond * SURVIVALS) - at) * scale
    offsets = np.maximum.accumulate(np.maximum(offsets, 0.0))
    return offsets if np.isfinite(offsets).all() else None


def _fit_families(excesses: Excesses) -> Iterator[_Fit]:
    yield _fit_pareto(excesses)
    yield _fit_weibull(excesses)
    if excesses.threshold > 0:
        yield _fit_lognormal(excesses)


def _fit_pareto(excesses: Excesses) -> _Fit:
    values, censor, n_censored = excesses.values, excesses.censor, excesses.n_censored
    n, total = len(values), float(values.sum())

    def survival(excess: float, shape: float, scale: float) -> float:
        if abs(shape) < 1e-6:
            return float(np.exp(-excess / scale))
        return float(max(1 + shape * excess / scale, 0.0) ** (-1 / shape))

    def loss(parameters: Point) -> float:
        shape, log_scale = parameters
        if not SHAPE_MIN <= shape <= SHAPE_MAX or abs(log_scale) > LOG_SCALE_MAX:
            return math.inf
        scale = math.exp(log_scale)
        rate = shape / scale
        if 1 + rate * censor <= 0:
            return math.inf
        if abs(shape) < 1e-6:
            return n * log_scale + (total + n_censored * censor) / scale
        logs = float(np.add.reduce(np.log1p(rate * values))) * (1 / shape + 1)
        return n * log_scale + logs + n_censored * math.log1p(rate * censor) / shape

    (shape, log_scale), lowest = minimize(loss, (0.1, 0.0))
    scale = math.exp(log_scale)

    def quantile(survivals: Floats) -> Floats:
        if abs(shape) < 1e-6:
            return -scale * np.log(survivals)
        excess: Floats = scale / shape * np.expm1(-shape * np.log(survivals))
        return excess

    return _Fit(lowest, lambda excess: survival(excess, shape, scale), quantile)


def _fit_weibull(excesses: Excesses) -> _Fit:
    logs, n_censored = np.log(excesses.values), excesses.n_censored
    log_censor = math.log(excesses.censor)
    n, log_sum = len(logs), float(logs.sum())

    def loss(parameters: Point) -> float:
        log_shape, log_scale = parameters
        if max(abs(log_shape), abs(log_scale)) > LOG_SCALE_MAX or not 0.1 <= math.exp(log_shape) <= 5:
            return math.inf
        shape = math.exp(log_shape)
        density = n * (log_shape - log_scale) + (shape - 1) * (log_sum - n * log_scale)
        powers = float(np.add.reduce(np.exp(shape * (logs - log_scale))))
        return powers + n_censored * math.exp(shape * (log_censor - log_scale)) - density

    (log_shape, log_scale), lowest = minimize(loss, (0.0, 0.0))
    shape, scale = math.exp(log_shape), math.exp(log_scale)
    return _Fit(
        lowest,
        lambda excess: float(np.exp(-((max(excess, 0.0) / scale) ** shape))),
        lambda survivals: scale * (-np.log(survivals)) ** (1 / shape),
    )


def _fit_lognormal(excesses: Excesses) -> _Fit:
    threshold = math.log(excesses.threshold)
    censor = math.log(excesses.threshold + excesses.censor)
    logs = np.log(excesses.threshold + excesses.values)
    # The mean and the variance of the logarithms suffice for the likelihood of a normal distribution.
    n, middle, variance = len(logs), float(logs.mean()), float(logs.var())
    constant = float(logs.sum()) + n * 0.5 * math.log(2 * math.pi)
    n_all = n + excesses.n_censored

    def log_survival(log_value: float, mean: float, sd: float) -> float:
        return log_normal_probability((mean - log_value) / sd)

    n_censored = excesses.n_censored

    def loss(parameters: Point) -> float:
        mean, log_sd = parameters
        if abs(log_sd) > LOG_SCALE_MAX:
            return math.inf
        sd = math.exp(log_sd)
        squares = 0.5 * n * (variance + (middle - mean) ** 2) / sd**2 + n * log_sd + constant
        beyond = n_censored * log_normal_probability((mean - censor) / sd)
        return squares - beyond + n_all * log_normal_probability((mean - threshold) / sd)

    (mean, log_sd), lowest = minimize(loss, (threshold, math.log(max(math.sqrt(variance), 1e-3) * 2)))
    sd = math.exp(log_sd)
    whole = log_survival(threshold, mean, sd)

    def survival(excess: float) -> float:
        value = excesses.threshold + max(excess, 0.0)
        return math.exp(log_survival(math.log(value), mean, sd) - whole)

    def quantile(survivals: Floats) -> Floats:
        probabilities = np.exp(whole + np.log(survivals))
        z = -np.array([_STANDARD.inv_cdf(max(p, LOWEST_PROBABILITY)) for p in probabilities])
        excess: Floats = np.exp(mean + sd * z) - excesses.threshold
        return excess

    return _Fit(lowest, survival, quantile)


def log_normal_probability(z: float) -> float:
    """Return the logarithm of the probability that a standard normal variable is below `z`."""
    if z > -LOG_EXPANSION_FROM:
        return math.log(0.5 * math.erfc(-z / _ROOT_OF_2))
    # The first terms of the asymptotic expansion (Abramowitz and Stegun 1964, 26.2.12).
    return -0.5 * z * z - math.log(-z) - 0.5 * math.log(2 * math.pi) + math.log1p(-1 / z**2 + 3 / z**4)
