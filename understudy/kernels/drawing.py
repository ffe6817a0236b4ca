"""Draw the codes of a column, given the columns before it."""

from __future__ import annotations

import numpy as np
from numba import njit

from understudy.kernels.forests import Forest
from understudy.kernels.hashing import GOLDEN, mix, row_word, stream_key
from understudy.kernels.predictors import Predictor, predict_row
from understudy.kernels.trees import (
    CATEGORY_BIT,
    CHILD_SHIFT,
    FEATURE_MASK,
    THRESHOLD_MASK,
    THRESHOLD_SHIFT,
    Int32s,
    Uint8s,
    Uint16s,
    Uint64s,
    in_mask,
)

_LOW_32 = np.uint64(0xFFFFFFFF)


@njit(cache=True, nogil=True, inline="always")
def find_leaf(node: np.ndarray, mask: Uint64s, v: int, row: Uint8s) -> int:
    """Return the number of the leaf that a row of coarse codes reaches from node v."""
    word = node[v]
    while word & FEATURE_MASK:
        x = row[(word & FEATURE_MASK) - 1]
        threshold = (word >> THRESHOLD_SHIFT) & THRESHOLD_MASK
        goes_left = in_mask(mask[threshold], x) if word & CATEGORY_BIT else x <= threshold
        word = node[(word >> CHILD_SHIFT) + (0 if goes_left else 1)]
    return int(word >> CHILD_SHIFT)


@njit(cache=True, nogil=True)
def draw_column(
    rows: Uint8s,
    position: int,
    seed: np.uint64,
    stream: np.uint64,
    numbers: Uint64s,
    child: Int32s,
    forest: Forest,
    predictor: Predictor,
    coarse: Uint8s,
    codes: Uint16s,
) -> None:
    """Draw a column for rows of these numbers: codes into `codes`, coarse ones into ``rows[:, position]``.

    Parameters
    ----------
    rows : array of shape (n, n_columns)
        Coarse codes in the order of the chain. The column's own place holds its predictor while it is
        drawn, so its trees know the predictor as feature `position`.
    numbers : array of shape (n,)
        The number of each row, by which its random bits are hashed.
    child : array of shape (n_choices, RADIX)
        The hierarchy, as `hierarchy.build_hierarchy` gives it; at least one choice.
    coarse : array of shape (n_codes,)
        The coarse code of every code.
    """
    key = stream_key(seed, stream)
    has_predictor = predictor.feature.shape[0] > 0
    for i in range(rows.shape[0]):
        row = rows[i]
        word = row_word(key, numbers[i])
        if has_predictor:
            row[position] = predict_row(predictor, row)
        choice = 0
        while choice >= 0:
            bounds = forest.cumulative[find_leaf(forest.node, forest.mask, forest.root[choice], row)]
            u = word & _LOW_32
            group = (u >= bounds[0]) + (u >= bounds[1]) + (u >= bounds[2])
            choice = child[choice, group]
            word = mix(word + GOLDEN)
        codes[i] = -choice - 1
        row[position] = coarse[codes[i]]
