"""When a relation that no row breaks is a rule, and when so few rows could have kept it by chance.

Evidence is the logarithm of how much likelier the rows are if the rule holds than if the columns are
independent. By Markov's inequality independent columns reach evidence t with a chance of at most exp(-t).
To ask for the logarithm of 10**9 times the number of relations tried leaves a chance of one in 10**9.
"""

from __future__ import annotations

import math

import numpy as np

from understudy.synthesizers.rules.values import Floats, Int32s, Int64s

CHANCE_MAX = 1e-9


def is_significant(evidence: float, n_hypotheses: int) -> bool:
    """Return whether chance is ruled out for a relation that is one of so many tried."""
    return evidence > math.log(max(n_hypotheses, 1) / CHANCE_MAX)


def surprises(counts: Int64s) -> Floats:
    """Return -log of the frequency of each value, zero for values that do not occur."""
    total = max(int(counts.sum()), 1)
    frequency: Floats = np.where(counts > 0, counts / total, 1.0)
    return -np.log(frequency)


def entropy(counts: Int64s) -> float:
    """Return the entropy of counts, in nats."""
    return float((counts / max(int(counts.sum()), 1)) @ surprises(counts))


def evidence_of_groups(n_rows: Int64s, surprise: Floats) -> float:
    """Return the evidence that rows of a group have one value.

    The first row of a group says which value; every further one had to agree. The largest group does not
    count: that a column is zero wherever another is zero says nothing of the other values.

    Parameters
    ----------
    n_rows : array of shape (n_groups,)
    surprise : array of shape (n_groups,)
        -log of how frequent the group's value is elsewhere.
    """
    gains = np.maximum(n_rows - 1, 0) * surprise
    return float(gains.sum() - gains[n_rows.argmax()]) if len(gains) else 0.0


def least_repeats(n_rows: int, n_sample: int) -> float:
    """Return how many rows of a sample repeat another's value, at least, if five share one on average.

    With equal groups of five the number is lowest. Half of the expectation is asked for, and nothing where it
    is so small that chance decides.
    """
    if n_sample >= n_rows:
        return 0.8 * n_rows
    expected = n_sample - n_rows / 5 * (1 - (1 - n_sample / n_rows) ** 5)
    return expected / 2 if expected > 60 else 0.0


def joint(first: Int32s, second: Int32s, n_second: int) -> Int64s:
    """Return one code for two."""
    return first.astype(np.int64) * n_second + second
