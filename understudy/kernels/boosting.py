"""Gradient boosting of complete trees of fixed depth over uint8 features, for a class or a number.

A tree consists of three short arrays, and a row reaches its leaf in `depth` additions. Sources: Friedman
(2001), "Greedy function approximation"; for second-order gains and leaves, Chen and Guestrin (2016),
"XGBoost", section 2; for the sums of one child by subtraction, Ke et al. (2017), "LightGBM", section 2.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from understudy.kernels.hashing import row_word, stream_key
from understudy.kernels.trees import Float64s, Int32s, Int64s, Uint8s

N_VALUES = 256
# Number of rows in a block. All trees score a block before the next block begins, so that the sums of a block
# stay in the L1 cache.
BLOCK = 512

Float32s = npt.NDArray[np.float32]
Int16s = npt.NDArray[np.int16]


class Boosted(NamedTuple):
    """A sum of trees.

    Parameters
    ----------
    feature, threshold : array of shape (n_trees, 2**depth - 1)
        Splits of each tree, level by level. The children of node v are ``2 v + 1`` (values up to the
        threshold) and ``2 v + 2`` (higher values).
    leaf : array of shape (n_trees, 2**depth)
        Value of each leaf.
    """

    feature: Int16s
    threshold: Uint8s
    leaf: Float32s


class BoostingRules(NamedTuple):
    """Hyperparameters of boosting.

    Parameters
    ----------
    is_class : bool
        Whether the target is a class (0 or 1). The loss is then logistic, otherwise half the squared error.
    n_trees, depth : int
        Number of trees and their depth.
    rate : float
        Learning rate. The values of the leaves are multiplied by this number.
    ridge : float
        Constant that is added to the sum of second derivatives in each leaf (L2 regularization).
    hessian_min : float
        Minimum sum of second derivatives on each side of a split.
    fraction : float
        Fraction of rows used to grow each tree, from 0 to 1.
    """

    is_class: bool
    n_trees: int
    depth: int
    rate: float
    ridge: float
    hessian_min: float
    fraction: float


class BoostedTree(NamedTuple):
    """One tree, as views of the arrays in `Boosted`."""

    feature: Int16s
    threshold: Uint8s
    leaf: Float32s


class Observations(NamedTuple):
    """Targets of a fit. All arrays have the shape (n_rows,).

    Parameters
    ----------
    target : array
        Classes (0 or 1) or numbers, depending on `BoostingRules.is_class`.
    weight : array
        Weight of each row.
    start : array
        Initial prediction for each row.
    """

    target: Float64s
    weight: Float64s
    start: Float64s


class Growth(NamedTuple):
    """Working memory for a tree that grows level by level.

    Parameters
    ----------
    rows, spare : array of shape (n_rows,)
        Rows that are used to grow the tree, grouped by node, and a buffer of the same size.
    slopes : array of shape (n_rows, 2)
        First and second derivatives of the loss for all rows.
    starts : array of shape (2**depth + 1,)
        Position of the first row for each node on the level.
    sums, parents : array of shape (n_features, 2**depth, N_VALUES, 2)
        Sums of derivatives by feature, node and value, on this level and on the level above.
    """

    rows: Int32s
    spare: Int32s
    slopes: Float32s
    starts: Int64s
    sums: Float32s
    parents: Float32s


@njit(cache=True, nogil=True)
def _differentiate(
    margin: Float64s, observed: Observations, rules: BoostingRules, key: np.uint64, growth: Growth
) -> int:
    """Choose the rows for a tree, write their derivatives, and return the number of rows."""
    target, weight = observed.target, observed.weight
    n = 0
    for i in range(margin.shape[0]):
        if float(row_word(key, np.uint64(i)) >> np.uint64(11)) * 2.0**-53 >= rules.fraction:
            continue
        growth.rows[n] = i
        n += 1
        if rules.is_class:
            p = 1.0 / (1.0 + math.exp(-margin[i]))
            growth.slopes[i, 0] = weight[i] * (p - target[i])
            growth.slopes[i, 1] = weight[i] * p * (1.0 - p)
        else:
            growth.slopes[i, 0] = weight[i] * (margin[i] - target[i])
            growth.slopes[i, 1] = weight[i]
    return n


@njit(cache=True, nogil=True)
def _sum_slopes(column: Uint8s, rows: Int32s, slopes: Float32s, sums: Float32s) -> None:
    for i in range(rows.shape[0]):
        row = rows[i]
        cell = sums[column[row]]
        cell[0] += slopes[row, 0]
        cell[1] += slopes[row, 1]


@njit(cache=True, nogil=True)
def _sum_level(codes: Uint8s, n_nodes: int, growth: Growth) -> None:
    """Sum the derivatives of a level: over rows for the smaller child, by subtraction for the other child."""
    starts, sums, parents = growth.starts, growth.sums, growth.parents
    for v in range(0, n_nodes, 2):
        n_left, n_right = starts[v + 1] - starts[v], starts[v + 2] - starts[v + 1]
        small = v if n_left <= n_right else v + 1
        other = v + 1 if small == v else v
        rows = growth.rows[starts[small] : starts[small + 1]]
        for f in range(codes.shape[0]):
            sums[f, small] = np.float32(0.0)
            _sum_slopes(codes[f], rows, growth.slopes, sums[f, small])
            for x in range(N_VALUES):
                sums[f, other, x, 0] = parents[f, v // 2, x, 0] - sums[f, small, x, 0]
                sums[f, other, x, 1] = parents[f, v // 2, x, 1] - sums[f, small, x, 1]


@njit(cache=True, nogil=True)
def _find_threshold(sums: Float32s, rules: BoostingRules) -> tuple[float, int]:
    """Return the highest gain of any threshold at a node, and the largest value on its left side."""
    total, total_hessian = 0.0, 0.0
    for x in range(N_VALUES):
        total += sums[x, 0]
        total_hessian += sums[x, 1]
    best, threshold, left, left_hessian = 0.0, N_VALUES - 1, 0.0, 0.0
    if total_hessian < 2 * rules.hessian_min:
        return best, threshold
    whole = total * total / (total_hessian + rules.ridge)
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
        gain = left * left / (left_hessian + rules.ridge) + right * right / (right_hessian + rules.ridge)
        if gain - whole > best:
            best, threshold = gain - whole, x
    return best, threshold


@njit(cache=True, nogil=True)
def _partition_level(codes: Uint8s, feature: Int16s, threshold: Uint8s, n_nodes: int, growth: Growth) -> None:
    """In each node of a level, sort the rows by child, and write the start positions of the children."""
    for v in range(n_nodes - 1, -1, -1):
        start, end = growth.starts[v], growth.starts[v + 1]
        column, cut = codes[feature[v]], threshold[v]
        n_left, n_right = 0, 0
        for i in range(start, end):
            row = growth.rows[i]
            if column[row] <= cut:
                growth.rows[start + n_left] = row
                n_left += 1
            else:
                growth.spare[n_right] = row
                n_right += 1
        growth.rows[start + n_left : end] = growth.spare[:n_right]
        # Nodes are processed from last to first, so only entries that were already read are overwritten.
        growth.starts[2 * v + 2], growth.starts[2 * v + 1] = end, start + n_left
    growth.starts[0] = 0


@njit(cache=True, nogil=True)
def _grow(codes: Uint8s, n_seen: int, rules: BoostingRules, tree: BoostedTree, growth: Growth) -> None:
    """Grow one tree, level by level. Afterwards `growth` contains the rows of every leaf."""
    feature, threshold = tree.feature, tree.threshold
    growth.starts[0], growth.starts[1] = 0, n_seen
    growth.sums[:, 0] = np.float32(0.0)
    for f in range(codes.shape[0]):
        _sum_slopes(codes[f], growth.rows[:n_seen], growth.slopes, growth.sums[f, 0])
    for level in range(rules.depth):
        first, n_nodes = (1 << level) - 1, 1 << level
        if level > 0:
            growth.parents[:, : n_nodes // 2] = growth.sums[:, : n_nodes // 2]
            _sum_level(codes, n_nodes, growth)
        for v in range(n_nodes):
            # If no split has a gain, all rows go left, because the threshold 255 is the highest value.
            best = 0.0
            feature[first + v], threshold[first + v] = 0, N_VALUES - 1
            for f in range(codes.shape[0]):
                gain, cut = _find_threshold(growth.sums[f, v], rules)
                if gain > best:
                    best = gain
                    feature[first + v], threshold[first + v] = f, cut
        _partition_level(codes, feature[first:], threshold[first:], n_nodes, growth)


@njit(cache=True, nogil=True)
def _write_leaves(rules: BoostingRules, growth: Growth, leaf: Float32s) -> None:
    for v in range(leaf.shape[0]):
        slope, hessian = 0.0, 0.0
        for i in range(growth.starts[v], growth.starts[v + 1]):
            slope += growth.slopes[growth.rows[i], 0]
            hessian += growth.slopes[growth.rows[i], 1]
        leaf[v] = -rules.rate * slope / (hessian + rules.ridge)


@njit(cache=True, nogil=True)
def _add_tree(codes: Uint8s, tree: BoostedTree, margin: Float64s) -> None:
    """Add a tree to the margins of all rows, including rows that were not used to grow the tree."""
    feature, threshold, leaf = tree
    n_inner = feature.shape[0]
    for i in range(margin.shape[0]):
        v = 0
        while v < n_inner:
            v = 2 * v + 1 + (codes[feature[v], i] > threshold[v])
        margin[i] += leaf[v - n_inner]


@njit(cache=True, nogil=True)
def fit_boosted(codes: Uint8s, observed: Observations, rules: BoostingRules, seed: np.uint64) -> Boosted:
    """Fit trees whose outputs are added to initial predictions (log odds of a class, or numeric targets).

    Parameters
    ----------
    codes : array of shape (n_features, n_rows)
        Values of the features.
    observed : Observations
        Targets, weights and initial predictions.
    rules : BoostingRules
        Hyperparameters.
    seed : uint64
        Seed for the random choice of rows.
    """
    n_rows, n_leaves = codes.shape[1], 1 << rules.depth
    boosted = Boosted(
        np.zeros((rules.n_trees, n_leaves - 1), np.int16),
        np.zeros((rules.n_trees, n_leaves - 1), np.uint8),
        np.zeros((rules.n_trees, n_leaves), np.float32),
    )
    shape = (codes.shape[0], n_leaves, N_VALUES, 2)
    growth = Growth(
        np.empty(n_rows, np.int32),
        np.empty(n_rows, np.int32),
        np.empty((n_rows, 2), np.float32),
        np.zeros(n_leaves + 1, np.int64),
        np.zeros(shape, np.float32),
        np.zeros(shape, np.float32),
    )
    margin = observed.start.copy()
    for t in range(rules.n_trees):
        key = stream_key(seed, np.uint64(t))
        n_seen = _differentiate(margin, observed, rules, key, growth)
        tree = BoostedTree(boosted.feature[t], boosted.threshold[t], boosted.leaf[t])
        _grow(codes, n_seen, rules, tree, growth)
        _write_leaves(rules, growth, tree.leaf)
        _add_tree(codes, tree, margin)
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
