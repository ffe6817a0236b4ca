"""How finely boosted trees look at a table: the wider it is, the coarser, so that the time stays bearable."""

from __future__ import annotations

N_COLUMNS_FINE = 50
N_BINS_FINE, N_BINS_COARSE = 255, 31
# Rows times columns that a model learns from.
N_CELLS_MAX = 600_000
N_ROWS_WIDE = 2_000


def n_bins(n_columns: int) -> int:
    """Return how many bins a number is cut into: finding a split takes as long as there are bins in all."""
    return N_BINS_FINE if n_columns <= N_COLUMNS_FINE else N_BINS_COARSE


def n_rows_learnt(n_rows_max: int, n_columns: int) -> int:
    """Return from how many rows a model learns, of a table of so many columns."""
    return min(n_rows_max, max(N_ROWS_WIDE, N_CELLS_MAX // max(n_columns, 1)))
