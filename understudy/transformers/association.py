"""Order the levels of a large category: those that go with the same values elsewhere become neighbours."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from understudy.transformers.base import Codes

Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]

# The order is by the columns that tell most about the level.
N_KEYS = 2


def order_levels(levels: Int64s, n_levels: int, others: list[tuple[Codes, int]]) -> Int64s:
    """Return an order of levels by the columns most associated with them.

    Parameters
    ----------
    levels : array of shape (n_rows,)
        The level of every row; outside 0 … n_levels - 1 if it has none.
    n_levels : int
    others : list of (codes, n_codes)
        The columns to look at.
    """
    has_level = (levels >= 0) & (levels < n_levels)
    tables = []
    for codes, n_codes in others:
        cell = levels[has_level] * n_codes + codes[has_level]
        table = np.bincount(cell, minlength=n_levels * n_codes).reshape(n_levels, n_codes)
        tables.append((_explained(table), table))
    tables.sort(key=lambda pair: -pair[0])
    keys = [_key(table, first=i == 0) for i, (_, table) in enumerate(tables[:N_KEYS])]
    return np.lexsort(keys[::-1]) if keys else np.arange(n_levels)


def _key(table: Int64s, *, first: bool) -> Float64s:
    """Return the commonest code of each level, or for later keys the mean code."""
    if first:
        commonest: Float64s = table.argmax(axis=1).astype(np.float64)
        return commonest
    mean: Float64s = table @ np.arange(table.shape[1]) / np.maximum(table.sum(axis=1), 1)
    return mean


def _explained(table: Int64s) -> float:
    """Return the share of the other column's entropy that the level explains."""
    n = max(int(table.sum()), 1)
    entropy = _entropy(table.sum(axis=0) / n)
    rows = table.sum(axis=1)
    within = sum(float(rows[i]) / n * _entropy(table[i] / rows[i]) for i in np.flatnonzero(rows))
    return (entropy - within) / max(entropy, 1e-9)


def _entropy(p: Float64s) -> float:
    positive = p[p > 0]
    return float(-(positive * np.log(positive)).sum())
