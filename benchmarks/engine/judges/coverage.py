"""Alpha-precision and beta-recall: how realistic synthetic rows are, and how many real rows they cover.

Alaa et al. (2022), in the variant reported by TabSyn (Zhang et al., 2024): plain coordinates, with numbers
scaled to their range in the real table and one-hot categories. Real rows have a precision near 1 and a recall
near 0.5, because about half of the real rows are closer to another real row than to a synthetic row.
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from numba import njit

from benchmarks.engine.judges.points import Points, as_points

N_STEPS = 30
BLOCK = 1024
FAR = np.float32(1e30)


def precision_recall(real: pa.Table, synthetic: pa.Table) -> tuple[float, float]:
    """Return alpha-precision and beta-recall. Each is 1 minus the mean deviation from the ideal curve.

    Parameters
    ----------
    real, synthetic : pyarrow.Table
        Tables with the same number of rows, because the recall compares nearest distances in both tables.
    """
    one, other = (as_complete(points) for points in as_points(real, [synthetic]))
    alphas = np.linspace(0, 1, N_STEPS)
    inside = np.quantile(_to_centre(one, one), alphas)
    precision = [np.mean(_to_centre(other, one) <= radius) for radius in inside]
    _, to_real = nearest_rows(one, one, skips_itself=True)
    nearest, to_synthetic = nearest_rows(one, other, skips_itself=False)
    is_reached = to_synthetic <= to_real
    depth = _to_centre(other, other)[nearest]
    recall = [np.mean(is_reached & (depth <= radius)) for radius in np.quantile(depth, alphas)]
    return _closeness(alphas, np.array(precision)), _closeness(alphas, np.array(recall))


def _closeness(alphas: npt.NDArray[np.float64], curve: npt.NDArray[np.float64]) -> float:
    return float(1 - np.abs(alphas - curve).sum() / alphas.sum())


def as_complete(points: Points) -> Points:
    """Return points with missing numbers replaced by 0, and an additional indicator for each number."""
    is_missing = np.isnan(points.numbers)
    numbers = np.concatenate([np.nan_to_num(points.numbers), is_missing.astype(np.float32)], axis=1)
    return Points(numbers, points.codes)


def _to_centre(points: Points, of: Points) -> npt.NDArray[np.float64]:
    """Return the Euclidean distance from each point to the mean of other points, with one-hot categories."""
    centre = of.numbers.mean(axis=0, dtype=np.float64)
    squares = ((points.numbers - centre) ** 2).sum(axis=1)
    for codes, others in zip(points.codes.T, of.codes.T, strict=True):
        # Missing values (-1) are an additional category.
        shares = np.bincount(others + 1, minlength=codes.max(initial=-1) + 2) / len(others)
        squares += 1 - 2 * shares[codes + 1] + (shares**2).sum()
    return np.sqrt(np.maximum(squares, 0.0))


def nearest_rows(
    queries: Points, others: Points, *, skips_itself: bool
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    """Return, for each query, the index of the nearest row in `others` and the squared distance to it.

    Parameters
    ----------
    skips_itself : bool
        Whether to exclude row i of `others` for query i, because both tables are the same.
    """
    n_threads = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    parts = np.array_split(np.arange(len(queries)), n_threads)
    columns = np.ascontiguousarray(others.numbers.T), np.ascontiguousarray(others.codes.T)
    with ThreadPoolExecutor(n_threads) as threads:
        results = list(
            threads.map(
                lambda rows: _nearest(
                    queries.numbers[rows],
                    queries.codes[rows],
                    *columns,
                    rows if skips_itself else rows - 2**40,
                ),
                parts,
            )
        )
    return np.concatenate([at for at, _ in results]), np.concatenate([square for _, square in results])


@njit(cache=True, nogil=True, fastmath=True)
def _nearest(
    query_numbers: npt.NDArray[np.float32],
    query_codes: npt.NDArray[np.int32],
    other_numbers: npt.NDArray[np.float32],
    other_codes: npt.NDArray[np.int32],
    skipped: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.float32]]:
    n_queries, n_others = len(query_codes), other_codes.shape[1]
    at = np.zeros(n_queries, dtype=np.int64)
    square = np.full(n_queries, FAR, dtype=np.float32)
    sums = np.empty(BLOCK, dtype=np.float32)
    for start in range(0, n_others, BLOCK):
        size = min(BLOCK, n_others - start)
        for i in range(n_queries):
            _set_squares(query_numbers[i], query_codes[i], other_numbers, other_codes, start, sums[:size])
            if start <= skipped[i] < start + size:
                sums[skipped[i] - start] = FAR
            least = FAR
            for j in range(size):
                least = min(least, sums[j])
            if least < square[i]:
                square[i] = least
                at[i] = start + np.argmin(sums[:size])
    return at, square


@njit(cache=True, nogil=True, fastmath=True)
def _set_squares(
    numbers: npt.NDArray[np.float32],
    codes: npt.NDArray[np.int32],
    other_numbers: npt.NDArray[np.float32],
    other_codes: npt.NDArray[np.int32],
    start: int,
    sums: npt.NDArray[np.float32],
) -> None:
    """Set `sums` to a row's squared distances to the rows of `others`, beginning at row `start`.

    The rows in `others` are stored by column.
    """
    size = len(sums)
    sums[:] = np.float32(0)
    for c in range(len(numbers)):
        column = other_numbers[c, start : start + size]
        for j in range(size):
            sums[j] += (numbers[c] - column[j]) * (numbers[c] - column[j])
    for c in range(len(codes)):
        others = other_codes[c, start : start + size]
        for j in range(size):
            # The one-hot vectors of different categories have a squared distance of 2.
            sums[j] += np.float32(2) * np.float32(codes[c] != others[j])
