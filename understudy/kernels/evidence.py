"""Log evidence of class counts under a Dirichlet-multinomial, and the split of a node that raises it most."""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt
from numba import njit

from understudy.kernels.hierarchy import RADIX

# Dirichlet parameter of every class; Jeffreys' prior.
ALPHA = 0.5
# A node of at most so many rows is sorted by insertion, a larger one by counting.
N_INSERTION = 24
N_TABLE = 4096

Int32s = npt.NDArray[np.int32]
Float64s = npt.NDArray[np.float64]
Uint8s = npt.NDArray[np.uint8]


def log_gamma_tables() -> Float64s:
    """Return ``log Γ(count + shift)`` by [shift in units of ALPHA, count]; row 0 is not used."""
    table = np.zeros((RADIX + 1, N_TABLE))
    for g in range(1, RADIX + 1):
        table[g] = [math.lgamma(count + g * ALPHA) for count in range(N_TABLE)]
    return table


@njit(cache=True, nogil=True, inline="always")
def log_gamma(table: Float64s, n_alphas: int, count: int) -> float:
    """Return ``log Γ(count + n_alphas ALPHA)``: tabulated, or by Stirling's series beyond (error < 1e-14)."""
    if count < N_TABLE:
        return table[n_alphas, count]
    z = count + n_alphas * ALPHA
    return (z - 0.5) * math.log(z) - z + 0.9189385332046727 + 1.0 / (12.0 * z) - 1.0 / (360.0 * z * z * z)


@njit(cache=True, nogil=True)
def _tally_by_insertion(
    x: Uint8s, labels: Uint8s, n: int, values: Uint8s, tally: Int32s, keys: Int32s
) -> int:
    for i in range(n):
        key = np.int32(x[i]) * RADIX + labels[i]
        k = i
        while k > 0 and keys[k - 1] > key:
            keys[k] = keys[k - 1]
            k -= 1
        keys[k] = key
    n_values = 0
    for i in range(n):
        value = keys[i] // RADIX
        if n_values == 0 or values[n_values - 1] != value:
            values[n_values] = value
            tally[n_values] = 0
            n_values += 1
        tally[n_values - 1, keys[i] % RADIX] += 1
    return n_values


@njit(cache=True, nogil=True)
def _tally_by_counting(x: Uint8s, labels: Uint8s, n: int, values: Uint8s, tally: Int32s) -> int:
    low, high = 255, 0
    for i in range(n):
        low = min(low, x[i])
        high = max(high, x[i])
    for value in range(high - low + 1):
        for g in range(RADIX):
            tally[value, g] = 0
    for i in range(n):
        tally[x[i] - low, labels[i]] += 1
    n_values = 0
    for value in range(high - low + 1):
        total = 0
        for g in range(RADIX):
            total += tally[value, g]
        if total > 0:
            values[n_values] = low + value
            for g in range(RADIX):
                tally[n_values, g] = tally[value, g]
            n_values += 1
    return n_values


@njit(cache=True, nogil=True)
def tally_values(x: Uint8s, labels: Uint8s, n: int, values: Uint8s, tally: Int32s, keys: Int32s) -> int:
    """Count labels by value; return the number of distinct values.

    Parameters
    ----------
    x, labels : array of at least n
        Values of a feature and classes (below RADIX) of the rows of a node.
    n : int
    values, tally : array of shape (256,), (256, RADIX)
        Overwritten: the distinct values, ascending, and the counts of their classes.
    keys : array of shape (N_INSERTION,)
        Scratch.
    """
    if n <= N_INSERTION:
        return _tally_by_insertion(x, labels, n, values, tally, keys)
    return _tally_by_counting(x, labels, n, values, tally)


@njit(cache=True, nogil=True)
def order_by_mean(tally: Int32s, n_values: int, top: int, order: Int32s, score: Float64s) -> None:
    """Order the values of a category by their share of class `top`, or by their mean class if that is negative.

    For two classes the best of all subsets lies among the prefixes of this order (Fisher 1958; Breiman et
    al. 1984, 4.2).
    """
    for k in range(n_values):
        total, weighted = 0, 0
        for g in range(RADIX):
            total += tally[k, g]
            weighted += tally[k, g] * g
        if top >= 0:
            weighted = tally[k, top]
        mean = weighted / total
        i = k
        while i > 0 and score[i - 1] > mean:
            score[i] = score[i - 1]
            order[i] = order[i - 1]
            i -= 1
        score[i] = mean
        order[i] = k


@njit(cache=True, nogil=True)
def constant_of(totals: Int32s, table: Float64s) -> tuple[int, float]:
    """Return the number of classes that occur, and what the evidence of two children has more than one node's.

    The one node's own evidence is taken off, and the constant of the second child's prior added.
    """
    n_classes, n, evidence = 0, 0, 0.0
    for g in range(RADIX):
        if totals[g] > 0:
            n_classes += 1
            n += totals[g]
            evidence += log_gamma(table, 1, totals[g])
    prior = table[n_classes, 0] - n_classes * table[1, 0]
    return n_classes, prior - evidence + log_gamma(table, n_classes, n)


@njit(cache=True, nogil=True)
def best_prefix(
    tally: Int32s,
    order: Int32s,
    n_values: int,
    totals: Int32s,
    min_leaf: int,
    table: Float64s,
    sides: Int32s,
) -> tuple[float, int]:
    """Return by how much the best cut of the values raises the log evidence, and how many values go left.

    Classes that do not occur in the node do not count. The number of values is 0 where no cut leaves `min_leaf`
    rows on both sides.

    Parameters
    ----------
    tally : array of shape (256, RADIX)
        Rows by value and class.
    order : array of shape (256,)
        The order in which values go left; n_values of them.
    totals : array of shape (RADIX,)
        Rows by class.
    sides : array of shape (2, RADIX)
        Scratch.
    """
    left, right = sides[0], sides[1]
    n_classes, gain = constant_of(totals, table)
    n = 0
    for g in range(RADIX):
        left[g] = 0
        right[g] = totals[g]
        if totals[g] > 0:
            n += totals[g]
            gain += table[1, 0] + log_gamma(table, 1, totals[g])
    best, best_length, n_left = -np.inf, 0, 0
    for i in range(n_values - 1):
        k = order[i]
        for g in range(RADIX):
            count = tally[k, g]
            if count > 0:
                gain += log_gamma(table, 1, left[g] + count) - log_gamma(table, 1, left[g])
                gain += log_gamma(table, 1, right[g] - count) - log_gamma(table, 1, right[g])
                left[g] += count
                right[g] -= count
                n_left += count
        if n - n_left < min_leaf:
            break
        if n_left >= min_leaf:
            raised = gain - log_gamma(table, n_classes, n_left) - log_gamma(table, n_classes, n - n_left)
            if raised > best:
                best, best_length = raised, i + 1
    return best, best_length
