"""Missing-value similarity: the similarity between the real and synthetic missing-value patterns."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import EncodedTable, is_missing
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, UnscoredResult
from understudy.evaluation.statistics.distributions import N_ROWS_SHOWN_MIN
from understudy.tables.splitmix import mix64

N_PATTERNS_SHOWN = 20

Hashes = NDArray[np.uint64]


class ColumnMissingness(BaseModel):
    """MissingValueSimilarity for one column: 1 minus the difference between the shares of missing values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    score: float
    real: Annotated[float, Field(description="Share of real values that are missing.")]
    synthetic: Annotated[float, Field(description="Share of synthetic values that are missing.")]


class MissingPattern(BaseModel):
    """A missing-value pattern: the set of columns whose values are missing from the same row."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: list[str]
    real: Annotated[
        float,
        Field(
            description="Share of the real rows that have the pattern. Only patterns of at least 5 real "
            "rows are listed."
        ),
    ]
    synthetic: Annotated[float, Field(description="Share of the synthetic rows that have the pattern.")]


class MissingValuesResult(MetricResult):
    """Similarity of the missing-value patterns in the two tables, and scores of the individual columns."""

    metric: Literal["missing_values"] = "missing_values"
    columns: Annotated[
        list[ColumnMissingness],
        Field(description="Columns with missing values, least similar first."),
    ]
    columns_score: Annotated[float, Field(description="Mean score of the columns with missing values.")]
    patterns: Annotated[
        list[MissingPattern], Field(description="Patterns of the real table, most frequent first.")
    ]


def score(comparison: Comparison) -> MissingValuesResult | UnscoredResult:
    """Return 1 minus the total variation distance between the missing-value patterns of the two tables."""
    real, synthetic = (
        [is_missing(values) for values in table.columns] for table in (comparison.real, comparison.synthetic)
    )
    affected = [
        i for i, pair in enumerate(zip(real, synthetic, strict=True)) if any(part.any() for part in pair)
    ]
    if not affected:
        return UnscoredResult(reason="finds no missing values in either table")
    columns = [
        _column(comparison.columns[i].name, float(real[i].mean()), float(synthetic[i].mean()))
        for i in affected
    ]
    patterns, shares = _patterns(comparison, affected)
    return MissingValuesResult(
        score=float(1 - np.abs(shares[0] - shares[1]).sum() / 2),
        columns=sorted(columns, key=lambda column: column.score),
        columns_score=float(np.mean([column.score for column in columns])),
        patterns=patterns,
        n_rows={"real": comparison.real.n_rows, "synthetic": comparison.synthetic.n_rows},
    )


def _column(name: str, real: float, synthetic: float) -> ColumnMissingness:
    return ColumnMissingness(column=name, score=1 - abs(real - synthetic), real=real, synthetic=synthetic)


def _patterns(
    comparison: Comparison, affected: list[int]
) -> tuple[list[MissingPattern], NDArray[np.float64]]:
    """Return the patterns to show, and the shares of all patterns in the two tables."""
    tables = comparison.real, comparison.synthetic
    hashes = [_hashes(table, affected) for table in tables]
    _, first, codes = np.unique(np.concatenate(hashes), return_index=True, return_inverse=True)
    n_real = comparison.real.n_rows
    counts = [np.bincount(part, minlength=len(first)) for part in (codes[:n_real], codes[n_real:])]
    shares = np.array([count / count.sum() for count in counts])
    shown = [k for k in np.argsort(-counts[0], kind="stable") if counts[0][k] >= N_ROWS_SHOWN_MIN]
    return [
        MissingPattern(
            columns=[
                comparison.columns[i].name
                for i in affected
                # Real rows come first, and at least one of them has the pattern, so row `first[k]` is a real
                # row.
                if is_missing(comparison.real.columns[i][first[k] : first[k] + 1])[0]
            ],
            real=float(shares[0][k]),
            synthetic=float(shares[1][k]),
        )
        for k in shown[:N_PATTERNS_SHOWN]
    ], shares


def _hashes(table: EncodedTable, affected: list[int]) -> Hashes:
    """Return a hash for each row that depends only on the set of its missing columns."""
    result = np.zeros(table.n_rows, dtype=np.uint64)
    for i in affected:
        result = mix64(result ^ is_missing(table.columns[i]).astype(np.uint64))
    return result


MISSING_VALUES = Metric(
    name="missing_values",
    title="Missing-value similarity",
    summary="Similarity of the missing-value patterns: which columns of a row are missing together, and how "
    "often.",
    concern="values are missing in different combinations than in the real table",
    source="Compare SDMetrics: MissingValueSimilarity, which compares single columns rather than patterns",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=MissingValuesResult,
    score=score,
    real_baseline=RealBaseline.bootstrap,
)
