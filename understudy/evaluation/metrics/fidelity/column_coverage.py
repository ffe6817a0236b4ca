"""Range and category coverage: the share of the real range or categories that synthetic values cover."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import Values, is_missing
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, UnscoredResult
from understudy.tables.schema import ColumnKind


class ColumnCoverageScore(BaseModel):
    """Share of a column's real range or categories that the synthetic values cover."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    kind: ColumnKind
    score: Annotated[
        float,
        Field(
            description="Share of the real range or categories that is covered. The share is rounded to "
            "hundredths to protect the two real rows that define a range."
        ),
    ]
    measure: Literal["RangeCoverage", "CategoryCoverage"]


class ColumnCoverageResult(MetricResult):
    """Coverage of each column. The overall score is the mean over columns."""

    metric: Literal["column_coverage"] = "column_coverage"
    columns: list[ColumnCoverageScore]


def score(comparison: Comparison) -> ColumnCoverageResult | UnscoredResult:
    """Return the share of the real ranges and categories that the synthetic columns cover."""
    reaches = [reach for i in range(len(comparison.columns)) if (reach := _reach(comparison, i)) is not None]
    if not reaches:
        return UnscoredResult(
            reason="needs a categorical column, or one of numbers or times with at least two distinct values"
        )
    return ColumnCoverageResult(
        score=float(np.mean([reach.score for reach in reaches])),
        columns=reaches,
        n_rows={"real": comparison.real.n_rows, "synthetic": comparison.synthetic.n_rows},
    )


def _reach(comparison: Comparison, i: int) -> ColumnCoverageScore | None:
    is_categorical = comparison.encoder.columns[i].is_categorical
    measure = category_coverage if is_categorical else range_coverage
    covered = measure(comparison.real.columns[i], comparison.synthetic.columns[i])
    if math.isnan(covered):
        return None
    return ColumnCoverageScore(
        column=comparison.columns[i].name,
        kind=comparison.columns[i].kind,
        # An exact score would reveal the largest real value to a reader who has the synthetic rows.
        score=round(covered, 2),
        measure="CategoryCoverage" if is_categorical else "RangeCoverage",
    )


def range_coverage(real: Values, synthetic: Values) -> float:
    """Return SDMetrics' RangeCoverage: 1 minus the shares of the real range that no synthetic value reaches.

    The result is NaN if the real column has fewer than two distinct values, and 0 if the synthetic column has
    no known value.
    """
    known, other = real[~is_missing(real)], synthetic[~is_missing(synthetic)]
    if len(known) == 0 or known.min() == known.max():
        return math.nan
    if len(other) == 0:
        return 0.0
    low, high = known.min(), known.max()
    # Values are halved because the difference of two large floats can overflow.
    width = high / 2 - low / 2
    below, above = (other.min() / 2 - low / 2) / width, (high / 2 - other.max() / 2) / width
    return float(max(1 - max(below, 0.0) - max(above, 0.0), 0.0))


def category_coverage(real: Values, synthetic: Values) -> float:
    """Return SDMetrics' CategoryCoverage: the share of the real categories that synthetic values cover."""
    known, other = np.unique(real[~is_missing(real)]), np.unique(synthetic[~is_missing(synthetic)])
    return len(np.intersect1d(known, other)) / len(known) if len(known) else math.nan


COLUMN_COVERAGE = Metric(
    name="column_coverage",
    title="Range and category coverage",
    summary="Share of each column's real range, or of its real categories, that the synthetic values cover, "
    "averaged over columns. A private table is not expected to reach every extreme value.",
    concern="extreme or rare values of the real table do not occur in the synthetic table",
    source="SDMetrics: RangeCoverage, CategoryCoverage, rounded to hundredths",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=ColumnCoverageResult,
    score=score,
    real_baseline=RealBaseline.split,
)
