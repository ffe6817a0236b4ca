"""Choice of the earlier columns that a column's trees use: all of them, or the most informative ones.

Without a limit, fit time would grow with the square of the number of columns.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from understudy.kernels import association
from understudy.kernels.association import N_GROUPS
from understudy.transformers.base import Mask

# If there are at most this many earlier columns, all of them are used.
N_ALL_MAX = 64
# Number of earlier columns that are chosen if there are more than `N_ALL_MAX`.
N_CHOSEN = 32
N_ROWS_MAX = 4096

CoarseCodes = npt.NDArray[np.uint8]
Positions = npt.NDArray[np.int64]


def group_codes(codes: CoarseCodes) -> CoarseCodes:
    """Return coarse codes of shape (n_columns, n_rows) in at most N_GROUPS groups of nearly equal mass."""
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


def choose_predecessors(groups: CoarseCodes, position: int, allowed: Mask) -> Positions:
    """Return the ascending positions of the columns that the column at `position` is conditioned on.

    Parameters
    ----------
    groups : array of shape (n_columns, n_rows)
        Groups of codes that `group_codes` returned.
    position : int
        Position of the column.
    allowed : array of shape (position,)
        Mask of the earlier columns that the column may be conditioned on.
    """
    own = np.flatnonzero(allowed)
    if len(own) <= N_ALL_MAX:
        return own
    information = association.mutual_information(groups, position, position)[own]
    return np.sort(own[np.argsort(-information, kind="stable")[:N_CHOSEN]])
