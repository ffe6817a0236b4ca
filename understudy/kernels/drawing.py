"""Drawing of codes for a column, given the preceding columns."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from understudy.kernels.forests import Forest
from understudy.kernels.hashing import GOLDEN, StreamRows, mix, row_word, stream_key
from understudy.kernels.hierarchy import RADIX, CodePaths
from understudy.kernels.predictors import Predictor, exists, predict_row
from understudy.kernels.trees import (
    CATEGORY_BIT,
    CHILD_SHIFT,
    FEATURE_MASK,
    THRESHOLD_MASK,
    THRESHOLD_SHIFT,
    Float64s,
    Int32s,
    Uint8s,
    Uint16s,
    Uint64s,
    in_mask,
)

_LOW_32 = np.uint64(0xFFFFFFFF)
_FULL = 2.0**32
# Position, in a row's random word, of the bit that selects one half of the predictor's trees. The first
# choice does not use this bit.
_HALF_SHIFT = np.uint64(33)


class Conditional(NamedTuple):
    """Conditional distribution of a column's codes, given the preceding columns.

    Parameters
    ----------
    child : array of shape (n_choices, RADIX)
        Hierarchy of `hierarchy.build_hierarchy`, with at least one choice.
    forest : Forest
        Trees of every choice.
    predictor : Predictor
        Predictor of the column. The trees use its bin as the feature at the position of the column.
    coarse : array of shape (n_codes,)
        Coarse code of every code.
    """

    child: Int32s
    forest: Forest
    predictor: Predictor
    coarse: Uint8s


@njit(cache=True, nogil=True, inline="always")
def find_leaf(node: np.ndarray, mask: Uint64s, v: int, row: Uint8s) -> int:
    """Return the index of the leaf that a row of coarse codes reaches from node v."""
    word = node[v]
    while word & FEATURE_MASK:
        x = row[(word & FEATURE_MASK) - 1]
        threshold = (word >> THRESHOLD_SHIFT) & THRESHOLD_MASK
        goes_left = in_mask(mask[threshold], x) if word & CATEGORY_BIT else x <= threshold
        word = node[(word >> CHILD_SHIFT) + (0 if goes_left else 1)]
    return int(word >> CHILD_SHIFT)


@njit(cache=True, nogil=True)
def draw_column(
    rows: Uint8s, position: int, draws: StreamRows, conditional: Conditional, codes: Uint16s
) -> None:
    """Draw a column; write its codes to `codes` and its coarse codes to ``rows[:, position]``.

    Parameters
    ----------
    rows : array of shape (n, n_columns)
        Coarse codes in the order of the chain. While the column is drawn, its own position contains the bin
        of its predictor, so trees use the predictor as feature `position`.
    position : int
        Position of the column in the chain.
    draws : StreamRows
        Source of the random numbers.
    conditional : Conditional
        Distribution of the column.
    codes : array of shape (n,)
        Drawn codes.
    """
    key = stream_key(draws.seed, draws.stream)
    child, forest, predictor, coarse = conditional
    numbers = draws.rows
    has_predictor = exists(predictor)
    n_trees = np.uint64(forest.root.shape[1])
    for i in range(rows.shape[0]):
        row = rows[i]
        word = row_word(key, numbers[i])
        if has_predictor:
            row[position] = predict_row(predictor, row, int(word >> _HALF_SHIFT) & 1)
        choice = 0
        while choice >= 0:
            tree = int((word >> np.uint64(40)) * n_trees >> np.uint64(24))
            bounds = forest.cumulative[find_leaf(forest.node, forest.mask, forest.root[choice, tree], row)]
            u = word & _LOW_32
            group = (u >= bounds[0]) + (u >= bounds[1]) + (u >= bounds[2])
            choice = child[choice, group]
            word = mix(word + GOLDEN)
        codes[i] = -choice - 1
        row[position] = coarse[codes[i]]


@njit(cache=True, nogil=True, inline="always")
def group_probability(bounds: npt.NDArray[np.uint32], group: int) -> float:
    """Return the probability of a group at a leaf with the given cumulative probabilities."""
    above = float(bounds[group]) if group < RADIX - 1 else _FULL
    below = float(bounds[group - 1]) if group > 0 else 0.0
    return (above - below) / _FULL


@njit(cache=True, nogil=True)
def add_log_probability(
    rows: Uint8s,
    position: int,
    conditional: Conditional,
    paths: CodePaths,
    codes: Uint16s,
    out: Float64s,
) -> None:
    """Add the log probability of each row's code to `out`.

    For each choice, the probability is averaged over the choice's trees.

    Parameters
    ----------
    rows : array of shape (n, n_columns)
        Coarse codes in the order of the chain. The array is not modified.
    position : int
        Position of the column in the chain.
    conditional : Conditional
        Distribution of the column.
    paths : CodePaths
        Paths of the codes in the hierarchy.
    codes : array of shape (n,)
        Code of each row.
    out : array of shape (n,)
        Sums of log probabilities. This array is updated.
    """
    forest, predictor = conditional.forest, conditional.predictor
    choice, group, length = paths
    n_trees = forest.root.shape[1]
    row = np.empty(rows.shape[1], np.uint8)
    for i in range(rows.shape[0]):
        row[:] = rows[i]
        if exists(predictor):
            row[position] = predict_row(predictor, row, i & 1)
        code = codes[i]
        for k in range(length[code]):
            p = 0.0
            for t in range(n_trees):
                leaf = find_leaf(forest.node, forest.mask, forest.root[choice[code, k], t], row)
                p += group_probability(forest.cumulative[leaf], group[code, k])
            out[i] += math.log(max(p / n_trees, 1e-9))
