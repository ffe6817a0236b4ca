"""Columns that an attacker knows about a person, and sensitive columns that the attacker infers."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import Values, is_missing

# Number of columns that are treated as sensitive if the caller does not name any.
N_SENSITIVE = 4
# Minimum and maximum number of distinct values of a categorical column that is treated as sensitive.
N_CATEGORIES_MIN, N_CATEGORIES_MAX = 2, 20


def sensitive_columns(comparison: Comparison) -> list[int]:
    """Return the positions of the sensitive columns: those that the caller names, or else a selection.

    The selection starts with the target, followed by categorical columns with 2 to 20 distinct values and by
    numeric columns. Within each kind, columns with more distinct values come first.
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
    """Split the columns into two equally informative files for linkability attacks.

    The returned mask is true for the columns of the first file.
    """
    counts = _count_values(comparison)
    order = np.argsort(-np.array(counts), kind="stable")
    is_one = np.zeros(len(counts), dtype=np.bool_)
    # The column with the most values is assigned to the first file, the next two columns to the second file,
    # the next two columns to the first file, and so on.
    is_one[order] = (np.arange(len(counts)) + 1) // 2 % 2 == 0
    return is_one


def _rank(comparison: Comparison, column: int, n_values: int) -> int:
    if comparison.columns[column].name == comparison.target:
        return 0
    if comparison.encoder.columns[column].is_categorical:
        return 1 if n_values <= N_CATEGORIES_MAX else 3
    return 2


def _count_values(comparison: Comparison) -> list[int]:
    return comparison.once(
        "numbers of values", lambda compared: [_n_values(v) for v in compared.real.columns]
    )


def _n_values(values: Values) -> int:
    return len(np.unique(values[~is_missing(values)]))
