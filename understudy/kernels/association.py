"""Mutual information between columns."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from understudy.kernels.trees import Float64s, Uint8s

N_GROUPS = 16


@njit(cache=True, nogil=True)
def mutual_information(groups: Uint8s, target: int, n: int) -> Float64s:
    """Return the mutual information, in nats, of a column with each of the first n columns.

    The bias of the estimate for independent columns with a and b groups, (a - 1)(b - 1) / (2 n_rows), is
    subtracted (Miller 1955).

    Parameters
    ----------
    groups : array of shape (n_columns, n_rows)
        Groups of each column, from 0 to N_GROUPS - 1.
    target : int
        Index of the column.
    n : int
        Number of columns to compare with.
    """
    n_rows = groups.shape[1]
    out = np.empty(n)
    joint = np.empty((N_GROUPS, N_GROUPS), np.int64)
    for c in range(n):
        joint[:] = 0
        for i in range(n_rows):
            joint[groups[c, i], groups[target, i]] += 1
        out[c] = _information(joint, n_rows)
    return out


@njit(cache=True, nogil=True)
def _information(joint: npt.NDArray[np.int64], n_rows: int) -> float:
    rows, columns = joint.sum(axis=1), joint.sum(axis=0)
    total = 0.0
    for a in range(N_GROUPS):
        for b in range(N_GROUPS):
            if joint[a, b] > 0:
                ratio = joint[a, b] * n_rows / (rows[a] * columns[b])
                total += joint[a, b] / n_rows * math.log(ratio)
    n_a, n_b = 0, 0
    for g in range(N_GROUPS):
        n_a += rows[g] > 0
        n_b += columns[g] > 0
    return total - (n_a - 1) * (n_b - 1) / (2.0 * n_rows)
