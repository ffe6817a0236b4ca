"""Whether synthetic rows reach where real ones lie, in the middle and at the edge."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, UnscoredResult
from understudy.evaluation.metrics.fidelity import depth_curve
from understudy.evaluation.metrics.fidelity.depth_curve import LEVELS
from understudy.evaluation.metrics.fidelity.neighbourhood import TOO_FEW, neighbourhood

# How far the scores of pairs of real halves spread, against what real rows drawn anew show: 1.4 of adult, 1.8
# of housing (14 pairs each). Both tables have a part in it.
SPREAD_OF_BOTH = 1.8


class BetaRecallResult(MetricResult):
    """How near the curve of recall is to that of real rows."""

    metric: Literal["beta_recall"] = "beta_recall"
    curve: Annotated[
        list[tuple[float, float]],
        Field(description="A share of synthetic rows, the innermost, and of real rows that they reach."),
    ]


def score(comparison: Comparison) -> BetaRecallResult | UnscoredResult:
    """Return 1 - twice the mean distance of the curve from the diagonal (Alaa et al. 2022).

    Notes
    -----
    A real row is reached if its nearest synthetic row lies within its surroundings. As in the authors' code,
    depths are those of the synthetic rows that are somebody's nearest.
    """
    found = neighbourhood(comparison)
    if found is None:
        return TOO_FEW
    depths = found.own_depths[found.nearest]
    steps = np.searchsorted(np.quantile(depths, LEVELS), depths)
    # Rows that are reached at each step, and then those that are not.
    n_steps = len(LEVELS)
    counts = np.bincount(steps + n_steps * (found.n_within == 0), minlength=2 * n_steps)
    curve = np.cumsum(counts[:n_steps]) / found.n_rows
    lost = depth_curve.drawn_steps(counts, comparison.rng("beta_recall"))[:, n_steps:]
    # The curve is the diagonal less what is not reached. The synthetic rows are not drawn anew.
    drawn = LEVELS - np.cumsum(lost, axis=1) / found.n_rows
    estimate, interval = depth_curve.estimated(curve, drawn, SPREAD_OF_BOTH)
    return BetaRecallResult(
        score=estimate,
        interval=interval,
        curve=depth_curve.points(curve),
        n_rows={"real": found.n_rows, "synthetic": found.n_rows},
    )


BETA_RECALL = Metric(
    name="beta_recall",
    title="Beta-recall",
    summary="Whether synthetic rows lie close to the real ones, from the centre of the table to its edge. "
    "Types of real rows that do not occur lower the score.",
    concern="some types of real rows do not occur",
    source="Alaa et al. 2022, How faithful is your synthetic data?",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=BetaRecallResult,
    score=score,
    real_baseline=RealBaseline.holdout,
)
