"""Whether synthetic rows lie among real ones."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, UnscoredResult
from understudy.evaluation.metrics.fidelity.neighbourhood import N_NEIGHBOURS, TOO_FEW, neighbourhood
from understudy.evaluation.statistics.auc import interval


class DensityResult(MetricResult):
    """How many real rows' surroundings a synthetic row lies in, against a real row; at most 1."""

    metric: Literal["density"] = "density"
    density: Annotated[
        float,
        Field(description="Not cut at 1; above it, rows crowd where real rows are dense."),
    ]


def score(comparison: Comparison) -> DensityResult | UnscoredResult:
    """Return the density of Naeem et al. (2020), cut at 1, where that of real rows is."""
    found = neighbourhood(comparison)
    if found is None:
        return TOO_FEW
    density = float(found.n_around.mean()) / N_NEIGHBOURS
    # A mean over pairs of rows of two samples: the variances over either add up. Twice, as the surroundings
    # are drawn too: of 14 pairs of halves of adult and of housing the standard deviations were equal to this.
    variance = 2 * (np.var(found.n_around) + np.var(found.n_within)) / found.n_rows
    error = math.sqrt(float(variance)) / N_NEIGHBOURS
    return DensityResult(
        score=min(density, 1.0),
        interval=interval(min(density, 1.0), error, 0.0, 1.0),
        density=density,
        n_rows={"real": found.n_rows, "synthetic": found.n_rows},
    )


DENSITY = Metric(
    name="density",
    title="Density",
    summary="How many neighbourhoods of real rows a synthetic row lies in, on average, relative to real "
    "rows. Rows that are unlike any real row lower the score.",
    concern="synthetic rows do not lie among real rows",
    source="Naeem et al. 2020, Reliable fidelity and diversity metrics for generative models",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=DensityResult,
    score=score,
    real_baseline=RealBaseline.holdout,
)
