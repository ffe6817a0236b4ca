"""Column shapes: the similarity between the real and synthetic distributions of each column."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import Values, is_missing
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline
from understudy.tables.schema import ColumnKind


class ColumnShapeScore(BaseModel):
    """The score of one column: the lower of `known_values` and `missing_values`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    kind: ColumnKind
    score: float
    measure: Literal["KSComplement", "TVComplement"]
    known_values: Annotated[
        float, Field(description="Similarity of the distributions of the values that are not missing.")
    ]
    missing_values: Annotated[
        float,
        Field(description="Similarity of the two shares of missing values: 1 minus their difference."),
    ]


class ColumnShapesResult(MetricResult):
    """Column shape score of each column. The overall score is the mean over columns."""

    metric: Literal["column_shapes"] = "column_shapes"
    columns: list[ColumnShapeScore]


def score(comparison: Comparison) -> ColumnShapesResult:
    """Return 1 minus the distance between the two distributions, averaged over columns."""
    shapes = [_shape(comparison, i) for i in range(len(comparison.columns))]
    return ColumnShapesResult(
        score=float(np.mean([shape.score for shape in shapes])),
        columns=shapes,
        n_rows={"real": comparison.real.n_rows, "synthetic": comparison.synthetic.n_rows},
    )


def _shape(comparison: Comparison, i: int) -> ColumnShapeScore:
    real, synthetic = comparison.real.columns[i], comparison.synthetic.columns[i]
    is_categorical = comparison.encoder.columns[i].is_categorical
    known_real, known_synthetic = real[~is_missing(real)], synthetic[~is_missing(synthetic)]
    missing = 1 - abs(len(known_real) / len(real) - len(known_synthetic) / len(synthetic))
    if len(known_real) == 0 or len(known_synthetic) == 0:
        known = float(len(known_real) == len(known_synthetic))
    else:
        measure = tv_complement if is_categorical else ks_complement
        known = measure(known_real, known_synthetic)
    return ColumnShapeScore(
        column=comparison.columns[i].name,
        kind=comparison.columns[i].kind,
        score=min(known, missing),
        measure="TVComplement" if is_categorical else "KSComplement",
        known_values=known,
        missing_values=missing,
    )


def ks_complement(real: Values, synthetic: Values) -> float:
    """Return 1 minus the Kolmogorov-Smirnov distance, the largest gap between the two empirical CDFs.

    Parameters
    ----------
    real, synthetic : array of shape (n_real,), (n_synthetic,)
        Finite values in any order. Each array has at least one value. The arrays are not changed.
    """
    ordered_real, ordered_synthetic = np.sort(real), np.sort(synthetic)
    # Sorted queries keep the binary searches within the cache.
    at = np.concatenate([ordered_real, ordered_synthetic])
    real_cdf = np.searchsorted(ordered_real, at, side="right") / len(real)
    synthetic_cdf = np.searchsorted(ordered_synthetic, at, side="right") / len(synthetic)
    return float(1 - np.abs(real_cdf - synthetic_cdf).max())


def tv_complement(real: Values, synthetic: Values) -> float:
    """Return 1 minus the total variation distance, which is half the sum of the differences in shares."""
    n_codes = int(max(real.max(), synthetic.max())) + 1
    real_shares = np.bincount(real.astype(np.int64), minlength=n_codes) / len(real)
    synthetic_shares = np.bincount(synthetic.astype(np.int64), minlength=n_codes) / len(synthetic)
    return float(1 - np.abs(real_shares - synthetic_shares).sum() / 2)


COLUMN_SHAPES = Metric(
    name="column_shapes",
    title="Column shapes",
    summary="Similarity of each column's distribution in the two tables, averaged over columns. "
    "Independently sampled columns also score high, so read this score together with the column pair trends.",
    concern="the distributions of single columns differ from those in the real table",
    source="SDMetrics: Column Shapes (KSComplement, TVComplement), which ignores missing values",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=ColumnShapesResult,
    score=score,
    real_baseline=RealBaseline.bootstrap,
)
