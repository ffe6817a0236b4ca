"""Density: the mean number of real neighborhoods around a synthetic row, relative to real rows."""

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
    """Mean number of real neighborhoods that each synthetic row is in, relative to the mean for real rows.

    The score is capped at 1.
    """

    metric: Literal["density"] = "density"
    density: Annotated[
        float,
        Field(
            description="Density without the cap at 1. A value above 1 means that synthetic rows are "
            "concentrated where real rows are dense."
        ),
    ]


def score(comparison: Comparison) -> DensityResult | UnscoredResult:
    """Return the density of Naeem et al. (2020). It is capped at 1, the density expected of real rows."""
    neighbours = neighbourhood(comparison)
    if neighbours is None:
        return TOO_FEW
    density = float(neighbours.n_around.mean()) / N_NEIGHBOURS
    # The variance is the sum of the variances over the real rows and over the synthetic rows. The factor 2
    # accounts for the sampling error of the neighborhoods. With this factor, the standard error agrees with
    # the standard deviation over 14 pairs of halves, both for the adult table and for the housing table.
    variance = 2 * (np.var(neighbours.n_around) + np.var(neighbours.n_within)) / neighbours.n_rows
    error = math.sqrt(float(variance)) / N_NEIGHBOURS
    return DensityResult(
        score=min(density, 1.0),
        interval=interval(min(density, 1.0), error, 0.0, 1.0),
        density=density,
        n_rows={"real": neighbours.n_rows, "synthetic": neighbours.n_rows},
    )


DENSITY = Metric(
    name="density",
    title="Density",
    summary=(
        "Average number of real rows' neighborhoods that contain a synthetic row, divided by the average "
        "for a real row. Synthetic rows that are unlike any real row lower the score."
    ),
    concern="synthetic rows are not close to real rows",
    source="Naeem et al. 2020, Reliable fidelity and diversity metrics for generative models, capped at 1",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=DensityResult,
    score=score,
    real_baseline=RealBaseline.holdout,
)
