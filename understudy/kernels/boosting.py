"""Gradient boosting that tells two sets of rows apart: complete trees of one depth over uint8 features.

A tree is three short arrays, and a row finds its leaf by `depth` additions. Friedman (2001), "Greedy function
approximation"; second-order gains and leaves as in Chen and Guestrin (2016), "XGBoost", section 2.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from understudy.kernels.hashing import row_word, stream_key
from understudy.kernels.trees import Float64s, Uint8s

N_VALUES = 256
# Rows that are scored by one tree after the other: their sums stay in the processor's nearest cache.
BLOCK = 512

Float32s = npt.NDArray[np.float32]
Int16s = npt.NDArray[np.int16]


class Boosted(NamedTuple):
    """A sum of trees.

    Parameters
    ----------
    feature, threshold : array of shape (n_trees, 2**depth - 1)
        The splits of each tree, by level: node v leads to ``2 v + 1`` up to the threshold, else to ``2 v + 2``.
    leaf : array of shape (n_trees, 2**depth)
        What each leaf adds to the log odds.
    """

    feature: Int16s
    threshold: Uint8s
    leaf: Float32s


class BoostingRules(NamedTuple):
    """How trees are boosted.

    Parameters
    ----------
    n_trees, depth : int
    rate : float
        By how much a leaf is shrunk.
    ridge : float
        Added to the sum of second derivatives of every leaf.
    hessian_min : float
        Sum of second derivatives on both sides of a split.
    fraction : float
        Share of the rows that each tree is grown on.
    """

    n_trees: int
    depth: int
    rate: float
    ridge: float
    hessian_min: float
    fraction: float


@njit(cache=True, nogil=True)
def _differentiate(
    margin: Float64s,
    is_first: npt.NDArray[np.bool_],
    weight: Float64s,
    key: np.uint64,
    fraction: float,
    slopes: Float64s,
) -> None:
    """Write first and second derivatives of the logistic loss; rows that a tree does not see get zeros."""
    for i in range(margin.shape[0]):
        u = float(row_word(key, np.uint64(i)) >> np.uint64(11)) * 2.0**-53
        if u < fraction:
            p = 1.0 / (1.0 + math.exp(-margin[i]))
            slopes[i, 0] = weight[i] * (p - is_first[i])
            slopes[i, 1] = weight[i] * p * (1.0 - p)
        else:
            slopes[i, 0], slopes[i, 1] = 0.0, 0.0


@njit(cache=True, nogil=True)
def _sum_slopes(column: Uint8s, node: Uint8s, slopes: Float64s, n_nodes: int, sums: Float64s) -> None:
    """Add up derivatives by node and value."""
    sums[:n_nodes] = 0.0
    for i in range(column.shape[0]):
        cell = sums[node[i], column[i]]
        cell[0] += slopes[i, 0]
        cell[1] += slopes[i, 1]


@njit(cache=True, nogil=True)
def _find_threshold(sums: Float64s, rules: BoostingRules) -> tuple[float, int]:
    """Return the highest gain of a cut of a node's values, and the last value that goes left."""
    total, total_hessian = 0.0, 0.0
    for x in range(N_VALUES):
        total += sums[x, 0]
        total_hessian += sums[x, 1]
    whole = total * total / (total_hessian + rules.ridge)
    best, threshold, left, left_hessian = 0.0, N_VALUES - 1, 0.0, 0.0
    for x in range(N_VALUES - 1):
        if sums[x, 1] == 0.0:
            continue
        left += sums[x, 0]
        left_hessian += sums[x, 1]
        right, right_hessian = total - left, total_hessian - left_hessian
        if left_hessian < rules.hessian_min:
            continue
        if right_hessian < rules.hessian_min:
            break
        gain = (
            left * left / (left_hessian + rules.ridge) + right * right / (right_hessian + rules.ridge) - whole
        )
        if gain > best:
            best, threshold = gain, x
    return best, threshold


