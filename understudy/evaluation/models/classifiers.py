"""Features, bins, training sizes and threads that the classifiers of all metrics share."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.encoding import MISSING, EncodedTable, Values
from understudy.tables.splitmix import mix64

Features = NDArray[np.float64]

N_COLUMNS_FINE = 50
N_BINS_FINE, N_BINS_COARSE = 255, 31
# Maximum number of training cells per model (rows times columns). Very wide tables can exceed this limit,
# because the number of rows is never reduced below N_ROWS_WIDE.
N_CELLS_MAX = 600_000
N_ROWS_WIDE = 2_000


def n_bins(n_columns: int) -> int:
    """Return the number of bins per numeric column. Wide tables have fewer bins so that training is fast."""
    return N_BINS_FINE if n_columns <= N_COLUMNS_FINE else N_BINS_COARSE


def n_rows_learned(n_rows_max: int, n_columns: int) -> int:
    """Return the maximum number of training rows for a table with `n_columns` columns."""
    return min(n_rows_max, max(N_ROWS_WIDE, N_CELLS_MAX // max(n_columns, 1)))


def one_thread() -> AbstractContextManager[object]:
    """Return a context manager that restricts classifiers to one thread.

    A second thread does not speed up training on tens of thousands of rows. If another process uses the core,
    a second thread makes training ten times slower, because OpenMP threads spin while they wait. With one
    thread, sums are also the same on every machine.
    """
    # Processes that only list the metrics never load scikit-learn. It is loaded before the limit is set,
    # because the limit applies only to libraries that are already loaded.
    import sklearn.ensemble  # noqa: F401
    from threadpoolctl import threadpool_limits

    limits: AbstractContextManager[object] = threadpool_limits(limits=1, user_api="openmp")
    return limits


def as_features(tables: Sequence[EncodedTable], *, without: int | None = None) -> list[Features]:
    """Return the feature matrix of each table, with NaN for missing values and ranks for categories.

    Parameters
    ----------
    without : int, optional
        The position of a column that is omitted from the features.

    Notes
    -----
    Frequencies are counted in all tables together. If ranks were based on the frequencies in one table, a
    classifier could detect which rare categories are more frequent in this table by chance. Two samples from
    the same source would then appear to differ.
    """
    kept = [i for i in range(len(tables[0].columns)) if i != without]
    columns = [_in_order([table.columns[i] for table in tables]) for i in kept]
    return [
        np.column_stack([column[j] for column in columns]) if columns else np.empty((table.n_rows, 0))
        for j, table in enumerate(tables)
    ]


def _in_order(parts: Sequence[Values]) -> list[Features]:
    if parts[0].dtype != np.int32:
        return [part.astype(np.float64) for part in parts]
    whole = np.concatenate(parts)
    counts = np.bincount(whole[whole != MISSING], minlength=1)
    ranks = np.empty(len(counts) + 1)
    # Ties are broken by a hash instead of the code, because codes are ordered by frequency in the real table.
    ties = mix64(np.arange(len(counts), dtype=np.uint64))
    ranks[np.lexsort((ties, -counts))] = np.arange(len(counts))
    # MISSING is -1, which indexes the last position.
    ranks[-1] = np.nan
    return [ranks[part] for part in parts]
