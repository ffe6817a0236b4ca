"""Presets of the tree chain, which determine the effort of a fit and the influence of single rows."""

from __future__ import annotations

from dataclasses import dataclass

from understudy.kernels.trees import GrowthRules


@dataclass(frozen=True)
class Preset:
    """Settings of a fit.

    Parameters
    ----------
    rules : GrowthRules
        Conditions for splitting tree nodes.
    n_trees : int
        Number of trees per choice. A draw uses one of these trees at random.
    fraction : float
        Fraction of a choice's rows that are used to grow each of its trees, from 0 to 1.
    chooses_order : bool
        Whether several orders of the columns are compared on held-out rows. Otherwise, columns are ordered by
        their number of codes.
    boosts : bool
        Whether the predictors of ordinal columns have boosted trees.
    n_refinements : int
        Number of rounds for learning the density ratio of real to drawn rows. The density ratio determines
        the probability that a proposal is accepted.
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

# ROC AUC of a calibrated likelihood attack on model files, on the datasets adult and housing. The model was
# fitted on a third of the rows (python -m benchmarks.membership, 2026-11-25).
ATTACKED = {"fast": (0.67, 0.86), "balanced": (0.64, 0.80), "best": (0.64, 0.79), "guarded": (0.55, 0.57)}

ATTACK = (
    "The model file allows membership inference. A likelihood attack on files of the preset `{}` "
    "distinguished training rows from other rows with a ROC AUC of {:.2f} on one public table and {:.2f} on "
    "another, where 0.5 is the chance level. It may reach a higher value on your table."
)
