"""Canaries: fictional rows that were planted in the training table."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, UnscoredResult
from understudy.evaluation.statistics.auc import auc, auc_standard_error, interval
from understudy.evaluation.statistics.nearest_neighbours import as_points, find_nearest

N_CANARIES_MIN = 10


class CanariesResult(MetricResult):
    """AUC of an attacker who distinguishes planted canaries from canaries that were not planted."""

    metric: Literal["canaries"] = "canaries"
    exposure: Annotated[
        float,
        Field(
            description="Mean exposure of the planted canaries in bits. Each planted canary is ranked among "
            "the canaries that were not planted."
        ),
    ]
    exposure_by_chance: Annotated[
        float, Field(description="Mean exposure in bits if all ranks are equally likely.")
    ]
    exposure_most: Annotated[
        float,
        Field(
            description="Exposure in bits if every planted canary ranks above all canaries that were not "
            "planted."
        ),
    ]
    n_planted: int
    n_found: Annotated[int, Field(description="Number of planted canaries that equal a synthetic row.")]


def score(comparison: Comparison) -> CanariesResult | UnscoredResult:
    """Return the AUC of the distance to the nearest synthetic row for planted and left-out canaries.

    Notes
    -----
    Carlini et al. (2019), "The secret sharer", section 4: exposure is the logarithm of the number of
    candidates minus the logarithm of the canary's rank among them. Here, the candidates are the canary and
    the canaries that were left out, so the exposure is at most log2(n_left + 1).
    """
    assert comparison.canaries is not None
    is_planted = comparison.canaries.is_planted
    n_planted, n_left = int(is_planted.sum()), int((~is_planted).sum())
    if min(n_planted, n_left) < N_CANARIES_MIN:
        return UnscoredResult(
            reason=f"needs {N_CANARIES_MIN} planted canaries and {N_CANARIES_MIN} that were left out"
        )
    points = [as_points(comparison, table) for table in (comparison.canaries.table, comparison.synthetic)]
    nearness = -find_nearest(points[0], points[1], 1).distances[0, :, 0].astype(np.float64)
    planted, left_out = nearness[is_planted], nearness[~is_planted]
    area = auc(planted, left_out)
    hashes = comparison.canaries.table.row_hashes[is_planted]
    return CanariesResult(
        score=area,
        interval=interval(area, auc_standard_error(area, n_planted, n_left), 0.0, 1.0),
        exposure=exposure(planted, left_out),
        exposure_by_chance=_exposure_by_chance(n_left),
        exposure_most=float(np.log2(n_left + 1)),
        n_planted=n_planted,
        n_found=int(np.isin(hashes, comparison.synthetic.row_hashes).sum()),
        n_rows={"canaries": len(is_planted), "synthetic": comparison.synthetic.n_rows},
    )


def exposure(planted: NDArray[np.float64], left_out: NDArray[np.float64]) -> float:
    """Return the mean exposure in bits. Half of the canaries that tie with a planted canary rank above it."""
    ordered = np.sort(left_out)
    n = len(ordered)
    above = n - np.searchsorted(ordered, planted, side="right")
    ties = n - np.searchsorted(ordered, planted, side="left") - above
    return float(np.mean(np.log2(n + 1) - np.log2(1 + above + ties / 2)))


def _exposure_by_chance(n_left: int) -> float:
    """Return the expected mean exposure, in bits, if all ranks are equally likely."""
    return float(np.log2(n_left + 1) - np.mean(np.log2(np.arange(1, n_left + 2))))


CANARIES = Metric(
    name="canaries",
    title="Canaries",
    summary=(
        "Success (AUC) of an attacker who uses the synthetic rows to separate fictional rows (canaries) "
        "that were planted in the training table from canaries that were left out. 0.5 is guessing."
    ),
    concern="canaries that were planted in the training table can be recognized",
    source="Compare Carlini et al. 2019, The secret sharer, which reports the exposure instead of the AUC",
    topic="privacy",
    direction="lower",
    range=(0.0, 1.0),
    best=0.5,
    result=CanariesResult,
    score=score,
    needs=frozenset({Need.canaries}),
    real_baseline=None,
    chance=0.5,
)
