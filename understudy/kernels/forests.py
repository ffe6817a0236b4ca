"""The trees of a column, for every choice in its hierarchy, packed into arrays for drawing."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from understudy.kernels.hashing import row_word, stream_key
from understudy.kernels.hierarchy import RADIX
from understudy.kernels.split_search import LabelledRows
from understudy.kernels.trees import (
    CATEGORY_BIT,
    CHILD_SHIFT,
    FEATURE_MASK,
    THRESHOLD_SHIFT,
    Features,
    Float64s,
    GrowthRules,
    Int32s,
    Int64s,
    Scratch,
    Tree,
    Uint8s,
    Uint16s,
    Uint32s,
    Uint64s,
    grow_tree,
    make_scratch,
    make_tree,
    recount_tree,
)

_FULL = 2.0**32


class Forest(NamedTuple):
    """Packed trees of a column.

    Parameters
    ----------
    root : array of shape (n_choices, n_trees)
        Root index for each choice and tree. Each draw uses one random tree.
    node : array of shape (n_nodes,)
        Nodes as 64-bit words; see `trees`.
    cumulative : array of shape (n_leaves, RADIX - 1)
        Cumulative probabilities of the groups, times 2**32.
    mask : array of shape (n_masks, 4)
        Bit masks of the categories that go left.
    """

    root: Int32s
    node: Int64s
    cumulative: Uint32s
    mask: Uint64s


NO_FOREST = Forest(
    np.zeros((0, 1), np.int32),
    np.zeros(0, np.int64),
    np.zeros((0, RADIX - 1), np.uint32),
    np.zeros((0, 4), np.uint64),
)


class ColumnCodes(NamedTuple):
    """Codes of a column, and their hierarchy.

    Parameters
    ----------
    codes : array of shape (n_rows,)
        Codes of the rows.
    starts : array of shape (n_codes + 1,)
        Number of rows with a lower code, for each code.
    cuts, n_groups : array
        Hierarchy of `hierarchy.build_hierarchy`.
    """

    codes: Uint16s
    starts: Int64s
    cuts: Int32s
    n_groups: Int32s


class RowSampling(NamedTuple):
    """Number of trees for each choice, and the fraction of randomly selected rows used to grow each tree."""

    n_trees: int
    fraction: float
    seed: np.uint64


class GrownTree(NamedTuple):
    """A tree, with its numbers of nodes and classes."""

    tree: Tree
    n_nodes: int
    n_classes: int


class _Memory(NamedTuple):
    """Working memory for a growing tree and its rows."""

    tree: Tree
    scratch: Scratch
    rows: Int32s
    labels: Uint8s


@njit(cache=True, nogil=True)
def _with_capacity(array: npt.NDArray[Any], n: int) -> npt.NDArray[Any]:  # Any: one of three dtypes
    """Return the array, or a larger copy if it has fewer than n entries."""
    if n <= array.shape[0]:
        return array
    larger = np.empty((max(n, 2 * array.shape[0]), *array.shape[1:]), array.dtype)
    larger[: array.shape[0]] = array
    return larger


@njit(cache=True, nogil=True)
def accumulate(probability: Float64s, n_classes: int, cumulative: Uint32s) -> None:
    """Write the cumulative probabilities times 2**32. Groups that do not exist get the maximum value."""
    total = 0.0
    for g in range(RADIX - 1):
        cumulative[g] = np.uint32(0xFFFFFFFF)
        if g < n_classes - 1:
            total += probability[g]
            cumulative[g] = np.uint32(min(total * _FULL, _FULL - 1))


@njit(cache=True, nogil=True)
def pack_tree(grown: GrownTree, features: Features, forest: Forest, used: Int64s) -> None:
    """Append a tree to the forest and increase the numbers of nodes, leaves and masks in `used`.

    Nodes below a node that became a leaf are left out.
    """
    tree, n_nodes, n_classes = grown
    place = np.full(n_nodes, -1, np.int32)
    place[0] = 0
    n_placed = 1
    for v in range(n_nodes):
        feature = tree.feature[v]
        if place[v] < 0:
            continue
        if feature < 0:
            accumulate(tree.probability[v], n_classes, forest.cumulative[used[1]])
            word = np.int64(used[1]) << CHILD_SHIFT
            used[1] += 1
        else:
            left = tree.left[v]
            place[left], place[left + 1] = n_placed, n_placed + 1
            word = (np.int64(used[0] + n_placed) << CHILD_SHIFT) | (feature + 1)
            n_placed += 2
            threshold = np.int64(tree.threshold[v])
            if features.is_category[feature]:
                forest.mask[used[2]] = tree.mask[v]
                threshold = np.int64(used[2])
                word |= CATEGORY_BIT
                used[2] += 1
            word |= threshold << THRESHOLD_SHIFT
        forest.node[used[0] + place[v]] = word
    used[0] += n_placed


@njit(cache=True, nogil=True)
def _label_rows(codes: Uint16s, rows: Int32s, cuts: Int32s, n_groups: int, labels: Uint8s) -> None:
    for i in range(rows.shape[0]):
        code = codes[rows[i]]
        label = 0
        for g in range(1, n_groups):
            label += code >= cuts[g]
        labels[i] = label


@njit(cache=True, nogil=True)
def _group_rows(rows: Int32s, labels: Uint8s, spare: Int32s) -> None:
    """Sort rows by label, with a stable sort."""
    place = np.zeros(RADIX + 1, np.int64)
    for i in range(rows.shape[0]):
        place[labels[i] + 1] += 1
    for g in range(RADIX):
        place[g + 1] += place[g]
    for i in range(rows.shape[0]):
        spare[place[labels[i]]] = rows[i]
        place[labels[i]] += 1
    rows[:] = spare[: rows.shape[0]]


@njit(cache=True, nogil=True)
def _select(known: LabelledRows, key: np.uint64, low: float, high: float, memory: _Memory) -> LabelledRows:
    """Copy rows with a random number in [low, high), and their labels, to `memory`. Return the copies."""
    rows, labels, n_classes = known
    out, out_labels = memory.rows, memory.labels
    n = 0
    for i in range(rows.shape[0]):
        u = float(row_word(key, np.uint64(rows[i])) >> np.uint64(11)) * 2.0**-53
        if low <= u < high:
            out[n], out_labels[n] = rows[i], labels[i]
            n += 1
    return LabelledRows(out[:n], out_labels[:n], n_classes)


@njit(cache=True, nogil=True)
def _grow_one(
    features: Features, known: LabelledRows, rules: GrowthRules, sampling: RowSampling, memory: _Memory
) -> GrownTree:
    """Grow one tree from a random part of a choice's rows.

    Cross-fitted trees are grown on a random half of the rows, other trees on a random fraction.
    `sampling.seed` must differ between trees.
    """
    is_crossed = rules.count_min > 0
    share = 0.5 if is_crossed else sampling.fraction
    if share < 1.0:
        some = _select(known, sampling.seed, 0.0, share, memory)
    else:
        n = known.rows.shape[0]
        memory.rows[:n] = known.rows
        memory.labels[:n] = known.labels
        some = LabelledRows(memory.rows[:n], memory.labels[:n], known.n_classes)
    n_nodes = grow_tree(features, some, rules, memory.tree, memory.scratch)
    if is_crossed:
        unseen = _select(known, sampling.seed, share, 1.0, memory)
        recount_tree(memory.tree, n_nodes, features, unseen, rules)
    return GrownTree(memory.tree, n_nodes, known.n_classes)


@njit(cache=True, nogil=True)
def grow_forest(
    features: Features, column: ColumnCodes, rules: GrowthRules, sampling: RowSampling, table: Float64s
) -> Forest:
    """Grow the trees for all choices of a column.

    Parameters
    ----------
    features : Features
        Features of shape (n_features, n_rows).
    column : ColumnCodes
        Codes of the column, and their hierarchy.
    rules : GrowthRules
        Conditions for splits.
    sampling : RowSampling
        Number of trees, and fraction of rows used to grow each tree.
    table : array
        Table of `split_search.log_gamma_tables`.
    """
    codes, starts, cuts, n_groups = column
    n_trees = sampling.n_trees
    n_rows = codes.shape[0]
    n_choices = cuts.shape[0]
    n_nodes_max = 2 * (n_rows // rules.min_leaf) + 3
    memory = _Memory(
        make_tree(n_nodes_max),
        make_scratch(n_rows, n_nodes_max, table),
        np.empty(n_rows, np.int32),
        np.empty(n_rows, np.uint8),
    )
    rows, spare = np.arange(n_rows).astype(np.int32), np.empty(n_rows, np.int32)
    labels = np.empty(n_rows, np.uint8)
    root = np.empty((n_choices, n_trees), np.int32)
    node, cumulative = np.empty(1024, np.int64), np.empty((1024, RADIX - 1), np.uint32)
    mask = np.empty((64, 4), np.uint64)
    used = np.zeros(3, np.int64)
    for q in range(n_choices):
        n = n_groups[q]
        start, end = starts[cuts[q, 0]], starts[cuts[q, n]]
        part, part_labels = rows[start:end], labels[start:end]
        _label_rows(codes, part, cuts[q], n, part_labels)
        for t in range(n_trees):
            own = RowSampling(
                n_trees, sampling.fraction, stream_key(sampling.seed, np.uint64(q * n_trees + t))
            )
            grown = _grow_one(features, LabelledRows(part, part_labels, n), rules, own, memory)
            root[q, t] = used[0]
            node = _with_capacity(node, used[0] + grown.n_nodes)
            cumulative = _with_capacity(cumulative, used[1] + grown.n_nodes)
            mask = _with_capacity(mask, used[2] + grown.n_nodes)
            pack_tree(grown, features, Forest(root, node, cumulative, mask), used)
        _group_rows(part, part_labels, spare)
    return Forest(root, node[: used[0]].copy(), cumulative[: used[1]].copy(), mask[: used[2]].copy())


def rename_features(forest: Forest, names: Int64s) -> Forest:
    """Return the forest with feature f renumbered to ``names[f]``. This function is not compiled."""
    feature = forest.node & FEATURE_MASK
    renamed = np.where(feature > 0, names[feature - 1] + 1, 0)
    return forest._replace(node=(forest.node & ~np.int64(FEATURE_MASK)) | renamed)