@njit(cache=True, nogil=True)
def _grow(
    codes: Uint8s,
    slopes: Float64s,
    rules: BoostingRules,
    feature: Int16s,
    threshold: Uint8s,
    node: Uint8s,
    sums: Float64s,
) -> None:
    """Grow one tree, level by level; `node` is left with the leaf of every row."""
    node[:] = 0
    gains = np.empty(feature.shape[0])
    for level in range(rules.depth):
        first, n_nodes = (1 << level) - 1, 1 << level
        gains[:] = 0.0
        # Without a gain all rows go left: the value 255 is the highest.
        feature[first : first + n_nodes] = 0
        threshold[first : first + n_nodes] = N_VALUES - 1
        for f in range(codes.shape[0]):
            _sum_slopes(codes[f], node, slopes, n_nodes, sums)
            for v in range(n_nodes):
                gain, cut = _find_threshold(sums[v], rules)
                if gain > gains[v]:
                    gains[v] = gain
                    feature[first + v], threshold[first + v] = f, cut
        for i in range(node.shape[0]):
            v = first + node[i]
            node[i] = 2 * node[i] + (codes[feature[v], i] > threshold[v])


@njit(cache=True, nogil=True)
def fit_boosted(
    codes: Uint8s,
    is_first: npt.NDArray[np.bool_],
    weight: Float64s,
    start: Float64s,
    rules: BoostingRules,
    seed: np.uint64,
) -> Boosted:
    """Return trees whose sum is the log odds that a row is of the first set, beyond `start`.

    Parameters
    ----------
    codes : array of shape (n_features, n_rows)
    is_first : array of shape (n_rows,)
    weight : array of shape (n_rows,)
        What each row counts.
    start : array of shape (n_rows,)
        The log odds to begin with.
    """
    n_rows = codes.shape[1]
    n_inner = (1 << rules.depth) - 1
    boosted = Boosted(
        np.zeros((rules.n_trees, n_inner), np.int16),
        np.zeros((rules.n_trees, n_inner), np.uint8),
        np.zeros((rules.n_trees, n_inner + 1), np.float32),
    )
    margin, slopes, node = start.copy(), np.empty((n_rows, 2)), np.zeros(n_rows, np.uint8)
    sums = np.empty((1 << (rules.depth - 1), N_VALUES, 2))
    totals = np.empty((n_inner + 1, 2))
    for t in range(rules.n_trees):
        key = stream_key(seed, np.uint64(t))
        _differentiate(margin, is_first, weight, key, rules.fraction, slopes)
        _grow(codes, slopes, rules, boosted.feature[t], boosted.threshold[t], node, sums)
        totals[:] = 0.0
        for i in range(n_rows):
            totals[node[i], 0] += slopes[i, 0]
            totals[node[i], 1] += slopes[i, 1]
        for v in range(n_inner + 1):
            boosted.leaf[t, v] = -rules.rate * totals[v, 0] / (totals[v, 1] + rules.ridge)
        for i in range(n_rows):
            margin[i] += boosted.leaf[t, node[i]]
    return boosted


@njit(cache=True, nogil=True)
def add_scores(boosted: Boosted, rows: Uint8s, out: Float64s) -> None:
    """Add the sum of the trees to `out` for rows of shape (n_rows, n_features)."""
    n_inner = boosted.feature.shape[1]
    depth = 0
    while (1 << depth) < n_inner + 1:
        depth += 1
    for first in range(0, rows.shape[0], BLOCK):
        last = min(first + BLOCK, rows.shape[0])
        for t in range(boosted.feature.shape[0]):
            feature, threshold, leaf = boosted.feature[t], boosted.threshold[t], boosted.leaf[t]
            for i in range(first, last):
                v = 0
                for _ in range(depth):
                    v = 2 * v + 1 + (rows[i, feature[v]] > threshold[v])
                out[i] += leaf[v - n_inner]
