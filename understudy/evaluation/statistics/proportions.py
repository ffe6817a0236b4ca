"""Shares and their differences, with intervals that hold for few rows too."""

from __future__ import annotations

import math

import numpy as np
from pydantic import BaseModel, ConfigDict

CONFIDENCE = 0.95

Interval = tuple[float, float]


class Excess(BaseModel):
    """How much oftener an attack succeeds on rows that were learnt from than on others."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    score: float
    interval: Interval


def exact_interval(n_successes: int, n: int, *, confidence: float = CONFIDENCE) -> Interval:
    """Return the interval of a share (Clopper and Pearson, 1934)."""
    # Loaded here: scipy is slow to load, and the API lists metrics without it.
    from scipy.stats import beta

    tail = (1 - confidence) / 2
    low = beta.ppf(tail, n_successes, n - n_successes + 1) if n_successes > 0 else 0.0
    high = beta.ppf(1 - tail, n_successes + 1, n - n_successes) if n_successes < n else 1.0
    return float(low), float(high)


def score_interval(share: float, n: float, *, confidence: float = CONFIDENCE) -> Interval:
    """Return the interval of a share of n rows (Wilson, 1927)."""
    z = normal_quantile(confidence)
    centre = (share + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2))
    return centre - half, centre + half


def normal_quantile(confidence: float) -> float:
    """Return how many standard errors an interval reaches to each side."""
    # Loaded here: scipy is slow to load, and the API lists metrics without it.
    from scipy.stats import norm

    return float(norm.ppf((1 + confidence) / 2))


def difference(attack: float, control: float, n: int, n_control: int, *, confidence: float) -> Excess:
    """Return the difference of two independent shares.

    Notes
    -----
    Newcombe (1998), "Interval estimation for the difference between independent proportions", method 10: the
    distances to the ends of both shares' Wilson intervals are added as errors are. It holds near 0 and 1.
    """
    low, high = score_interval(attack, n, confidence=confidence)
    low_control, high_control = score_interval(control, n_control, confidence=confidence)
    excess = attack - control
    return Excess(
        score=excess,
        interval=(
            excess - math.hypot(attack - low, high_control - control),
            excess + math.hypot(high - attack, control - low_control),
        ),
    )


def risk(attack: float, control: float, n: int, n_control: int, *, confidence: float = CONFIDENCE) -> Excess:
    """Return the share of what the control leaves open that the attack finds: (a - c) / (1 - c).

    Notes
    -----
    Giomi et al. (2023), "A unified framework for quantifying privacy risk in synthetic data", equation 6. The
    interval is that of the difference, scaled; the control's error in the denominator is of second order.
    """
    left = max(1 - control, 1 / n_control)
    found = difference(attack, control, n, n_control, confidence=confidence)
    low, high = (float(np.clip(end / left, -1.0, 1.0)) for end in found.interval)
    return Excess(score=float(np.clip(found.score / left, -1.0, 1.0)), interval=(low, high))
