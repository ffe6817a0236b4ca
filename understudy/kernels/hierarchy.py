"""A hierarchy of choices for a column's codes.

Each choice splits a code range into groups of nearly equal mass.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

RADIX = 4

Int32s = npt.NDArray[np.int32]
Int64s = npt.NDArray[np.int64]


@njit(cache=True, nogil=True)
def _first_at_least(cumulative: Int64s, low: int, high: int, wanted: float) -> int:
    while low < high:
        middle = (low + high) // 2
        if cumulative[middle] < wanted:
            low = middle + 1
        else:
            high = middle
    return low


@njit(cache=True, nogil=True)
def cut_range(cumulative: Int64s, low: int, high: int, cuts: Int32s) -> int:
    """Write the bounds of the groups of codes ``low … high - 1`` to `cuts`; return the number of groups.

    Parameters
    ----------
    cumulative : array of shape (n_codes + 1,)
        Number of rows with a lower code, for each code.
    low, high : int
        Range of at least two codes.
    cuts : array of shape (RADIX + 1,)
        Bounds of the groups. This array is overwritten.
    """
    cuts[0] = low
    n = 0
    for g in range(RADIX - 1):
        last = cuts[n]
        if high - last <= 1:
            break
        base = float(cumulative[last])
        wanted = base + (cumulative[high] - base) / (RADIX - g)
        cut = min(max(_first_at_least(cumulative, last + 1, high, wanted), last + 1), high - 1)
        if cut - 1 > last and wanted - cumulative[cut - 1] < cumulative[cut] - wanted:
            cut -= 1
        n += 1
        cuts[n] = cut
    cuts[n + 1] = high
    return n + 1


@njit(cache=True, nogil=True)
def build_hierarchy(counts: Int64s) -> tuple[Int32s, Int32s, Int32s]:
    """Return the choices over codes with the given counts, parents before children.

    Returns
    -------
    cuts : array of shape (n_choices, RADIX + 1)
        Bounds of the code groups for each choice.
    n_groups : array of shape (n_choices,)
        Number of groups for each choice.
    child : array of shape (n_choices, RADIX)
        Next choice for each group, or ``-(code + 1)`` if the group is a single code. Groups that do not exist
        repeat the last existing group, so that every draw is valid.
    """
    n_codes = counts.shape[0]
    cumulative = np.zeros(n_codes + 1, np.int64)
    cumulative[1:] = np.cumsum(counts)
    n_max = max(n_codes - 1, 1)
    cuts = np.zeros((n_max, RADIX + 1), np.int32)
    n_groups = np.zeros(n_max, np.int32)
    child = np.full((n_max, RADIX), -1, np.int32)
    if n_codes < 2:
        return cuts[:0], n_groups[:0], child[:0]
    cuts[0, 0], cuts[0, 1] = 0, n_codes
    known, done = 1, 0
    while done < known:
        low, high = cuts[done, 0], cuts[done, 1]
        n = cut_range(cumulative, low, high, cuts[done])
        n_groups[done] = n
        for g in range(n):
            a, b = cuts[done, g], cuts[done, g + 1]
            if b - a == 1:
                child[done, g] = -(a + 1)
            else:
                cuts[known, 0], cuts[known, 1] = a, b
                child[done, g] = known
                known += 1
        child[done, n:] = child[done, n - 1]
        done += 1
    return cuts[:known].copy(), n_groups[:known].copy(), child[:known].copy()


class CodePaths(NamedTuple):
    """Paths from the root of a hierarchy to each code.

    Parameters
    ----------
    choice, group : array of shape (n_codes, depth)
        Choices on the path to each code, and the group that each choice selects.
    length : array of shape (n_codes,)
        Number of choices on the path to each code.
    """

    choice: Int32s
    group: Int32s
    length: Int32s


@njit(cache=True, nogil=True)
def find_paths(child: Int32s, n_codes: int) -> CodePaths:
    """Return the paths from the root of a hierarchy to each code."""
    n_choices = child.shape[0]
    parent, taken = np.full(n_choices, -1, np.int32), np.zeros(n_choices, np.int32)
    last, last_group = np.full(n_codes, -1, np.int32), np.zeros(n_codes, np.int32)
    depth_of, depth = np.ones(n_choices, np.int32), 0
    for q in range(n_choices):
        if parent[q] >= 0:
            depth_of[q] = depth_of[parent[q]] + 1
        depth = max(depth, depth_of[q])
        # Groups are visited in reverse order because groups that do not exist repeat the last existing
        # group.
        for g in range(RADIX - 1, -1, -1):
            c = child[q, g]
            if c >= 0:
                parent[c], taken[c] = q, g
            else:
                last[-c - 1], last_group[-c - 1] = q, g
    choice, group = np.zeros((n_codes, depth), np.int32), np.zeros((n_codes, depth), np.int32)
    length = np.zeros(n_codes, np.int32)
    for code in range(n_codes):
        q, g = last[code], last_group[code]
        if q < 0:
            continue
        length[code] = depth_of[q]
        for k in range(depth_of[q] - 1, -1, -1):
            choice[code, k], group[code, k] = q, g
            q, g = parent[q], taken[q]
    return CodePaths(choice, group, length)
