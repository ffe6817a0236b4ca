"""Rows and subjects shared by the holdout and the training rows, and the overlap that chance explains."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from understudy.tables.splitmix import mix64

# Significance level of the test: the probability that a random split is reported as sharing too many rows.
LEVEL = 1e-6
# Maximum absolute value of the exponents a and b in `_log_tail`. All exponents produce valid bounds, and the
# tightest bound is used.
EXPONENT_MAX = 30.0

Int64s = NDArray[np.int64]
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class HoldoutOverlap:
    """The overlap of the training rows and the holdout. A number is None if the rows were not counted.

    Parameters
    ----------
    n_subjects : int, optional
        Number of subjects with rows in both tables, if a subject is declared.
    n_rows : int, optional
        Number of holdout rows that equal a training row in every column.
    n_rows_max : int, optional
        The maximum number of identical rows that a random split of the same rows explains.
    """

    n_subjects: int | None = None
    n_rows: int | None = None
    n_rows_max: int | None = None

    @property
    def has_shared_rows(self) -> bool:
        """Whether more rows are shared than a random split explains."""
        return self.n_rows is not None and self.n_rows_max is not None and self.n_rows > self.n_rows_max

    @property
    def is_of_subjects(self) -> bool:
        """Whether the check counts subjects instead of rows. It counts rows if only rows are shared."""
        return self.n_subjects is not None and (self.n_subjects > 0 or not self.has_shared_rows)

    @property
    def is_shared(self) -> bool:
        """Whether the holdout shares rows or subjects with the training rows and is not a valid control."""
        return bool(self.n_subjects) or self.has_shared_rows


def count_shared_rows(real: pa.Table, holdout: pa.Table) -> tuple[int, int]:
    """Return the number of holdout rows that equal a training row, and the maximum explained by chance.

    Parameters
    ----------
    real, holdout : pyarrow.Table
        Tables with the same columns and types. All columns, including identifiers, are compared.

    Notes
    -----
    If both tables are a random split of one table, all divisions of their rows are equally likely. The count
    is compared with its distribution over these divisions, given how often each row occurs in both tables
    together. This is a permutation test (Fisher 1935), in which natural duplicates are expected on both
    sides.
    """
    numbers = _number_rows(real, holdout)
    is_held_out = np.arange(len(numbers)) >= real.num_rows
    n_copies = np.bincount(numbers)
    n_training = np.bincount(numbers[~is_held_out], minlength=len(n_copies))
    n_shared = int((n_training[numbers[is_held_out]] > 0).sum())
    sizes, n_of_size = np.unique(n_copies, return_counts=True)
    return n_shared, _most_by_chance(sizes.astype(np.float64), n_of_size, holdout.num_rows)


def _number_rows(real: pa.Table, holdout: pa.Table) -> Int64s:
    """Assign a number to each row of both tables. Equal rows have equal numbers."""
    hashes = np.zeros(real.num_rows + holdout.num_rows, np.uint64)
    for name in real.column_names:
        # `Any` is needed because the stubs support neither columns of any type nor the indices of a
        # dictionary.
        column: Any = pa.chunked_array([*real[name].chunks, *holdout[name].chunks], real[name].type)
        if column.null_count == len(column):
            continue
        encoded = column.dictionary_encode().unify_dictionaries()
        codes = [chunk.indices.fill_null(-1).to_numpy(zero_copy_only=False) for chunk in encoded.chunks]
        hashes = mix64(hashes ^ (np.concatenate(codes).astype(np.int64) + 1).astype(np.uint64))
    return np.unique(hashes, return_inverse=True)[1].astype(np.int64)


def _most_by_chance(sizes: Floats, n_of_size: Int64s, n_holdout: int) -> int:
    """Return the largest number of shared rows that a random split reaches with probability above `LEVEL`."""
    low, high = 0, n_holdout
    while low < high:
        middle = (low + high + 1) // 2
        if _log_tail(sizes, n_of_size, n_holdout, middle) > math.log(LEVEL):
            low = middle
        else:
            high = middle - 1
    return low


def _log_tail(sizes: Floats, n_of_size: Int64s, n_holdout: int, n_shared: int) -> float:
    """Return an upper bound on the log probability that a random split shares at least `n_shared` rows.

    Notes
    -----
    Hold out each row independently, with the holdout's share q of all rows. With M rows held out, S of them
    shared, P(S >= s | M = m) <= min E exp(a (S - s) + b (M - m)) / P(M = m) over a >= 0 and all b (Chernoff
    1952), and given M = m the split is a random one of m rows. If a row occurs c times, all of its held-out
    copies are shared, unless all c copies are held out. The factor of such rows is
    (1 - q + v)^c - v^c + u^c, with u = q exp(b) and v = u exp(a).
    """
    # Local import: scipy is slow to load, and the API loads reports without it.
    from scipy.optimize import minimize

    n = int(sizes @ n_of_size)
    q = n_holdout / n

    def exponent(tilt: Floats) -> tuple[float, Floats]:
        a, b = tilt
        base = 1 - q + q * math.exp(a + b)
        ratio = q * math.exp(a + b) / base
        shared = np.exp(sizes * math.log(ratio))
        full = np.exp(sizes * math.log(q * math.exp(b) / base))
        # A factor that is too small for a float is rounded up, so the result is still an upper bound.
        rest = np.maximum(full - np.expm1(sizes * math.log(ratio)), np.finfo(np.float64).tiny)
        value = n_of_size @ (sizes * math.log(base) + np.log(rest)) - a * n_shared - b * n_holdout
        by_shared = n_of_size @ (sizes * (ratio - shared) / rest) - n_shared
        by_held_out = n_of_size @ (sizes * (ratio - shared + full) / rest) - n_holdout
        return float(value), np.array([by_shared, by_held_out])

    bounds = [(0.0, EXPONENT_MAX), (-EXPONENT_MAX, EXPONENT_MAX)]
    best = minimize(exponent, np.array([0.1, 0.0]), jac=True, bounds=bounds, method="L-BFGS-B")
    return min(0.0, float(best.fun)) - _log_binomial(n_holdout, n, q)


def _log_binomial(k: int, n: int, q: float) -> float:
    log_ways = math.lgamma(n + 1) - math.lgamma(k + 1) - math.lgamma(n - k + 1)
    return log_ways + k * math.log(q) + (n - k) * math.log1p(-q)
