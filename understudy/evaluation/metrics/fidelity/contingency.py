"""Contingency similarity of categorical columns, with every category counted separately."""

from __future__ import annotations

from itertools import combinations
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import Values
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, UnscoredResult

N_COLUMNS_MAX = 60
# Maximum number of rows multiplied by the number of pairs. At this limit, counting takes about two seconds on
# one core.
N_CELLS_MAX = 30_000_000
# Maximum number of cells of a dense contingency table. Larger tables are counted by sorting.
N_COUNTS_MAX = 1_000_000


class ContingencyResult(MetricResult):
    """ContingencySimilarity of all pairs of categorical columns. The overall score is the mean over pairs."""

    metric: Literal["contingency"] = "contingency"
    columns: Annotated[list[str], Field(description="Names of the columns, in the order of the matrix.")]
    matrix: Annotated[
        list[list[float | None]],
        Field(
            description="Similarity between the joint distributions of each pair of columns in the two "
            "tables, from 0 to 1. Null on the diagonal."
        ),
    ]


def score(comparison: Comparison) -> ContingencyResult | UnscoredResult:
    """Return 1 minus the total variation distance, with missing values as a category, averaged over pairs."""
    chosen = [i for i, encoder in enumerate(comparison.encoder.columns) if encoder.is_categorical]
    if len(chosen) < 2:
        return UnscoredResult(reason="needs at least two columns of categories")
    rng = comparison.rng("contingency")
    if len(chosen) > N_COLUMNS_MAX:
        chosen = [int(i) for i in np.sort(rng.choice(chosen, N_COLUMNS_MAX, replace=False))]
    n_rows_max = N_CELLS_MAX // (len(chosen) * (len(chosen) - 1) // 2)
    real, synthetic = (table.draw(n_rows_max, rng) for table in (comparison.real, comparison.synthetic))
    matrix: list[list[float | None]] = [[None] * len(chosen) for _ in chosen]
    for (a, i), (b, j) in combinations(enumerate(chosen), 2):
        matrix[a][b] = matrix[b][a] = contingency_similarity(
            (real.columns[i], real.columns[j]), (synthetic.columns[i], synthetic.columns[j])
        )
    return ContingencyResult(
        score=float(np.mean([value for row in matrix for value in row if value is not None])),
        columns=[comparison.columns[i].name for i in chosen],
        matrix=matrix,
        n_rows={"real": real.n_rows, "synthetic": synthetic.n_rows},
    )


def contingency_similarity(real: tuple[Values, Values], synthetic: tuple[Values, Values]) -> float:
    """Return SDMetrics' ContingencySimilarity for two columns of codes, with -1 for missing values."""
    n_first, n_second = (
        int(max(real_codes.max(initial=0), synthetic_codes.max(initial=0))) + 2
        for real_codes, synthetic_codes in zip(real, synthetic, strict=True)
    )
    cells = [
        (first + 1).astype(np.int64) * n_second + (second + 1).astype(np.int64)
        for first, second in (real, synthetic)
    ]
    n_cells = n_first * n_second
    if n_cells > N_COUNTS_MAX:
        cells, n_cells = _renumbered(cells)
    shares = [np.bincount(part, minlength=n_cells) / len(part) for part in cells]
    return float(1 - np.abs(shares[0] - shares[1]).sum() / 2)


def _renumbered(cells: list[NDArray[np.int64]]) -> tuple[list[NDArray[np.int64]], int]:
    occurring, codes = np.unique(np.concatenate(cells), return_inverse=True)
    return np.split(codes, [len(cells[0])]), len(occurring)


CONTINGENCY = Metric(
    name="contingency",
    title="Contingency similarity",
    summary=(
        "Similarity of the real and the synthetic contingency table of each pair of categorical columns, "
        "averaged over pairs. Rare categories count separately and differ even between two real samples, so "
        "compare the score with the baseline of real rows."
    ),
    concern="combinations of categories have different frequencies than in the real table",
    source="SDMetrics: ContingencySimilarity",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=ContingencyResult,
    score=score,
    real_baseline=RealBaseline.bootstrap,
)
