"""Correlation similarity of numeric columns."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import EncodedTable, is_missing
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, UnscoredResult
from understudy.evaluation.statistics.distributions import N_ROWS_SHOWN_MIN

N_COLUMNS_MAX = 100
# Maximum number of rows per table. The standard error of a correlation is then below 0.005.
N_ROWS_MAX = 50_000

Floats = NDArray[np.float64]
Matrix = list[list[float | None]]


class CorrelationsResult(MetricResult):
    """CorrelationSimilarity for each pair of numeric columns. The score uses Pearson's correlations."""

    metric: Literal["correlations"] = "correlations"
    columns: Annotated[list[str], Field(description="Names of the columns, in the order of the matrices.")]
    spearman_score: Annotated[
        float | None,
        Field(
            description="Mean similarity between the Spearman correlations of both tables. Null if undefined."
        ),
    ]
    pearson_real: Annotated[
        Matrix,
        Field(
            description="Pearson's correlations. Null on the diagonal and where the correlation is "
            "not defined."
        ),
    ]
    pearson_synthetic: Matrix
    spearman_real: Matrix
    spearman_synthetic: Matrix


def score(comparison: Comparison) -> CorrelationsResult | UnscoredResult:
    """Return 1 minus half the absolute difference between the correlations, averaged over pairs of columns.

    Notes
    -----
    Correlations use the rows in which both values are known. Spearman's correlation uses the ranks among all
    known values of a column. The score includes only pairs whose correlation is defined in both tables.
    """
    chosen = _chosen(comparison)
    if len(chosen) < 2:
        return UnscoredResult(reason="needs at least two columns of numbers or times")
    rng = comparison.rng("correlations")
    tables = [table.draw(N_ROWS_MAX, rng) for table in (comparison.real, comparison.synthetic)]
    pearson = [correlation_matrix(as_matrix(table, chosen)) for table in tables]
    spearman = [correlation_matrix(_ranks(as_matrix(table, chosen))) for table in tables]
    similarity = _mean_similarity(*pearson)
    if similarity is None:
        return UnscoredResult(reason="needs two columns whose correlation is defined in both tables")
    return CorrelationsResult(
        score=similarity,
        columns=[comparison.columns[i].name for i in chosen],
        spearman_score=_mean_similarity(*spearman),
        pearson_real=as_lists(pearson[0]),
        pearson_synthetic=as_lists(pearson[1]),
        spearman_real=as_lists(spearman[0]),
        spearman_synthetic=as_lists(spearman[1]),
        n_rows={"real": tables[0].n_rows, "synthetic": tables[1].n_rows},
    )


def _chosen(comparison: Comparison) -> list[int]:
    numbers = [i for i, encoder in enumerate(comparison.encoder.columns) if not encoder.is_categorical]
    if len(numbers) <= N_COLUMNS_MAX:
        return numbers
    drawn = comparison.rng("columns of correlations").choice(numbers, N_COLUMNS_MAX, replace=False)
    return [int(i) for i in np.sort(drawn)]


def as_matrix(table: EncodedTable, chosen: list[int]) -> Floats:
    """Return the chosen columns as a matrix of shape (n_rows, n_chosen)."""
    return np.column_stack([table.columns[i] for i in chosen]).astype(np.float64)


def _ranks(rows: Floats) -> Floats:
    # Imported here because SciPy is slow to load, and listing the metrics does not require it.
    from scipy.stats import rankdata

    ranks: Floats = rankdata(rows, axis=0, nan_policy="omit")
    return ranks


def correlation_matrix(rows: Floats) -> Floats:
    """Return Pearson's correlation for each pair of columns, computed from the rows with both values known.

    The result is NaN on the diagonal and for pairs with fewer than five such rows. It is also NaN if one of
    the columns is constant in these rows.

    Parameters
    ----------
    rows : float array of shape (n_rows, n_columns)
        The values, with NaN for missing values.
    """
    known = ~is_missing(rows)
    scaled = np.where(known, _standardised(rows, known), 0.0)
    shown = known.astype(np.float64)
    n = shown.T @ shown
    sums, squares, products = scaled.T @ shown, (scaled**2).T @ shown, scaled.T @ scaled
    with np.errstate(invalid="ignore", divide="ignore"):
        spread = squares - sums**2 / n
        # The variance of a constant column is a rounding error, not a spread.
        spread[spread <= 1e-12 * squares] = np.nan
        result = (products - sums * sums.T / n) / np.sqrt(spread * spread.T)
    result[n < N_ROWS_SHOWN_MIN] = np.nan
    np.fill_diagonal(result, np.nan)
    return np.clip(result, -1.0, 1.0)


def _standardised(rows: Floats, known: NDArray[np.bool_]) -> Floats:
    """Return the columns centered and divided by their largest deviation so that no square overflows."""
    n = np.maximum(known.sum(axis=0), 1)
    # Each value is divided by n before the values are added because the sum of large values can overflow.
    centred = rows - np.where(known, rows / n, 0.0).sum(axis=0)
    widest = np.where(known, np.abs(centred), 0.0).max(axis=0, initial=0.0)
    return np.asarray(centred / np.where((widest > 0) & np.isfinite(widest), widest, 1.0))


def _mean_similarity(real: Floats, synthetic: Floats) -> float | None:
    similarities = 1 - np.abs(real - synthetic) / 2
    return float(np.nanmean(similarities)) if np.isfinite(similarities).any() else None


def as_lists(matrix: Floats) -> Matrix:
    """Return a matrix as nested lists for a report, with NaN as None."""
    return [[None if np.isnan(value) else round(float(value), 6) for value in row] for row in matrix]


CORRELATIONS = Metric(
    name="correlations",
    title="Correlation similarity",
    summary=(
        "Similarity of the real and the synthetic Pearson correlation of each pair of numeric columns, "
        "averaged over pairs. In most tables, many pairs are not correlated, so independent columns also "
        "score high."
    ),
    concern="correlations between numeric columns differ from those of the real table",
    source="SDMetrics: CorrelationSimilarity",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=CorrelationsResult,
    score=score,
    real_baseline=RealBaseline.bootstrap,
)
