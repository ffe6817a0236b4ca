"""Whether synthetic rows lie where real ones do."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, UnscoredResult
from understudy.evaluation.metrics.fidelity import depth_curve
from understudy.evaluation.metrics.fidelity.depth_curve import LEVELS
from understudy.evaluation.metrics.fidelity.neighbourhood import TOO_FEW, neighbourhood


class AlphaPrecisionResult(MetricResult):
    """How near the curve of precision is to that of real rows."""

    metric: Literal["alpha_precision"] = "alpha_precision"
    curve: Annotated[
        list[tuple[float, float]],
        Field(description="A share of real rows, the innermost, and of synthetic rows that far in."),
    ]


def score(comparison: Comparison) -> AlphaPrecisionResult | UnscoredResult:
    """Return 1 - twice the mean distance of the curve from the diagonal (Alaa et al. 2022)."""
    found = neighbourhood(comparison)
    if found is None:
        return TOO_FEW
    radii = np.quantile(found.real_depths, LEVELS)
    tables = found.real_depths, found.synthetic_depths
    real, synthetic = (
        np.bincount(np.searchsorted(radii, depths), minlength=len(LEVELS) + 1) for depths in tables
    )
    curve = np.cumsum(synthetic[:-1]) / found.n_rows
    rng = comparison.rng("alpha_precision")
    # The radii are those of real rows, which are drawn anew as well.
    gaps = depth_curve.drawn_steps(synthetic, rng) - depth_curve.drawn_steps(real, rng)
    drawn = LEVELS + np.cumsum(gaps[:, :-1], axis=1) / found.n_rows
    estimate, interval = depth_curve.estimated(curve, drawn)
    return AlphaPrecisionResult(
        score=estimate,
        interval=interval,
        curve=depth_curve.points(curve),
        n_rows={"real": found.n_rows, "synthetic": found.n_rows},
    )


ALPHA_PRECISION = Metric(
    name="alpha_precision",
    title="Alpha-precision",
    summary="Whether synthetic rows are spread around the centre of the real table as real rows are. "
    "Atypical rows, and too many typical ones, lower the score. It hardly detects broken relations between "
    "columns.",
    concern="synthetic rows lie where real rows do not",
    source="Alaa et al. 2022, How faithful is your synthetic data?",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=AlphaPrecisionResult,
    score=score,
    real_baseline=RealBaseline.holdout,
)
