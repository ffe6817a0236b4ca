"""Significance tests that distinguish rules from relations that hold by chance.

Evidence is the log likelihood ratio of the rows under the rule and under independent columns. By Markov's
inequality, independent columns reach evidence t with a probability of at most exp(-t). The threshold is the
logarithm of 10**9 times the number of relations tried, so the probability of a false rule is at most 10**-9.
"""

from __future__ import annotations

import math

import numpy as np

from understudy.synthesizers.rules.values import Floats, Int32s, Int64s

CHANCE_MAX = 1e-9


def is_significant(evidence: float, n_hypotheses: int) -> bool:
    """Return whether the evidence is significant for one of `n_hypotheses` relations tried."""
    return evidence > math.log(max(n_hypotheses, 1) / CHANCE_MAX)


def surprises(counts: Int64s) -> Floats:
    """Return -log of the frequency of each value, or zero for values that do not occur."""
    total = max(int(counts.sum()), 1)
    frequency: Floats = np.where(counts > 0, counts / total, 1.0)
    return -np.log(frequency)


def entropy(counts: Int64s) -> float:
    """Return the entropy of counts, in nats."""
    return float((counts / max(int(counts.sum()), 1)) @ surprises(counts))


def evidence_of_groups(n_rows: Int64s, surprise: Floats) -> float:
    """Return the evidence that all rows of each group have the same value.

    The first row of a group sets the value, and each further row adds evidence. The largest group is ignored.
    For example, a column that is zero wherever another column is zero provides no evidence about nonzero
    values.

    Parameters
    ----------
    n_rows : array of shape (n_groups,)
        Number of rows of each group.
    surprise : array of shape (n_groups,)
        -log of the frequency of the group's value in the reference distribution.
    """
    gains = np.maximum(n_rows - 1, 0) * surprise
    return float(gains.sum() - gains[n_rows.argmax()]) if len(gains) else 0.0


def least_repeats(n_rows: int, n_sample: int) -> float:
    """Return the number of sampled rows that must repeat a value, assuming 5 rows per value on average.

    The expected number is lowest for equal groups of 5 rows. The result is half of the expected number, or 0
    if the expected number is at most 60, because chance dominates small numbers.
    """
    if n_sample >= n_rows:
        return 0.8 * n_rows
    expected = n_sample - n_rows / 5 * (1 - (1 - n_sample / n_rows) ** 5)
    return expected / 2 if expected > 60 else 0.0


def joint(first: Int32s, second: Int32s, n_second: int) -> Int64s:
    """Return one code for each pair of codes."""
    return first.astype(np.int64) * n_second + second
