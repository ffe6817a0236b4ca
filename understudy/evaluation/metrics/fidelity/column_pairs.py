"""Whether columns belong together as in the real table."""

from __future__ import annotations

from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import EncodedTable, Values, is_missing
from understudy.evaluation.metrics.base import Metric, MetricResult, StandIn, Unscored

N_BINS = 10
# The most frequent categories keep a cell of their own; the others share one.
N_CATEGORIES = 19
N_COLUMNS_MAX = 100
# Rows times pairs: about ten seconds of counting on one core.
N_CELLS_MAX = 1_000_000_000


class ColumnPairs(MetricResult):
    """Similarity of each pair of columns; the overall score is the mean over pairs."""

    metric: Literal["column_pairs"] = "column_pairs"
    columns: Annotated[list[str], Field(description="Names of the rows and columns of the matrix.")]
    matrix: Annotated[
        list[list[float | None]], Field(description="Similarity of each pair, 0 … 1; null on the diagonal.")
    ]


def score(comparison: Comparison) -> ColumnPairs | Unscored:
    """Return 1 - total variation of the contingency tables, on bins that both tables share.

    Notes
    -----
    The edges are quantiles of the real table, so that two samples of one table fall into the same bins;
    with edges of its own, each table would be cut at another place and equal data would look different.
    """
    n_columns = len(comparison.columns)
    if n_columns < 2:
        return Unscored(reason="needs at least two columns")
    rng = comparison.rng("column_pairs")
    chosen = np.arange(n_columns)
    if n_columns > N_COLUMNS_MAX:
        chosen = np.sort(rng.choice(n_columns, N_COLUMNS_MAX, replace=False))
    n_pairs = len(chosen) * (len(chosen) - 1) // 2
    real = comparison.real.draw(N_CELLS_MAX // n_pairs, rng)
    synthetic = comparison.synthetic.draw(N_CELLS_MAX // n_pairs, rng)
    similarities = _matrix(comparison, real, synthetic, chosen)
    return ColumnPairs(
        score=float(np.nanmean(similarities)),
        columns=[comparison.columns[int(i)].name for i in chosen],
        matrix=[[None if np.isnan(value) else float(value) for value in row] for row in similarities],
        n_rows={"real": real.n_rows, "synthetic": synthetic.n_rows},
    )


def _matrix(
    comparison: Comparison, real: EncodedTable, synthetic: EncodedTable, chosen: NDArray[np.int64]
) -> NDArray[np.float64]:
    binned = [_bin_both(comparison, real, synthetic, i) for i in chosen]
    result = np.full((len(chosen), len(chosen)), np.nan)
    for i, (real_i, synthetic_i) in enumerate(binned):
        for j, (real_j, synthetic_j) in enumerate(binned[:i]):
            cells_real = np.bincount(real_i * np.int32(CELLS) + real_j, minlength=CELLS * CELLS)
            cells_synthetic = np.bincount(
                synthetic_i * np.int32(CELLS) + synthetic_j, minlength=CELLS * CELLS
            )
            gaps = np.abs(cells_real / real.n_rows - cells_synthetic / synthetic.n_rows)
            result[i, j] = result[j, i] = 1 - gaps.sum() / 2
    return result


# Bins or categories, all other categories, and missing.
CELLS = N_CATEGORIES + 2


def _bin_both(
    comparison: Comparison, real: EncodedTable, synthetic: EncodedTable, i: int
) -> tuple[NDArray[np.int32], NDArray[np.int32]]:
    if comparison.encoder.columns[i].is_categorical:
        return _top_codes(real.columns[i]), _top_codes(synthetic.columns[i])
    edges = quantile_edges(comparison.real.columns[i])
    return _bins(real.columns[i], edges), _bins(synthetic.columns[i], edges)


def _top_codes(codes: Values) -> NDArray[np.int32]:
    return np.where(is_missing(codes), CELLS - 1, np.minimum(codes, N_CATEGORIES)).astype(np.int32)


def quantile_edges(values: Values) -> Values:
    """Return the inner edges of at most ten bins that hold about equally many of the known values."""
    known = values[~is_missing(values)]
    if len(known) == 0:
        return known
    # Values that occur, not points between them: an atom stays on one side of its edge.
    return np.unique(np.quantile(known, np.arange(1, N_BINS) / N_BINS, method="inverted_cdf"))


def _bins(values: Values, edges: Values) -> NDArray[np.int32]:
    return np.where(is_missing(values), CELLS - 1, np.searchsorted(edges, values, side="left")).astype(
        np.int32
    )


COLUMN_PAIRS = Metric(
    name="column_pairs",
    title="Column pairs",
    summary="How alike every two columns are together, averaged: whether what belongs together in the real "
    "table still does.",
    concern="relations between columns are not those of the real table",
    topic="fidelity",
    direction="higher",
    range=(0.0, 1.0),
    best=1.0,
    result=ColumnPairs,
    score=score,
    stand_in=StandIn.resampled,
)
