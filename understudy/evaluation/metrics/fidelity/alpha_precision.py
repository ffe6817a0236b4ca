"""Alpha-precision: the share of synthetic rows within the innermost real rows."""

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
    """Closeness of the precision curve to the diagonal, which is the expected curve of real rows."""

    metric: Literal["alpha_precision"] = "alpha_precision"
    curve: Annotated[
        list[tuple[float, float]],
        Field(
            description=(
                "Points on the precision curve. Each point contains a share of the real rows, counted from "
                "the center outward, and the share of synthetic rows in the region of these real rows."
            )
        ),
    ]


def score(comparison: Comparison) -> AlphaPrecisionResult | UnscoredResult:
    """Return 1 minus twice the mean distance of the curve from the diagonal (Alaa et al. 2022)."""
    neighbours = neighbourhood(comparison)
    if neighbours is None:
        return TOO_FEW
    radii = np.quantile(neighbours.real_depths, LEVELS)
    tables = neighbours.real_depths, neighbours.synthetic_depths
    real, synthetic = (
        np.bincount(np.searchsorted(radii, depths), minlength=len(LEVELS) + 1) for depths in tables
    )
    curve = np.cumsum(synthetic[:-1]) / neighbours.n_rows
    rng = comparison.rng("alpha_precision")
    # The real rows are also resampled because they determine the radii.
    gaps = depth_curve.drawn_steps(synthetic, rng) - depth_curve.drawn_steps(real, rng)
    drawn = LEVELS + np.cumsum(gaps[:, :-1], axis=1) / neighbours.n_rows
    estimate, interval = depth_curve.estimated(curve, drawn)
    return AlphaPrecisionResult(
        score=estimate,
        interval=interval,
        curve=depth_curve.points(curve),
        n_rows={"real": neighbours.n_rows, "synthetic": neighbours.n_rows},
    )


ALPHA_PRECISION = Metric(
    name="alpha_precision",
    title="Alpha-precision",
    summary=(
        "Agreement between synthetic and real rows in their distances from the center of the real table. "
        "Atypical rows, and too many typical ones, lower the score. The score hardly detects broken "
        "relations between columns."
    ),
    concern="synthetic rows lie in regions without real rows",
    source="Alaa et al. 2022, How faithful is your synthetic data, without the learned embedding",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=AlphaPrecisionResult,
    score=score,
    real_baseline=RealBaseline.holdout,
)
