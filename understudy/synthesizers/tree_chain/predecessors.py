"""Which earlier columns a column's trees look at: all in a narrow table, those that tell most in a wide one.

Without a limit the time of a fit grows with the square of the number of columns.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from understudy.kernels import association
from understudy.kernels.association import N_GROUPS

# Up to so many earlier columns are all looked at; of more, only so many.
N_ALL_MAX = 64
N_CHOSEN = 32
N_ROWS_MAX = 4096

CoarseCodes = npt.NDArray[np.uint8]
Positions = npt.NDArray[np.int64]


def group_codes(codes: CoarseCodes) -> CoarseCodes:
    """Return coarse codes of shape (n_columns, n_rows) in N_GROUPS groups of near equal mass."""
    some = codes[
        :, : N_ROWS_MAX * max(codes.shape[1] // N_ROWS_MAX, 1) : max(codes.shape[1] // N_ROWS_MAX, 1)
    ]
    groups = np.empty(some.shape, np.uint8)
    for j, column in enumerate(some):
        counts = np.bincount(column, minlength=256)
        middle = (np.cumsum(counts) - counts / 2) / counts.sum() * N_GROUPS
        is_small = column.max() < N_GROUPS
        groups[j] = column if is_small else np.minimum(middle, N_GROUPS - 1).astype(np.uint8)[column]
    return groups


def choose_predecessors(groups: CoarseCodes, position: int) -> Positions:
    """Return the positions of the columns that the column at a position is conditioned on, ascending."""
    if position <= N_ALL_MAX:
        return np.arange(position)
    information = association.mutual_information(groups, position, position)
    return np.sort(np.argsort(-information, kind="stable")[:N_CHOSEN])
