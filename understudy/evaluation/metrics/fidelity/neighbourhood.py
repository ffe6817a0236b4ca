"""Neighbors and depths of the rows of both tables, computed once per comparison."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import EncodedTable, is_missing
from understudy.evaluation.metrics.base import UnscoredResult
from understudy.evaluation.statistics.nearest_neighbours import ranks_among
from understudy.threads import count_threads

N_ROWS_MAX = 5_000
N_ROWS_MIN = 50
# Number of real rows in the neighborhood of a real row (Naeem et al. 2020).
N_NEIGHBOURS = 5
TOO_FEW = UnscoredResult(reason=f"needs at least {N_ROWS_MIN} rows in each table")

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Points:
    """Rows as numbers (ranks among the real values, from 0 to 1) and codes, column by column."""

    numbers: NDArray[np.float32]
    codes: NDArray[np.int32]

    @property
    def n_rows(self) -> int:
        """Number of points."""
        return int(self.numbers.shape[1])


@dataclass(frozen=True)
class Neighbourhood:
    """Neighbors and depths of sampled rows. Both tables contribute the same number of rows.

    Parameters
    ----------
    n_rows : int
        Number of rows from each table.
    nearest : int array of shape (n_rows,)
        Nearest synthetic row of each real row.
    n_within : int array of shape (n_rows,)
        Number of synthetic rows in the neighborhood of each real row. The neighborhood extends to the k-th
        nearest real row.
    n_around : int array of shape (n_rows,)
        For each synthetic row, the number of real rows that have it in their neighborhood.
    real_depths, synthetic_depths : float array of shape (n_rows,)
        Distances of the real and the synthetic rows from the center of the real rows.
    own_depths : float array of shape (n_rows,)
        Distances of the synthetic rows from the center of the synthetic rows.
    """

    n_rows: int
    nearest: Integers
    n_within: Integers
    n_around: Integers
    real_depths: Floats
    synthetic_depths: Floats
    own_depths: Floats


def neighbourhood(comparison: Comparison) -> Neighbourhood | None:
    """Return the neighbors and depths of the rows, or None if there are too few rows."""
    return comparison.once("neighbourhood", _neighbourhood)


def _neighbourhood(comparison: Comparison) -> Neighbourhood | None:
    n_rows = min(comparison.real.n_rows, comparison.synthetic.n_rows, N_ROWS_MAX)
    if n_rows < N_ROWS_MIN:
        return None
    rng = comparison.rng("neighbourhood")
    real, synthetic = (
        as_points(comparison, table.draw(n_rows, rng)) for table in (comparison.real, comparison.synthetic)
    )
    nearest, n_within, n_around = _neighbours(real, synthetic)
    return Neighbourhood(
        n_rows,
        nearest,
        n_within,
        n_around,
        _depths(real, real),
        _depths(synthetic, real),
        _depths(synthetic, synthetic),
    )


def as_points(comparison: Comparison, table: EncodedTable) -> Points:
    """Return the rows as points in a common space. Each column contributes at most 1 to a distance."""
    numbers: list[Floats] = []
    codes: list[NDArray[np.generic]] = []
    for encoder, real, values in zip(
        comparison.encoder.columns, comparison.real.columns, table.columns, strict=True
    ):
        if encoder.is_categorical:
            codes.append(values)
        else:
            # A missing number is placed in the middle of the range, and a code marks it as missing.
            numbers.append(ranks_among(values, real, missing_at=0.5))
            codes.append(is_missing(values))
    none = np.empty((0, table.n_rows))
    return Points(np.array(numbers or none, dtype=np.float32), np.array(codes or none, dtype=np.int32))


def _neighbours(real: Points, synthetic: Points) -> tuple[Integers, Integers, Integers]:
    # Imported here because listing the metrics must not load compiled code.
    from understudy.kernels.neighbours import Rows
    from understudy.kernels.surroundings import find_within, kth_distances

    real_rows, synthetic_rows = (Rows(points.numbers, points.codes) for points in (real, synthetic))

    def search(rows: Integers) -> tuple[Integers, Integers, Integers]:
        queries = Rows(
            np.ascontiguousarray(real.numbers[:, rows].T), np.ascontiguousarray(real.codes[:, rows].T)
        )
        radii = kth_distances(queries, real_rows, rows, N_NEIGHBOURS)
        return find_within(queries, synthetic_rows, radii)

    n_threads = count_threads()
    with ThreadPoolExecutor(n_threads) as threads:
        found = list(threads.map(search, np.array_split(np.arange(real.n_rows), n_threads)))
    nearest, n_within, n_around = zip(*found, strict=True)
    return np.concatenate(nearest), np.concatenate(n_within), np.sum(n_around, axis=0)


def _depths(points: Points, of: Points) -> Floats:
    """Return the distance between each point and the mean of `of`. Different codes have a distance of 1."""
    centre = of.numbers.mean(axis=1, dtype=np.float64, keepdims=True)
    squares = ((points.numbers - centre) ** 2).sum(axis=0)
    for codes, others in zip(points.codes, of.codes, strict=True):
        # The code of a missing value is -1, so all codes are shifted by 1.
        shares = np.bincount(others + 1, minlength=codes.max() + 2) / len(others)
        squares += (1 - 2 * shares[codes + 1] + (shares**2).sum()) / 2
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)), dtype=np.float64)
