"""What an attacker knows of a person, and what he would like to know."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import Values, is_missing

# Columns that are taken for sensitive where nobody names any.
N_SENSITIVE = 4
N_CATEGORIES_MIN, N_CATEGORIES_MAX = 2, 20


def sensitive_columns(comparison: Comparison) -> list[int]:
    """Return the columns that are to be guessed: those that were named, or some that can be.

    The target, then categories of 2 to 20 values, then numbers; among alike ones those of most values.
    """
    named = comparison.options.sensitive
    if named:
        return list(dict.fromkeys(comparison.encoder_index(name) for name in named))
    counts = _count_values(comparison)
    order = sorted(range(len(counts)), key=lambda i: (_rank(comparison, i, counts[i]), -counts[i]))
    return [i for i in order if counts[i] >= N_CATEGORIES_MIN and _rank(comparison, i, counts[i]) < 3][
        :N_SENSITIVE
    ]


def split_columns(comparison: Comparison) -> NDArray[np.bool_]:
    """Return which columns are in the one of two files that an attacker has; both tell about equally much."""
    counts = _count_values(comparison)
    order = np.argsort(-np.array(counts), kind="stable")
    is_one = np.zeros(len(counts), dtype=np.bool_)
    # The most telling column goes to one file, the next two to the other, the next two to the one, ...
    is_one[order] = (np.arange(len(counts)) + 1) // 2 % 2 == 0
    return is_one


def _rank(comparison: Comparison, column: int, n_values: int) -> int:
    if comparison.columns[column].name == comparison.target:
        return 0
    if comparison.encoder.columns[column].is_categorical:
        return 1 if n_values <= N_CATEGORIES_MAX else 3
    return 2


def _count_values(comparison: Comparison) -> list[int]:
    return comparison.once("numbers of values", lambda one: [_n_values(v) for v in one.real.columns])


def _n_values(values: Values) -> int:
    return len(np.unique(values[~is_missing(values)]))
