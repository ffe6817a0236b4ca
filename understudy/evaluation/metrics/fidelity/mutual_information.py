"""Mutual information: a comparison of how strongly columns are related in the two tables."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, UnscoredResult
from understudy.evaluation.metrics.fidelity.pair_cells import Counts, PairCells, pair_cells

# Probability that the test finds a relation in a table of independent columns.
SIGNIFICANCE = 0.01

Floats = NDArray[np.float64]


class MutualInformationResult(MetricResult):
    """Similarity of the mutual information of column pairs in the real and the synthetic table."""

    metric: Literal["mutual_information"] = "mutual_information"
    columns: Annotated[list[str], Field(description="Names of the columns, in the order of the matrices.")]
    real: Annotated[
        list[list[float | None]],
        Field(
            description="Normalized mutual information of each pair in the real table, from 0 to 1: mutual "
            "information divided by the geometric mean of the entropies. Null on the diagonal."
        ),
    ]
    synthetic: Annotated[
        list[list[float | None]],
        Field(description="Normalized mutual information of each pair in the synthetic table."),
    ]


def score(comparison: Comparison) -> MutualInformationResult | UnscoredResult:
    """Return 1 minus the relative difference in mutual information over all pairs, but at least 0.

    Notes
    -----
    The cells are the same as in `column_pairs`. Strong relations have the largest weight, so the many pairs
    without a relation cannot hide the loss of strong relations.
    """
    if len(comparison.columns) < 2:
        return UnscoredResult(reason="needs at least two columns")
    cells = pair_cells(comparison)
    real, synthetic = information(cells.real), information(cells.synthetic)
    if not _has_relation(cells.real, len(cells.pairs)):
        return UnscoredResult(reason="finds no relation between columns of the real table")
    lost = np.abs(real[0] - synthetic[0]).sum() / real[0].sum()
    return MutualInformationResult(
        score=float(max(1 - lost, 0.0)),
        columns=[comparison.columns[i].name for i in cells.chosen],
        real=_as_matrix(cells, real[1]),
        synthetic=_as_matrix(cells, synthetic[1]),
        n_rows=cells.n_rows,
    )


def information(counts: Counts) -> tuple[Floats, Floats]:
    """Return the mutual information of each pair, both in nats and normalized to the range from 0 to 1.

    Parameters
    ----------
    counts : int array of shape (n_pairs, n_cells, n_cells)
        Contingency tables of the pairs.

    Notes
    -----
    If many cells contain few rows, the two entropies and the joint entropy are biased. Miller and Madow's
    correction (Miller 1955) reduces this bias. The normalization follows Strehl and Ghosh (2002).
    """
    first, second, both = counts.sum(axis=2), counts.sum(axis=1), counts.reshape(len(counts), -1)
    n = both.sum(axis=1)
    n_free = (both > 0).sum(axis=1) - (first > 0).sum(axis=1) - (second > 0).sum(axis=1) + 1
    entropies = _entropy(first), _entropy(second)
    plain = entropies[0] + entropies[1] - _entropy(both)
    corrected = np.maximum(plain - n_free / (2 * n), 0.0)
    widest = np.sqrt(entropies[0] * entropies[1])
    strength = np.divide(corrected, widest, out=np.zeros_like(corrected), where=widest > 0)
    return corrected, np.minimum(strength, 1.0)


def _entropy(counts: Counts) -> Floats:
    shares = counts / counts.sum(axis=1, keepdims=True)
    return np.asarray(-(shares * np.log(np.where(shares > 0, shares, 1.0))).sum(axis=1))


def _has_relation(counts: Counts, n_pairs: int) -> bool:
    """Return whether at least one pair passes a likelihood ratio test of independence.

    Notes
    -----
    The test follows Wilks (1938), with a Bonferroni correction for the number of pairs. The test is
    asymptotic, so with few rows per cell it finds relations slightly too often.
    """
    # Imported here because SciPy is slow to load, and listing the metrics does not require it.
    from scipy.stats import chi2

    first, second, both = counts.sum(axis=2), counts.sum(axis=1), counts.reshape(len(counts), -1)
    plain = _entropy(first) + _entropy(second) - _entropy(both)
    n_free = ((first > 0).sum(axis=1) - 1) * ((second > 0).sum(axis=1) - 1)
    bound = chi2.isf(SIGNIFICANCE / n_pairs, np.maximum(n_free, 1))
    return bool(((2 * both.sum(axis=1) * plain > bound) & (n_free > 0)).any())


def _as_matrix(cells: PairCells, strength: Floats) -> list[list[float | None]]:
    matrix: list[list[float | None]] = [[None] * len(cells.chosen) for _ in cells.chosen]
    for (i, j), value in zip(cells.pairs, strength, strict=True):
        matrix[i][j] = matrix[j][i] = round(float(value), 6)
    return matrix


MUTUAL_INFORMATION = Metric(
    name="mutual_information",
    title="Mutual information",
    summary="Agreement between the mutual information of each pair of columns in the two tables. Strong "
    "relations have the most weight, and independent columns score near 0.",
    concern="relations between columns are weaker or stronger than in the real table",
    source="Specific to Understudy; Miller 1955 (bias correction), Strehl and Ghosh 2002 (normalization)",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=MutualInformationResult,
    score=score,
    real_baseline=RealBaseline.bootstrap,
)
