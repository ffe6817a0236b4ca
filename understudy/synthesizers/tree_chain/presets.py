"""The presets: how much work is put into a chain, and how closely it may follow single rows."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.kernels.trees import GrowthRules


@dataclass(frozen=True)
class Preset:
    """One way to fit a chain.

    Parameters
    ----------
    rules : GrowthRules
        When trees are split.
    n_trees : int
        Trees of every choice; a draw picks one at random.
    fraction : float
        Share of a choice's rows that each of its trees is grown on.
    chooses_order : bool
        Whether orders of the columns are tried on held-out rows; otherwise they go by their number of codes.
    boosts : bool
        Whether trees are boosted for the predictors of ordinal columns.
    n_refinements : int
        How often the ratio of real to drawn rows is learnt, by which proposals are accepted.
    """

    rules: GrowthRules
    n_trees: int = 1
    fraction: float = 1.0
    chooses_order: bool = False
    boosts: bool = False
    n_refinements: int = 0


_RULES = GrowthRules(penalty=-1.0, category_penalty=1.0, min_leaf=5, depth_max=24, smoothing=4.0)
_CROSSED = _RULES._replace(penalty=-2.0, count_min=20, smoothing=16.0)

PRESETS = {
    "fast": Preset(_RULES._replace(penalty=-2.0)),
    "balanced": Preset(_RULES, n_trees=8, fraction=0.9, chooses_order=True),
    "best": Preset(_RULES, n_trees=8, fraction=0.9, chooses_order=True, boosts=True, n_refinements=2),
    "guarded": Preset(_CROSSED, n_trees=16, chooses_order=True),
}

# What a calibrated likelihood attack on model files reached: ROC AUC on adult and on housing, a third of the
# rows fitted (python -m benchmarks.membership, 2026-11-25).
ATTACKED = {"fast": (0.67, 0.86), "balanced": (0.64, 0.80), "best": (0.64, 0.79), "guarded": (0.55, 0.57)}
