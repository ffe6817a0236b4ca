"""Boosted trees that extend the additive predictor, grown on one half of the rows for use on the other half.

Trees overfit their own training rows. A chain with overfitted predictions would sample from distributions
that are too narrow. Therefore, the trees for each half of the rows are grown on the other half, and each draw
uses the trees for one of the two halves at random.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from understudy.kernels import boosting, hashing
from understudy.kernels.boosting import BoostingRules
from understudy.kernels.predictors import Predictor
from understudy.synthesizers.tree_chain import additive
from understudy.synthesizers.tree_chain.additive import WEIGHT_UNIT, CoarseCodes

RULES = BoostingRules(
    is_class=False, n_trees=50, depth=5, rate=0.15, ridge=5.0, hessian_min=10.0, fraction=0.8
)
# Minimum share of the variance in unseen rows that the trees must explain beyond the additive part.
R2_GAINED_MIN = 0.005
# Hash stream that divides the rows into halves.
HALVING = 1 << 36


def halve_rows(n_rows: int, seed: int) -> CoarseCodes:
    """Return the random half, 0 or 1, of every row."""
    words = np.empty(n_rows, np.uint64)
    hashing.hash_rows(np.uint64(seed), np.uint64(HALVING), np.arange(n_rows, dtype=np.uint64), words)
    return (words & np.uint64(1)).astype(np.uint8)


@dataclass(frozen=True, eq=False, repr=False)
class BoostedColumn:
    """A column to predict, and the rows that the predictor is fitted on.

    Parameters
    ----------
    position : int
        Position of the column in the chain.
    scores : array of shape (n_codes,)
        Normal score of each coarse code of the column.
    codes : array of shape (n_columns, n_rows)
        Coarse codes, in the order of the chain.
    half : array of shape (n_rows,)
        Half of each row, 0 or 1.
    """

    position: int
    scores: npt.NDArray[np.float64]
    codes: CoarseCodes
    half: CoarseCodes


def boost(
    predictor: Predictor, column: BoostedColumn, predecessors: npt.NDArray[np.int64], seed: np.uint64
) -> Predictor:
    """Return the predictor with trees for its residuals, or unchanged if they explain too little.

    Parameters
    ----------
    predictor : Predictor
        Additive predictor, or NO_PREDICTOR.
    column : BoostedColumn
        Column to predict, and the training rows of the trees.
    predecessors : array of shape (n_predecessors,)
        Positions of the columns that the trees may use.
    seed : uint64
        Seed for the random choice of rows.
    """
    if not len(predecessors):
        return predictor
    codes, half = column.codes, column.half
    scores = column.scores[codes[column.position]]
    start = additive.add_up(predictor, codes, half) / WEIGHT_UNIT
    seen = np.ascontiguousarray(codes[predecessors])
    parts = []
    for own in (1, 0):
        # The trees for half 0 come first, and are grown on the rows of half 1.
        rows = half == own
        ones = np.ones(int(rows.sum()))
        key = np.uint64(hashing.stream_key(seed, np.uint64(own)))
        observed = boosting.Observations(scores[rows], ones, start[rows])
        parts.append(boosting.fit_boosted(seen.compress(rows, axis=1), observed, RULES, key))
    feature = predecessors[np.concatenate([part.feature for part in parts])].astype(np.int16)
    leaf = np.concatenate([part.leaf for part in parts])
    grown = predictor._replace(
        tree_feature=feature,
        tree_threshold=np.concatenate([part.threshold for part in parts]),
        tree_leaf=np.rint(leaf * WEIGHT_UNIT).astype(np.int32),
    )
    sums = additive.add_up(grown, codes, half)
    before, after = np.mean((scores - start) ** 2), np.mean((scores - sums / WEIGHT_UNIT) ** 2)
    if before - after < R2_GAINED_MIN * max(float(scores.var()), 1e-9):
        return predictor
    return additive.with_bins(grown, sums)
