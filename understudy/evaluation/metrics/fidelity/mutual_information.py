"""Whether columns tell as much of each other as in the real table."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.metrics.base import Metric, MetricResult, RealBaseline, UnscoredResult
from understudy.evaluation.metrics.fidelity.pair_cells import Counts, PairCells, pair_cells

# One table of independent columns in a hundred is taken for one with a relation.
SIGNIFICANCE = 0.01

Floats = NDArray[np.float64]


class MutualInformationResult(MetricResult):
    """How much of the mutual information of all pairs is as it was."""

    metric: Literal["mutual_information"] = "mutual_information"
    columns: Annotated[list[str], Field(description="Names of the rows and columns of the matrices.")]
    real: Annotated[
        list[list[float | None]],
        Field(
            description="Strength of each pair's relation in the real table, 0 … 1 (each says the other): "
            "mutual information over the root of the product of the entropies; null on the diagonal."
        ),
    ]
    synthetic: Annotated[list[list[float | None]], Field(description="The same in the synthetic table.")]


def score(comparison: Comparison) -> MutualInformationResult | UnscoredResult:
    """Return 1 - the summed differences of mutual information over its real sum, at least 0.

    Notes
    -----
    On the cells of `column_pairs`. Strong relations weigh more: pairs without a relation, which most pairs
    are, cannot hide that those are lost.
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
    """Return each pair's mutual information in nats, and the same as a strength from 0 to 1.

    Parameters
    ----------
    counts : array of shape (n_pairs, n_cells, n_cells)

    Notes
    -----
    Without the bias that few rows in many cells bring: Miller and Madow's correction of the three entropies
    (Miller 1955). The strength is that of Strehl and Ghosh (2002).
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
    """Return whether chance does not explain all relations: the likelihood ratio test of each pair.

    Wilks (1938); by Bonferroni over pairs. Normal in the limit, so small cells make it a little too willing.
    """
    # Loaded here: scipy is slow to load, and the API lists metrics without it.
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
    summary="How closely the mutual information of every two columns matches the real table. Strong "
    "relations weigh most, and independent columns score near 0.",
    concern="relations between columns are weaker or stronger than in the real table",
    source="Miller 1955 (bias correction); Strehl and Ghosh 2002 (normalization)",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=MutualInformationResult,
    score=score,
    real_baseline=RealBaseline.bootstrap,
)
