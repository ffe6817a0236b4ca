"""Beta-recall: the share of real rows that the innermost synthetic rows reach."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, UnscoredResult
from understudy.evaluation.metrics.fidelity import depth_curve
from understudy.evaluation.metrics.fidelity.depth_curve import LEVELS
from understudy.evaluation.metrics.fidelity.neighbourhood import TOO_FEW, neighbourhood

# Ratio of two spreads of the score: the spread over pairs of halves of the real table, and the spread over
# resamples in which only the real rows vary. The ratio is 1.4 for the adult table and 1.8 for the housing
# table, with 14 pairs each. It exceeds 1 because both tables contribute to the spread.
SPREAD_OF_BOTH = 1.8


class BetaRecallResult(MetricResult):
    """Closeness of the recall curve to the diagonal, which is approximately the curve of real rows."""

    metric: Literal["beta_recall"] = "beta_recall"
    curve: Annotated[
        list[tuple[float, float]],
        Field(
            description=(
                "Points on the recall curve. Each point contains a share of the synthetic rows, counted from "
                "the center outward, and the share of real rows near these synthetic rows."
            )
        ),
    ]


def score(comparison: Comparison) -> BetaRecallResult | UnscoredResult:
    """Return 1 minus twice the mean distance of the curve from the diagonal (Alaa et al. 2022).

    Notes
    -----
    A real row is reached if its nearest synthetic row lies within its neighborhood. As in the authors' code,
    only synthetic rows that are nearest to a real row determine the depths.
    """
    neighbours = neighbourhood(comparison)
    if neighbours is None:
        return TOO_FEW
    depths = neighbours.own_depths[neighbours.nearest]
    steps = np.searchsorted(np.quantile(depths, LEVELS), depths)
    # The first half of `counts` contains the numbers of real rows that are reached at each step. The second
    # half contains the numbers of all other real rows.
    n_steps = len(LEVELS)
    counts = np.bincount(steps + n_steps * (neighbours.n_within == 0), minlength=2 * n_steps)
    curve = np.cumsum(counts[:n_steps]) / neighbours.n_rows
    lost = depth_curve.drawn_steps(counts, comparison.rng("beta_recall"))[:, n_steps:]
    # The curve is the diagonal minus the share of real rows that are not reached. Synthetic rows are not
    # resampled.
    drawn = LEVELS - np.cumsum(lost, axis=1) / neighbours.n_rows
    estimate, interval = depth_curve.estimated(curve, drawn, SPREAD_OF_BOTH)
    return BetaRecallResult(
        score=estimate,
        interval=interval,
        curve=depth_curve.points(curve),
        n_rows={"real": neighbours.n_rows, "synthetic": neighbours.n_rows},
    )


BETA_RECALL = Metric(
    name="beta_recall",
    title="Beta-recall",
    summary="Agreement between two shares, averaged from typical to atypical rows: the share of innermost "
    "synthetic rows, and the share of real rows close to one of them. Types of real rows that are missing "
    "from the synthetic table lower the score.",
    concern="some types of real rows do not occur in the synthetic table",
    source="Alaa et al. 2022, How faithful is your synthetic data, without the learned embedding and with "
    "five neighbors",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=BetaRecallResult,
    score=score,
    real_baseline=RealBaseline.holdout,
)
