"""Trees over uint8 features for the choices in the hierarchy of a column's codes, grown by log evidence.

A node is a word of 63 bits, so that each step down a tree reads only one word. The fields of a node are:
feature + 1 (12 bits, 0 for a leaf), whether the feature is a category (1 bit), the threshold or the index of
the mask (25 bits), and the left child or the index of the leaf (25 bits). The right child follows the left
child.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from understudy.kernels.hierarchy import RADIX
from understudy.kernels.split_search import (
    N_INSERTION,
    LabelledRows,
    Tally,
    best_prefix,
    order_by_mean,
    tally_values,
)

FEATURE_MASK = 4095
CATEGORY_BIT = 4096
THRESHOLD_SHIFT, THRESHOLD_MASK = 13, (1 << 25) - 1
CHILD_SHIFT = 38
# Maximum numbers of features and nodes, due to the field widths in a node.
N_FEATURES_MAX = FEATURE_MASK - 1
N_NODES_MAX = (1 << 25) - 1

# Number of pseudo-rows that smooth the root of a tree toward the uniform distribution.
ROOT_ROWS = 0.5
_FULL = 2.0**32

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]
Float64s = npt.NDArray[np.float64]
Uint8s = npt.NDArray[np.uint8]
Uint16s = npt.NDArray[np.uint16]
Uint32s = npt.NDArray[np.uint32]
Uint64s = npt.NDArray[np.uint64]
Bools = npt.NDArray[np.bool_]


class GrowthRules(NamedTuple):
    """Conditions for splits, and smoothing of leaves.

    Parameters
    ----------
    penalty : float
        A split must raise the log evidence by more than `penalty` + log(number of thresholds).
    category_penalty : float
        For a category, a split must raise the log evidence by more than `penalty` + `category_penalty` *
        (values - 1).
    min_leaf : int
        Minimum number of rows in a node.
    depth_max : int
        Maximum depth.
    smoothing : float
        Number of pseudo-rows, distributed like the parent, that are added to the counts of a node.
    count_min : int
        If not 0, trees are cross-fitted: they are grown on one half of the rows, and their class counts come
        from the remaining rows. In cross-fitted trees, every node contains at least this number of the
        remaining rows.
    """

    penalty: float
    category_penalty: float
    min_leaf: int
    depth_max: int
    smoothing: float
    count_min: int = 0


class Features(NamedTuple):
    """Features of trees.

    Parameters
    ----------
    codes : array of shape (n_features, n_rows)
        Values of the features.
    n_codes : array of shape (n_features,)
        Number of possible values for each feature.
    is_category : array of shape (n_features,)
        Whether each feature is a category, with unordered values.
    """

    codes: Uint8s
    n_codes: Int64s
    is_category: Bools


class Tree(NamedTuple):
    """Arrays of a growing tree, with nodes in order of creation."""

    feature: Int32s
    threshold: Int32s
    left: Int32s
    start: Int32s
    end: Int32s
    depth: Int32s
    mask: Uint64s
    probability: Float64s


class Scratch(NamedTuple):
    """Working memory for finding a split, and the table of log gamma."""

    table: Float64s
    tally: Tally
    ascending: Int32s
    by_mean: Int32s
    score: Float64s
    mask: Uint64s
    stack: Int32s
    rows: Int32s
    labels: Uint8s


class Split(NamedTuple):
    """Feature and largest value that goes left. Feature -1 means no split."""

    feature: int
    threshold: int


class NodePlace(NamedTuple):
    """A node, its parent (-1 for the root), and the range `start` to `end` of its rows."""

    node: int
    parent: int
    start: int
    end: int


@njit(cache=True, nogil=True)
def make_tree(n_nodes: int) -> Tree:
    """Return the arrays of a tree with at most `n_nodes` nodes."""
    return Tree(
        np.empty(n_nodes, np.int32),
        np.empty(n_nodes, np.int32),
        np.empty(n_nodes, np.int32),
        np.empty(n_nodes, np.int32),
        np.empty(n_nodes, np.int32),
        np.empty(n_nodes, np.int32),
        np.empty((n_nodes, 4), np.uint64),
        np.empty((n_nodes, RADIX), np.float64),
    )


@njit(cache=True, nogil=True)
def make_scratch(n_rows: int, n_nodes: int, table: Float64s) -> Scratch:
    """Return working memory for finding splits among `n_rows` rows, in a tree of `n_nodes` nodes.

    Parameters
    ----------
    n_rows, n_nodes : int
        Maximum numbers of rows and nodes.
    table : array
        Table of `split_search.log_gamma_tables`.
    """
    tally = Tally(
        np.empty(256, np.uint8),
        np.empty((256, RADIX), np.int32),
        np.empty(RADIX, np.int32),
        np.empty(N_INSERTION, np.int32),
        np.empty((2, RADIX), np.int32),
    )
    return Scratch(
        table,
        tally,
        np.arange(256).astype(np.int32),
        np.empty(256, np.int32),
        np.empty(256, np.float64),
        np.empty(4, np.uint64),
        np.empty(n_nodes, np.int32),
        np.empty(n_rows, np.int32),
        np.empty(n_rows, np.uint8),
    )


@njit(cache=True, nogil=True, inline="always")
def in_mask(mask: Uint64s, x: int) -> bool:
    """Return whether bit x of a 256-bit mask is set."""
    return bool((mask[x >> 6] >> np.uint64(x & 63)) & np.uint64(1))


@njit(cache=True, nogil=True)
def _set_mask(mask: Uint64s, values: Uint8s, order: Int32s, length: int) -> None:
    mask[:] = np.uint64(0)
    for i in range(length):
        value = values[order[i]]
        mask[value >> 6] |= np.uint64(1) << np.uint64(value & 63)


@njit(cache=True, nogil=True)
def find_split(features: Features, node: LabelledRows, rules: GrowthRules, scratch: Scratch) -> Split:
    """Return the split that raises the evidence most, or feature -1 if no split raises it enough.

    If the feature is a category, the values that go left are written to `scratch.mask`.

    Parameters
    ----------
    features : Features
        Features of all rows.
    node : LabelledRows
        Rows of the node. `scratch.tally.totals` must contain their number by class, with at least two
        classes.
    rules : GrowthRules
        Conditions for splits.
    scratch : Scratch
        Working memory.
    """
    tally = scratch.tally
    best_gain, best_feature, best_threshold = 0.0, -1, 0
    for f in range(features.codes.shape[0]):
        n_values = tally_values(features.codes[f], features.n_codes[f], node, tally)
        if n_values < 2:
            continue
        order = scratch.ascending
        price = rules.penalty + math.log(n_values)
        if features.is_category[f]:
            order_by_mean(tally.counts, n_values, scratch.by_mean, scratch.score)
            order = scratch.by_mean
            price = rules.penalty + rules.category_penalty * (n_values - 1)
        gain, length = best_prefix(tally, order, n_values, rules.min_leaf, scratch.table)
        if gain - price > best_gain:
            best_gain, best_feature = gain - price, f
            best_threshold = tally.values[length - 1]
            if features.is_category[f]:
                _set_mask(scratch.mask, tally.values, order, length)
    return Split(best_feature, best_threshold)


@njit(cache=True, nogil=True)
def _partition(features: Features, split: Split, node: LabelledRows, scratch: Scratch) -> int:
    """Move the rows that go left to the front, in their order, and return their number.

    If the feature is a category, `scratch.mask` must contain the values that go left.
    """
    column, is_category = features.codes[split.feature], features.is_category[split.feature]
    threshold, mask = split.threshold, scratch.mask
    rows, labels = node.rows, node.labels
    n_left, n_right = 0, 0
    for i in range(rows.shape[0]):
        row, label = rows[i], labels[i]
        x = column[row]
        goes_left = in_mask(mask, x) if is_category else x <= threshold
        if goes_left:
            rows[n_left], labels[n_left] = row, label
            n_left += 1
        else:
            scratch.rows[n_right], scratch.labels[n_right] = row, label
            n_right += 1
    rows[n_left:] = scratch.rows[:n_right]
    labels[n_left:] = scratch.labels[:n_right]
    return n_left


@njit(cache=True, nogil=True)
def _count_labels(labels: Uint8s, totals: Int32s) -> int:
    """Count the rows in each class, and return the number of classes that occur."""
    totals[:] = 0
    for i in range(labels.shape[0]):
        totals[labels[i]] += 1
    n = 0
    for g in range(RADIX):
        n += totals[g] > 0
    return n


@njit(cache=True, nogil=True)
def _add_node(tree: Tree, place: NodePlace, labels: Uint8s, n_classes: int, smoothing: float) -> None:
    """Write a leaf with its smoothed probabilities. The leaf may be split later."""
    node, parent, start, end = place
    tree.feature[node], tree.start[node], tree.end[node] = -1, start, end
    tree.depth[node] = tree.depth[parent] + 1 if parent >= 0 else 0
    probability = tree.probability[node]
    for g in range(n_classes):
        prior = tree.probability[parent, g] * smoothing if parent >= 0 else ROOT_ROWS / n_classes
        probability[g] = prior
    for i in range(start, end):
        probability[labels[i]] += 1.0
    rows = end - start + (smoothing if parent >= 0 else ROOT_ROWS)
    for g in range(n_classes):
        probability[g] /= rows


@njit(cache=True, nogil=True)
def grow_tree(
    features: Features, known: LabelledRows, rules: GrowthRules, tree: Tree, scratch: Scratch
) -> int:
    """Grow a tree for the classes of rows and return its number of nodes. Parents precede children.

    Parameters
    ----------
    features : Features
        Features of all rows.
    known : LabelledRows
        Rows of `features` and their classes, which are reordered.
    rules : GrowthRules
        Conditions for splits.
    tree : Tree
        Arrays of at least ``2 (n // min_leaf) + 3`` nodes, which are overwritten.
    scratch : Scratch
        Working memory.
    """
    rows, labels, n_classes = known
    _add_node(tree, NodePlace(0, -1, 0, rows.shape[0]), labels, n_classes, rules.smoothing)
    n_nodes, n_stack = 1, 1
    scratch.stack[0] = 0
    while n_stack > 0:
        n_stack -= 1
        node = int(scratch.stack[n_stack])
        start, end = int(tree.start[node]), int(tree.end[node])
        if end - start < 2 * rules.min_leaf or tree.depth[node] >= rules.depth_max:
            continue
        part = LabelledRows(rows[start:end], labels[start:end], n_classes)
        if _count_labels(part.labels, scratch.tally.totals) < 2:
            continue
        split = find_split(features, part, rules, scratch)
        if split.feature < 0:
            continue
        middle = start + _partition(features, split, part, scratch)
        tree.feature[node], tree.threshold[node], tree.left[node] = split.feature, split.threshold, n_nodes
        tree.mask[node] = scratch.mask
        left, right = NodePlace(n_nodes, node, start, middle), NodePlace(n_nodes + 1, node, middle, end)
        _add_node(tree, left, labels, n_classes, rules.smoothing)
        _add_node(tree, right, labels, n_classes, rules.smoothing)
        scratch.stack[n_stack], scratch.stack[n_stack + 1] = n_nodes + 1, n_nodes
        n_stack += 2
        n_nodes += 2
    return n_nodes


@njit(cache=True, nogil=True)
def _count_paths(
    tree: Tree, features: Features, rows: Int32s, labels: Uint8s, counts: npt.NDArray[np.int32]
) -> None:
    """Count the rows of every class in every node that the rows pass through."""
    for i in range(rows.shape[0]):
        v = 0
        while True:
            counts[v, labels[i]] += 1
            feature = tree.feature[v]
            if feature < 0:
                break
            x = features.codes[feature, rows[i]]
            is_category = features.is_category[feature]
            goes_left = in_mask(tree.mask[v], x) if is_category else x <= tree.threshold[v]
            v = tree.left[v] + (0 if goes_left else 1)


@njit(cache=True, nogil=True)
def recount_tree(
    tree: Tree, n_nodes: int, features: Features, unseen: LabelledRows, rules: GrowthRules
) -> None:
    """Recompute a tree's probabilities on other rows, and remove splits that leave too few of these rows.

    Parameters
    ----------
    tree : Tree
        Tree to change.
    n_nodes : int
        Number of nodes in the tree.
    features : Features
        Features of all rows.
    unseen : LabelledRows
        Rows that were not used to grow the tree, and their classes.
    rules : GrowthRules
        Smoothing and minimum number of rows.
    """
    rows, labels, n_classes = unseen
    counts = np.zeros((n_nodes, RADIX), np.int32)
    _count_paths(tree, features, rows, labels, counts)
    for v in range(n_nodes):
        if v == 0:
            for g in range(n_classes):
                share = (counts[0, g] + ROOT_ROWS / n_classes) / (rows.shape[0] + ROOT_ROWS)
                tree.probability[0, g] = share
        if tree.feature[v] < 0:
            continue
        left = tree.left[v]
        if min(counts[left].sum(), counts[left + 1].sum()) < rules.count_min:
            tree.feature[v] = -1
            continue
        for child in range(left, left + 2):
            n = counts[child].sum() + rules.smoothing
            for g in range(n_classes):
                prior = rules.smoothing * tree.probability[v, g]
                tree.probability[child, g] = (counts[child, g] + prior) / n
