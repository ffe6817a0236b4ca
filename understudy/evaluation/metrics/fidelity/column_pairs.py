"""Column pair trends: the similarity between the joint distributions of each pair of columns."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, UnscoredResult
from understudy.evaluation.metrics.fidelity.pair_cells import pair_cells


class ColumnPairsResult(MetricResult):
    """Similarity between the real and synthetic joint distributions of each pair of columns.

    The score is the average over all pairs.
    """

    metric: Literal["column_pairs"] = "column_pairs"
    columns: Annotated[list[str], Field(description="Names of the columns, in the order of the matrix.")]
    matrix: Annotated[
        list[list[float | None]],
        Field(
            description="Similarity between the joint distributions of each pair of columns in the two "
            "tables, from 0 to 1. Null on the diagonal."
        ),
    ]


def score(comparison: Comparison) -> ColumnPairsResult | UnscoredResult:
    """Return 1 minus the total variation distance of the contingency tables, averaged over pairs."""
    if len(comparison.columns) < 2:
        return UnscoredResult(reason="needs at least two columns")
    cells = pair_cells(comparison)
    matrix: list[list[float | None]] = [[None] * len(cells.chosen) for _ in cells.chosen]
    similarities = []
    for (i, j), real, synthetic in zip(cells.pairs, cells.real, cells.synthetic, strict=True):
        gaps = np.abs(real / cells.n_rows["real"] - synthetic / cells.n_rows["synthetic"])
        matrix[i][j] = matrix[j][i] = float(1 - gaps.sum() / 2)
        similarities.append(matrix[i][j])
    return ColumnPairsResult(
        score=float(np.mean(np.array(similarities, dtype=np.float64))),
        columns=[comparison.columns[i].name for i in cells.chosen],
        matrix=matrix,
        n_rows=cells.n_rows,
    )


COLUMN_PAIRS = Metric(
    name="column_pairs",
    title="Column pair trends",
    summary=(
        "Similarity between the real and the synthetic joint distribution of each pair of columns, averaged "
        "over pairs. The score shows whether relations between columns are preserved."
    ),
    concern="relations between columns differ from those of the real table",
    source="Compare SDMetrics: Column Pair Trends, which uses different bins and correlates numeric columns",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=ColumnPairsResult,
    score=score,
    real_baseline=RealBaseline.bootstrap,
)
