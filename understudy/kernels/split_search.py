"""Dirichlet-multinomial log evidence of class counts, and the split of a node that raises it most."""

from __future__ import annotations

import math
from functools import cache
from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from understudy.kernels.hierarchy import RADIX

# Dirichlet parameter of every class (Jeffreys prior).
ALPHA = 0.5
# Maximum number of rows of a node that uses insertion sort. Larger nodes use counting sort.
N_INSERTION = 24
N_TABLE = 4096

Int32s = npt.NDArray[np.int32]
Float64s = npt.NDArray[np.float64]
Uint8s = npt.NDArray[np.uint8]


class LabelledRows(NamedTuple):
    """Rows of a table and their classes, both of shape (n,). There are at most RADIX classes."""

    rows: Int32s
    labels: Uint8s
    n_classes: int


class Tally(NamedTuple):
    """Class counts for the rows of a node, in total and by value of one feature.

    Parameters
    ----------
    values : array of shape (256,)
        Distinct values of the feature, in ascending order.
    counts : array of shape (256, RADIX)
        Number of rows by value and class.
    totals : array of shape (RADIX,)
        Number of rows by class.
    keys, sides : array of shape (N_INSERTION,), (2, RADIX)
        Working memory.
    """

    values: Uint8s
    counts: Int32s
    totals: Int32s
    keys: Int32s
    sides: Int32s


@cache
def log_gamma_tables() -> Float64s:
    """Return a table of ``log Γ(count + n ALPHA)`` indexed by [n, count]. Row 0 is not used."""
    table = np.zeros((RADIX + 1, N_TABLE))
    for g in range(1, RADIX + 1):
        table[g] = [math.lgamma(count + g * ALPHA) for count in range(N_TABLE)]
    return table


@njit(cache=True, nogil=True, inline="always")
def log_gamma(table: Float64s, n_alphas: int, count: int) -> float:
    """Return ``log Γ(count + n_alphas ALPHA)`` from the table, or from Stirling's series (error < 1e-14)."""
    if count < N_TABLE:
        return float(table[n_alphas, count])
    z = count + n_alphas * ALPHA
    return (z - 0.5) * math.log(z) - z + 0.9189385332046727 + 1.0 / (12.0 * z) - 1.0 / (360.0 * z * z * z)


@njit(cache=True, nogil=True)
def _tally_by_insertion(column: Uint8s, node: LabelledRows, tally: Tally) -> int:
    rows, labels = node.rows, node.labels
    values, counts, keys = tally.values, tally.counts, tally.keys
    for i in range(rows.shape[0]):
        key = np.int32(column[rows[i]]) * RADIX + labels[i]
        k = i
        while k > 0 and keys[k - 1] > key:
            keys[k] = keys[k - 1]
            k -= 1
        keys[k] = key
    n_values, last = 0, -1
    for i in range(rows.shape[0]):
        value = keys[i] // RADIX
        if value != last:
            values[n_values] = value
            counts[n_values] = 0
            n_values += 1
            last = value
        counts[n_values - 1, keys[i] % RADIX] += 1
    return n_values


@njit(cache=True, nogil=True)
def _tally_by_counting(column: Uint8s, n_codes: int, node: LabelledRows, tally: Tally) -> int:
    rows, labels = node.rows, node.labels
    values, counts = tally.values, tally.counts
    counts[:n_codes] = 0
    for i in range(rows.shape[0]):
        counts[column[rows[i]], labels[i]] += 1
    # Two counts are tested at a time because most values do not occur in a small node.
    pairs = counts.view(np.int64)
    n_values = 0
    for value in range(n_codes):
        if pairs[value, 0] | pairs[value, 1]:
            values[n_values] = value
            pairs[n_values, 0], pairs[n_values, 1] = pairs[value, 0], pairs[value, 1]
            n_values += 1
    return n_values


@njit(cache=True, nogil=True)
def tally_values(column: Uint8s, n_codes: int, node: LabelledRows, tally: Tally) -> int:
    """Count labels by value; return the number of distinct values.

    Parameters
    ----------
    column : array of shape (n_rows,)
        Values of a feature, from 0 to n_codes - 1.
    n_codes : int
        Number of possible values.
    node : LabelledRows
        Rows to count.
    tally : Tally
        Counts. The arrays `values` and `counts` are overwritten.
    """
    if node.rows.shape[0] <= N_INSERTION:
        return _tally_by_insertion(column, node, tally)
    return _tally_by_counting(column, n_codes, node, tally)


@njit(cache=True, nogil=True)
def order_by_mean(counts: Int32s, n_values: int, order: Int32s, score: Float64s) -> None:
    """Order the values of a category by their mean class.

    For two classes, the best subset of values is always a prefix of this order (Fisher 1958; Breiman et al.
    1984, section 4.2).
    """
    for k in range(n_values):
        total, weighted = 0, 0
        for g in range(RADIX):
            total += counts[k, g]
            weighted += counts[k, g] * g
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
    """Return the number of classes that occur, and the part of the gain that does not depend on the split.

    This part is the constant term of the second child's prior minus the node's evidence.
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
    tally: Tally, order: Int32s, n_values: int, min_leaf: int, table: Float64s
) -> tuple[float, int]:
    """Find the best split, and return its gain in log evidence and the number of values on its left side.

    Classes that do not occur in the node are ignored. The number of values is 0 if no split leaves `min_leaf`
    rows on both sides.

    Parameters
    ----------
    tally : Tally
        Class counts of the node.
    order : array of shape (256,)
        Order of the values. A split sends a prefix of this order to the left. Only the first `n_values`
        entries are used.
    n_values : int
        Number of distinct values.
    min_leaf : int
        Minimum number of rows on each side.
    table : array
        Table of `log_gamma_tables`.
    """
    counts, totals = tally.counts, tally.totals
    left, right = tally.sides[0], tally.sides[1]
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
            count = counts[k, g]
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
