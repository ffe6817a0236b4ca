"""Boundary and category adherence: synthetic values within the real range and categories."""

from __future__ import annotations

import math
from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import Values, is_missing
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, UnscoredResult
from understudy.tables.schema import ColumnKind


class ColumnAdherenceScore(BaseModel):
    """Share of a column's synthetic values that are within the real range or match a real category."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    kind: ColumnKind
    score: Annotated[
        float,
        Field(
            description="Share of synthetic values that are within the real range or match a real category. "
            "The share is rounded to thousandths to protect the two real rows that define a range."
        ),
    ]
    measure: Literal["BoundaryAdherence", "CategoryAdherence"]


class ColumnAdherenceResult(MetricResult):
    """Adherence of each column. The overall score is the mean over columns."""

    metric: Literal["column_adherence"] = "column_adherence"
    columns: list[ColumnAdherenceScore]


def score(comparison: Comparison) -> ColumnAdherenceResult | UnscoredResult:
    """Return the share of synthetic values within the real ranges and categories."""
    bounds = [bound for i in range(len(comparison.columns)) if (bound := _bounds(comparison, i)) is not None]
    if not bounds:
        return UnscoredResult(reason="needs a column with known values in both tables")
    return ColumnAdherenceResult(
        score=float(np.mean([bound.score for bound in bounds])),
        columns=bounds,
        n_rows={"real": comparison.real.n_rows, "synthetic": comparison.synthetic.n_rows},
    )


def _bounds(comparison: Comparison, i: int) -> ColumnAdherenceScore | None:
    is_categorical = comparison.encoder.columns[i].is_categorical
    measure = category_adherence if is_categorical else boundary_adherence
    kept = measure(comparison.real.columns[i], comparison.synthetic.columns[i])
    if math.isnan(kept):
        return None
    return ColumnAdherenceScore(
        column=comparison.columns[i].name,
        kind=comparison.columns[i].kind,
        score=round(kept, 3),
        measure="CategoryAdherence" if is_categorical else "BoundaryAdherence",
    )


def boundary_adherence(real: Values, synthetic: Values) -> float:
    """Return SDMetrics' BoundaryAdherence: the share of values within the real range.

    Missing synthetic values are ignored if the real column has missing values. Otherwise, they count as out
    of bounds.
    """
    missing = is_missing(real)
    known = real[~missing]
    checked = synthetic[~is_missing(synthetic)] if missing.any() else synthetic
    if len(known) == 0 or len(checked) == 0:
        return math.nan
    # A comparison with a missing value is false.
    return float(np.mean((checked >= known.min()) & (checked <= known.max())))


def category_adherence(real: Values, synthetic: Values) -> float:
    """Return SDMetrics' CategoryAdherence: the share of synthetic values that occur in the real column.

    A missing value counts as occurring if the real column has missing values.
    """
    if is_missing(real).all() or len(synthetic) == 0:
        return math.nan
    return float(np.isin(synthetic, np.unique(real)).mean())


COLUMN_ADHERENCE = Metric(
    name="column_adherence",
    title="Boundary and category adherence",
    summary="Share of synthetic values that lie within the real column's range or are one of its "
    "categories, averaged over columns.",
    concern="some synthetic values are outside the real range or not among the real categories",
    source="SDMetrics: BoundaryAdherence, CategoryAdherence, rounded to thousandths",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=ColumnAdherenceResult,
    score=score,
    real_baseline=RealBaseline.split,
)
