"""Where the rows of both tables lie, and which are neighbours: computed once for all metrics that ask."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from understudy.evaluation.comparison import Comparison
from understudy.evaluation.encoding import EncodedTable, is_missing
from understudy.evaluation.metrics.base import UnscoredResult
from understudy.evaluation.statistics.nearest_neighbours import ranks_among
from understudy.synthesizers.contexts import count_threads

N_ROWS_MAX = 5_000
N_ROWS_MIN = 50
# A real row's surroundings hold so many other real rows (Naeem et al. 2020).
N_NEIGHBOURS = 5
TOO_FEW = UnscoredResult(reason=f"needs at least {N_ROWS_MIN} rows in each table")

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class Points:
    """Rows as numbers (ranks among the real values, 0 … 1) and codes, column by column."""

    numbers: NDArray[np.float32]
    codes: NDArray[np.int32]

    @property
    def n_rows(self) -> int:
        """How many points there are."""
        return int(self.numbers.shape[1])


@dataclass(frozen=True)
class Neighbourhood:
    """Equally many rows of both tables.

    Parameters
    ----------
    nearest : array of shape (n_rows,)
        The synthetic row that is nearest to each real one.
    n_within : array of shape (n_rows,)
        Synthetic rows in the surroundings of each real row, which reach to its k-th nearest real row.
    n_around : array of shape (n_rows,)
        Real rows in whose surroundings each synthetic row lies.
    real_depths, synthetic_depths : array of shape (n_rows,)
        How far the rows are from the middle of the real ones.
    own_depths : array of shape (n_rows,)
        How far synthetic rows are from the middle of the synthetic ones.
    """

    n_rows: int
    nearest: Integers
    n_within: Integers
    n_around: Integers
    real_depths: Floats
    synthetic_depths: Floats
    own_depths: Floats


def neighbourhood(comparison: Comparison) -> Neighbourhood | None:
    """Return the neighbours, None of too few rows."""
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
    """Return the rows in the space in which all are compared: every column counts at most 1."""
    numbers: list[Floats] = []
    codes: list[NDArray[np.generic]] = []
    for encoder, real, values in zip(
        comparison.encoder.columns, comparison.real.columns, table.columns, strict=True
    ):
        if encoder.is_categorical:
            codes.append(values)
        else:
            # A missing number stands in the middle, and a code tells that it is missing.
            numbers.append(ranks_among(values, real, missing_at=0.5))
            codes.append(is_missing(values))
    none = np.empty((0, table.n_rows))
    return Points(np.array(numbers or none, dtype=np.float32), np.array(codes or none, dtype=np.int32))


def _neighbours(real: Points, synthetic: Points) -> tuple[Integers, Integers, Integers]:
    # Compiled code is loaded only where it runs: the catalogue of metrics is listed without it.
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
    """Return the distance of each point to the mean of others; two codes are 1 apart, as in the kernels."""
    centre = of.numbers.mean(axis=1, dtype=np.float64, keepdims=True)
    squares = ((points.numbers - centre) ** 2).sum(axis=0)
    for codes, others in zip(points.codes, of.codes, strict=True):
        # Missing is -1: one more code.
        shares = np.bincount(others + 1, minlength=codes.max() + 2) / len(others)
        squares += (1 - 2 * shares[codes + 1] + (shares**2).sum()) / 2
    return np.asarray(np.sqrt(np.maximum(squares, 0.0)), dtype=np.float64)
