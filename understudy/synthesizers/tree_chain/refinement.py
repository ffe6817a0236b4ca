"""Refinement: rejection sampling with a density ratio of real to drawn rows, learned by boosted trees.

Trees that classify rows as real or drawn estimate log p_real / p_drawn. A proposal is accepted with
probability min(1, ratio / ceiling), so that accepted rows are closer to the real distribution (rejection
sampling, von Neumann 1951; applied to a generative model: Azadi et al. 2019, "Discriminator rejection
sampling").
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from understudy.kernels import boosting, hashing
from understudy.kernels.boosting import Boosted, BoostingRules
from understudy.synthesizers.contexts import LearnRun
from understudy.transformers.base import RowNumbers, consecutive_rows

# Maximum number of real rows, and number of drawn rows per real row.
N_ROWS_MAX = 50_000
N_DRAWN_PER_ROW = 2
RULES = BoostingRules(is_class=True, n_trees=100, depth=6, rate=0.1, ridge=2.0, hessian_min=7.0, fraction=0.5)
# Number of averaged ensembles. A separate thread boosts each ensemble on different random rows.
N_BAGS = 2
# Share of proposals whose density ratio is below the ceiling. Proposals above the ceiling are always
# accepted.
CEILING_QUANTILE = 0.98
WEIGHT_QUANTILE = 0.99
# Hash stream that decides which proposals are accepted.
ACCEPTING = 1 << 34

CoarseRows = npt.NDArray[np.uint8]
# Function that returns coarse codes of shape (n, n_columns), in chain order, for the given row numbers.
DrawRows = Callable[[RowNumbers], CoarseRows]


@dataclass(frozen=True)
class Refinement:
    """Log density ratio of real to drawn rows, and the ceiling above which proposals are always accepted."""

    boosted: Boosted
    ceiling: float

    def log_ratio(self, rows: CoarseRows) -> npt.NDArray[np.float64]:
        """Return the log density ratio of each row, given coarse codes of shape (n, n_columns)."""
        score = np.zeros(len(rows))
        boosting.add_scores(self.boosted, rows, score)
        return score

    def acceptance(self, rows: CoarseRows) -> npt.NDArray[np.float64]:
        """Return the probability that each row is accepted."""
        return np.exp(np.minimum(self.log_ratio(rows) - self.ceiling, 0.0))

    def accept(self, rows: CoarseRows, seed: int, numbers: RowNumbers) -> npt.NDArray[np.bool_]:
        """Return a mask of the accepted rows."""
        words = np.empty(len(numbers), np.uint64)
        hashing.hash_rows(np.uint64(seed), np.uint64(ACCEPTING), numbers, words)
        accepted: npt.NDArray[np.bool_] = (words >> np.uint64(11)) * 2.0**-53 < self.acceptance(rows)
        return accepted


def fit_refinement(real: CoarseRows, draw: DrawRows, n_rounds: int, run: LearnRun) -> Refinement:
    """Learn the density ratio in rounds, each of which corrects the result of the previous rounds.

    Parameters
    ----------
    real : array of shape (n_rows, n_columns)
        Coarse codes of real rows, in chain order.
    draw : callable
        Function that returns proposals.
    n_rounds : int
        Number of rounds.
    run : LearnRun
        Seed, threads and context of the fit.
    """
    rng = np.random.default_rng([run.seed, 2])
    if len(real) > N_ROWS_MAX:
        real = real[np.sort(rng.choice(len(real), N_ROWS_MAX, replace=False))]
    n_drawn = len(real) * N_DRAWN_PER_ROW
    refinement = Refinement(_no_trees(), 0.0)
    for i in range(n_rounds):
        run.context.report("refining", i / n_rounds)
        drawn = draw(consecutive_rows(i * n_drawn, n_drawn))
        log_ratio = refinement.log_ratio(drawn)
        boosted = _fit_round(real, drawn, log_ratio, replace(run, seed=run.seed + i))
        refinement = Refinement(_join([refinement.boosted, boosted]), 0.0)
    fresh = refinement.log_ratio(draw(consecutive_rows(n_rounds * n_drawn, len(real))))
    return Refinement(refinement.boosted, float(np.quantile(fresh, CEILING_QUANTILE)))


def _no_trees() -> Boosted:
    n_inner = (1 << RULES.depth) - 1
    return Boosted(
        np.zeros((0, n_inner), np.int16),
        np.zeros((0, n_inner), np.uint8),
        np.zeros((0, n_inner + 1), np.float32),
    )


def _fit_round(
    real: CoarseRows, drawn: CoarseRows, log_ratio: npt.NDArray[np.float64], run: LearnRun
) -> Boosted:
    weight = np.exp(np.minimum(log_ratio, np.quantile(log_ratio, WEIGHT_QUANTILE)))
    weights = np.concatenate((np.ones(len(real)), weight * (len(real) / weight.sum())))
    codes = np.ascontiguousarray(np.concatenate((real, drawn)).T)
    is_real = (np.arange(len(weights)) < len(real)).astype(np.float64)

    def fit(bag: int) -> Boosted:
        key = np.uint64(hashing.stream_key(np.uint64(run.seed), np.uint64(bag)))
        return boosting.fit_boosted(
            codes, boosting.Observations(is_real, weights, np.zeros(len(weights))), RULES, key
        )

    with ThreadPoolExecutor(run.n_threads) as pool:
        bags = list(pool.map(fit, range(N_BAGS)))
    both = _join(bags)
    return both._replace(leaf=(both.leaf / N_BAGS).astype(np.float32))


def _join(parts: list[Boosted]) -> Boosted:
    return Boosted(
        np.concatenate([part.feature for part in parts]),
        np.concatenate([part.threshold for part in parts]),
        np.concatenate([part.leaf for part in parts]),
    )
