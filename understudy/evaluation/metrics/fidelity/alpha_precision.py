"""Whether synthetic rows lie where real ones do."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, StandIn, Unscored
from understudy.evaluation.metrics.fidelity import depth_curve
from understudy.evaluation.metrics.fidelity.depth_curve import LEVELS
from understudy.evaluation.metrics.fidelity.neighbourhood import TOO_FEW, neighbourhood


class AlphaPrecision(MetricResult):
    """How near the curve of precision is to that of real rows."""

    metric: Literal["alpha_precision"] = "alpha_precision"
    curve: Annotated[
        list[tuple[float, float]],
        Field(description="A share of real rows, the innermost, and of synthetic rows that far in."),
    ]


def score(comparison: Comparison) -> AlphaPrecision | Unscored:
    """Return 1 - twice the mean distance of the curve from the diagonal (Alaa et al. 2022)."""
    found = neighbourhood(comparison)
    if found is None:
        return TOO_FEW
    radii = np.quantile(found.real_depths, LEVELS)
    counts = np.bincount(np.searchsorted(radii, found.synthetic_depths), minlength=len(LEVELS) + 1)
    estimate, interval = depth_curve.scored(counts, found.n_rows, comparison.rng("alpha_precision"))
    return AlphaPrecision(
        score=estimate,
        interval=interval,
        curve=depth_curve.points(np.cumsum(counts[:-1]) / found.n_rows),
        n_rows={"real": found.n_rows, "synthetic": found.n_rows},
    )


ALPHA_PRECISION = Metric(
    name="alpha_precision",
    title="Alpha-precision",
    summary="Whether as many synthetic as real rows lie at each distance from the middle of the real table. "
    "Strange rows, and too many ordinary ones, bring it down. It does not see relations well.",
    concern="synthetic rows lie where real ones do not",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=AlphaPrecision,
    score=score,
    stand_in=StandIn.fresh,
)
