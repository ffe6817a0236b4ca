"""Trees beyond the additive predictor: boosted on one half of the rows, used on the other.

What trees say of rows that they were grown on is too good to be true, and a chain that trusts it draws too
narrowly. So each half of the rows gets the trees of the other, and a draw picks one of both at random.
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
# The share of the variance of unseen rows that trees must explain beyond the additive part.
R2_GAINED_MIN = 0.005
# The stream of the hash that halves the rows.
HALVING = 1 << 36


def halve_rows(n_rows: int, seed: int) -> CoarseCodes:
    """Return for every row whether it is of the first (0) or the second half (1)."""
    words = np.empty(n_rows, np.uint64)
    hashing.hash_rows(np.uint64(seed), np.uint64(HALVING), np.arange(n_rows, dtype=np.uint64), words)
    return (words & np.uint64(1)).astype(np.uint8)


@dataclass(frozen=True)
class BoostedColumn:
    """A column that a predictor predicts, and the rows that it is fitted to.

    Parameters
    ----------
    position : int
        The place of the column in the order of the chain.
    scores : array of shape (n_codes,)
        The number that each coarse code of the column stands for.
    codes : array of shape (n_columns, n_rows)
        Coarse codes, in the order of the chain.
    half : array of shape (n_rows,)
        The half of each row, 0 or 1.
    """

    position: int
    scores: npt.NDArray[np.float64]
    codes: CoarseCodes
    half: CoarseCodes


def boost(
    predictor: Predictor, column: BoostedColumn, predecessors: npt.NDArray[np.int64], seed: np.uint64
) -> Predictor:
    """Return the predictor with trees for what it leaves, if they explain enough of it.

    Parameters
    ----------
    predictor : Predictor
        The additive one, or NO_PREDICTOR.
    """
    if not len(predecessors):
        return predictor
    codes, half = column.codes, column.half
    scores = column.scores[codes[column.position]]
    start = additive.add_up(predictor, codes, half) / WEIGHT_UNIT
    seen = np.ascontiguousarray(codes[predecessors])
    parts = []
    for own in (1, 0):
        # The trees for rows of half 0 come first, grown on the rows of half 1.
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
