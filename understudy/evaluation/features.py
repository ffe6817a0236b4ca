"""Encoded tables as matrices for classifiers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.encoding import MISSING, EncodedTable, Values
from understudy.tables.splitmix import mix64

Features = NDArray[np.float64]


def as_features(tables: Sequence[EncodedTable], *, without: int | None = None) -> list[Features]:
    """Return each table's columns side by side, NaN where missing; categories as their rank by frequency.

    Parameters
    ----------
    without : int, optional
        Position of a column to leave out.

    Notes
    -----
    Frequency counts in all the tables together. Ranks by the frequency in one table would tell a classifier
    which rare categories that table happens to have more of: two samples of one source would look different.
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
    # Codes count from the most frequent real value on, so ties are broken by something else.
    ties = mix64(np.arange(len(counts), dtype=np.uint64))
    ranks[np.lexsort((ties, -counts))] = np.arange(len(counts))
    # MISSING is -1, the last place.
    ranks[-1] = np.nan
    return [ranks[part] for part in parts]
