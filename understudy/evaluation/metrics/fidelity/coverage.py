"""Coverage: the share of real rows with a synthetic row in their neighborhood."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, UnscoredResult
from understudy.evaluation.metrics.fidelity.neighbourhood import TOO_FEW, neighbourhood
from understudy.evaluation.statistics.auc import interval


class CoverageResult(MetricResult):
    """Share of real rows that are closer to a synthetic row than to their fifth-nearest real row."""

    metric: Literal["coverage"] = "coverage"


def score(comparison: Comparison) -> CoverageResult | UnscoredResult:
    """Return the coverage of Naeem et al. (2020); real rows score about 1 - 1/2^5."""
    neighbours = neighbourhood(comparison)
    if neighbours is None:
        return TOO_FEW
    covered = float(np.mean(neighbours.n_within > 0))
    # The variance is twice the binomial variance over real rows because the synthetic rows are also a sample.
    # The standard deviations over 14 pairs of halves of the adult and housing tables were 0.8 and 1.0 times
    # this value.
    error = math.sqrt(2 * covered * (1 - covered) / neighbours.n_rows)
    return CoverageResult(
        score=covered,
        interval=interval(covered, error, 0.0, 1.0),
        n_rows={"real": neighbours.n_rows, "synthetic": neighbours.n_rows},
    )


COVERAGE = Metric(
    name="coverage",
    title="Coverage",
    summary="Share of real rows that have a synthetic row in their neighborhood. Types of real rows that "
    "are missing from the synthetic table lower the score. New real rows would score about 0.97.",
    concern="some real rows have no synthetic neighbor",
    source="Naeem et al. 2020, Reliable fidelity and diversity metrics for generative models",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=CoverageResult,
    score=score,
    real_baseline=RealBaseline.holdout,
)
