"""Contingency tables for each pair of columns. Both tables use the same bins."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import EncodedTable, Values, is_missing

N_BINS = 10
# Number of most frequent categories that have their own cell. All other categories share one cell.
N_CATEGORIES = 19
# Number of cells of a column: bins or categories, one cell for all other categories, and one for missing
# values.
CELLS = N_CATEGORIES + 2
N_COLUMNS_MAX = 100
# Maximum number of rows multiplied by the number of pairs. At this limit, counting takes about ten seconds on
# one core.
N_CELLS_MAX = 1_000_000_000

Counts = NDArray[np.int32]


@dataclass(frozen=True)
class PairCells:
    """The number of rows for each combination of values in each pair of columns.

    Parameters
    ----------
    chosen : list of int
        Positions of the compared columns.
    pairs : list of (int, int)
        Pairs of positions in `chosen`, with the larger position first.
    real, synthetic : int array of shape (n_pairs, CELLS, CELLS)
        Contingency tables of the pairs.
    n_rows : mapping of table to int
        Number of counted rows.
    """

    chosen: list[int]
    pairs: list[tuple[int, int]]
    real: Counts
    synthetic: Counts
    n_rows: dict[str, int]


def pair_cells(comparison: Comparison) -> PairCells:
    """Return the counts for a comparison with at least two columns, computed once per comparison."""
    return comparison.once("pair cells", _pair_cells)


def _pair_cells(comparison: Comparison) -> PairCells:
    rng = comparison.rng("column_pairs")
    n_columns = len(comparison.columns)
    chosen = np.arange(n_columns)
    if n_columns > N_COLUMNS_MAX:
        chosen = np.sort(rng.choice(n_columns, N_COLUMNS_MAX, replace=False))
    pairs = [(i, j) for i in range(len(chosen)) for j in range(i)]
    tables = [table.draw(N_CELLS_MAX // len(pairs), rng) for table in (comparison.real, comparison.synthetic)]
    real, synthetic = (_counts(comparison, table, chosen, pairs) for table in tables)
    n_rows = {"real": tables[0].n_rows, "synthetic": tables[1].n_rows}
    return PairCells([int(i) for i in chosen], pairs, real, synthetic, n_rows)


def _counts(
    comparison: Comparison, table: EncodedTable, chosen: NDArray[np.int64], pairs: list[tuple[int, int]]
) -> Counts:
    binned = [_binned(comparison, table, i) for i in chosen]
    result = np.empty((len(pairs), CELLS * CELLS), dtype=np.int32)
    for counts, (i, j) in zip(result, pairs, strict=True):
        counts[:] = np.bincount(binned[i] * np.int32(CELLS) + binned[j], minlength=CELLS * CELLS)
    return result.reshape(len(pairs), CELLS, CELLS)


def _binned(comparison: Comparison, table: EncodedTable, i: int) -> NDArray[np.int32]:
    values = table.columns[i]
    if comparison.encoder.columns[i].is_categorical:
        return np.where(is_missing(values), CELLS - 1, np.minimum(values, N_CATEGORIES)).astype(np.int32)
    # Both tables use the quantiles of the real table as edges. With separate edges for each table, two
    # samples from the same source would have different bins and would appear to differ.
    edges = quantile_edges(comparison.real.columns[i])
    bins = np.searchsorted(edges, values, side="left")
    return np.where(is_missing(values), CELLS - 1, bins).astype(np.int32)


def quantile_edges(values: Values, n_bins: int = N_BINS) -> Values:
    """Return the inner edges of at most `n_bins` bins, each with about the same number of known values."""
    known = values[~is_missing(values)]
    if len(known) == 0:
        return known
    # Edges are values of the column, so equal values never lie on both sides of an edge.
    return np.unique(np.quantile(known, np.arange(1, n_bins) / n_bins, method="inverted_cdf"))
