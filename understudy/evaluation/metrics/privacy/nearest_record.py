"""Whether synthetic rows lie nearer to the rows that were learnt from than to others."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, Need, UnscoredResult
from understudy.evaluation.statistics.auc import interval
from understudy.evaluation.statistics.nearest_neighbours import as_points, find_nearest

N_QUERIES_MAX = 5_000
N_REFERENCES_MAX = 50_000
N_ROWS_MIN = 50


class NearestRecordResult(MetricResult):
    """Share of synthetic rows that are nearer to a training row than to a held-out row."""

    metric: Literal["nearest_record"] = "nearest_record"
    standard_error: Annotated[float, Field(description="Of the share, over the synthetic rows.")]
    ties: Annotated[float, Field(description="Share of rows equally near to both; they count half.")]
    ratio_to_training: Annotated[
        float,
        Field(
            description="Median distance to the nearest training row, in units of that to the second "
            "nearest. Far below `ratio_to_holdout`, rows lie on single training rows."
        ),
    ]
    ratio_to_holdout: Annotated[float, Field(description="The same for held-out rows.")]


def score(comparison: Comparison) -> NearestRecordResult | UnscoredResult:
    """Return how often the nearest row of equally many training and held-out rows is a training row.

    Notes
    -----
    Rows are compared column by column: numbers by how far apart their ranks in the real table are (0 … 1),
    categories by whether they are equal; a missing value equals only another one.
    """
    assert comparison.holdout is not None
    n_references = min(comparison.real.n_rows, comparison.holdout.n_rows, N_REFERENCES_MAX)
    if n_references < N_ROWS_MIN:
        return UnscoredResult(reason=f"needs at least {N_ROWS_MIN} training rows and as many held-out rows")
    rng = comparison.rng("nearest_record")
    synthetic = as_points(comparison, comparison.synthetic.draw(N_QUERIES_MAX, rng))
    to_training, to_holdout = (
        find_nearest(synthetic, as_points(comparison, table.draw(n_references, rng)), 2).distances[0]
        for table in (comparison.real, comparison.holdout)
    )
    is_tie, n_queries = to_training[:, 0] == to_holdout[:, 0], synthetic.n_rows
    ties = float(np.mean(is_tie))
    share = float(np.mean(to_training[:, 0] < to_holdout[:, 0])) + ties / 2
    # The variance of outcomes 0, 1/2 and 1 around their mean.
    error = math.sqrt(max(share * (1 - share) - ties / 4, 0.0) / n_queries)
    return NearestRecordResult(
        score=share,
        interval=interval(share, error, 0.0, 1.0),
        standard_error=error,
        ties=ties,
        ratio_to_training=_median_ratio(to_training),
        ratio_to_holdout=_median_ratio(to_holdout),
        n_rows={"synthetic": n_queries, "real": n_references, "holdout": n_references},
    )


def _median_ratio(distances: NDArray[np.float32]) -> float:
    """Return the median of nearest over second nearest; equal rows are as near as their second nearest."""
    nearest, second = distances[:, 0], distances[:, 1]
    return float(np.median(np.where(second > 0, nearest / np.where(second > 0, second, 1), 1.0)))


NEAREST_RECORD = Metric(
    name="nearest_record",
    title="Nearest record",
    summary="Share of synthetic rows that lie nearer to a row that was learnt from than to one that was not. "
    "0.5 is what new rows would show. A smoke alarm for copying, no more: silence proves nothing.",
    concern="synthetic rows lie nearer to the rows that were learnt from than new rows would",
    topic="privacy",
    direction="nearer",
    range=(0.0, 1.0),
    best=0.5,
    result=NearestRecordResult,
    score=score,
    needs=frozenset({Need.holdout}),
)
