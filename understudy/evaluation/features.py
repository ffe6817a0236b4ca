"""Encoded tables as matrices for classifiers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.encoding import MISSING, EncodedTable


def as_features(table: EncodedTable, *, without: Sequence[int] = ()) -> NDArray[np.float64]:
    """Return the columns side by side, NaN where missing; categories as their rank by frequency.

    Parameters
    ----------
    without : sequence of int
        Positions of columns to leave out.
    """
    kept = [column for i, column in enumerate(table.columns) if i not in without]
    result = np.empty((table.n_rows, len(kept)))
    for i, values in enumerate(kept):
        result[:, i] = np.where(values == MISSING, np.nan, values) if values.dtype == np.int32 else values
    return result
