"""Bins over sorted numbers: single values that enough rows share, and quantile ranges between them.

Nothing that fewer than `N_ROWS_SHARED` rows say is kept: a range has at least that many rows, its quantiles
are means of that many neighbours, and rows too few for a range of their own go to the nearest shared value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from understudy.transformers.base import N_ROWS_SHARED, Codes

# Quantiles kept of a range; a range of few rows has fewer, the rest are interpolated.
N_SEGMENTS = 8

# Any: ticks (uint64) or floats (float64), the same in and out.
Numbers = npt.NDArray[Any]
Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Bins:
    """The bins of a column of numbers, ascending.

    Parameters
    ----------
    starts : array of shape (n_bins,), uint64 or float64
        The shared value, or where a range begins.
    knot_row : array of shape (n_bins,), int32
        The row of `knots`, or -1 for a shared value.
    knots : array of shape (n_ranges, N_SEGMENTS + 1), float64
        Quantiles of a range at equal distances, relative to its start.
    """

    starts: Numbers
    knot_row: npt.NDArray[np.int32]
    knots: npt.NDArray[np.float64]

    @property
    def n_bins(self) -> int:
        """How many bins there are."""
        return len(self.starts)


@dataclass(frozen=True)
class _Runs:
    """Stretches of distinct values: each shared value by itself, and what lies between two of them."""

    first: Int64s  # index of the first distinct value
    is_shared: npt.NDArray[np.bool_]
    n_rows: Int64s
    first_row: Int64s  # in the sorted rows


def fit_bins(values: Numbers, n_bins_max: int) -> tuple[Bins, Codes]:
    """Return bins for numbers, and the bin of every number.

    Parameters
    ----------
    values : array of shape (n,), uint64 or finite float64
        At least N_ROWS_SHARED of them.
    n_bins_max : int
    """
    ordered = np.sort(values)
    is_first = np.concatenate(([True], ordered[1:] != ordered[:-1]))
    position = np.flatnonzero(is_first)
    distinct = ordered[position]
    counts = np.diff(np.append(position, len(ordered)))
    runs = _find_runs(counts, position, n_bins_max)
    kept = runs.is_shared | (runs.n_rows >= N_ROWS_SHARED)
    begins = _cut_ranges(ordered, runs, kept, n_bins_max)
    edges = _edges(distinct, runs, kept)
    bins, bounds = _make_bins(ordered, runs, kept, begins, edges)
    codes = np.searchsorted(bounds[1:], values, side="right").astype(np.uint16)
    return bins, codes


def _find_runs(counts: Int64s, position: Int64s, n_bins_max: int) -> _Runs:
    n = int(counts.sum())
    threshold = float(N_ROWS_SHARED)
    if len(counts) > n_bins_max:
        # Beyond the budget a value must be heavier than a bin of equal mass to stand alone.
        threshold = max(threshold, n / (0.75 * n_bins_max))
    while True:
        is_shared = counts >= threshold
        first = np.flatnonzero(is_shared | np.concatenate(([True], is_shared[:-1])))
        n_rows = np.add.reduceat(counts, first)
        kept = is_shared[first] | (n_rows >= N_ROWS_SHARED)
        if kept.sum() <= n_bins_max:
            return _Runs(first, is_shared[first], n_rows, position[first])
        threshold *= 1.25


def _edges(distinct: Numbers, runs: _Runs, kept: npt.NDArray[np.bool_]) -> Numbers:
    """Return the lowest value that belongs to each kept run; a dropped run goes to the nearer neighbours."""
    at = np.flatnonzero(kept)
    edges = distinct[runs.first[at]].copy()
    after_dropped = np.flatnonzero(np.diff(at) > 1) + 1
    # Both neighbours of a dropped run are shared values.
    low, high = edges[after_dropped - 1], edges[after_dropped]
    if edges.dtype == np.uint64:
        edges[after_dropped] = low + (high - low) // np.uint64(2) + np.uint64(1)
    else:
        edges[after_dropped] = np.nextafter(low + (high - low) / 2, np.inf)
    return edges


def _cut_ranges(ordered: Numbers, runs: _Runs, kept: npt.NDArray[np.bool_], n_bins_max: int) -> list[Int64s]:
    """Return, for every kept run, the rows (in order) at which its bins begin."""
    ranges = kept & ~runs.is_shared
    spare = n_bins_max - int(kept.sum())
    n_rows = max(int(runs.n_rows[ranges].sum()), 1)
    begins = []
    for r in np.flatnonzero(kept):
        first, m = int(runs.first_row[r]), int(runs.n_rows[r])
        n = min(1 + spare * m // n_rows, m // (2 * N_ROWS_SHARED)) if ranges[r] else 1
        begins.append(_cut_range(ordered, first, m, max(n, 1)))
    return begins


def _cut_range(ordered: Numbers, first: int, m: int, n: int) -> Int64s:
    """Return where at most n bins of near equal mass begin; equal values stay together."""
    if n == 1:
        return np.array([first])
    targets = ordered[first + np.arange(n) * m // n]
    cuts = np.unique(first + np.searchsorted(ordered[first : first + m], targets))
    kept = [int(cuts[0])]
    for cut in cuts[1:].tolist():
        if cut - kept[-1] >= N_ROWS_SHARED and first + m - cut >= N_ROWS_SHARED:
            kept.append(cut)
    return np.array(kept)


def _make_bins(
    ordered: Numbers, runs: _Runs, kept: npt.NDArray[np.bool_], begins: list[Int64s], edges: Numbers
) -> tuple[Bins, Numbers]:
    """Return the bins and the lowest value that belongs to each."""
    at = np.flatnonzero(kept)
    n_each = np.array([len(b) for b in begins])
    begin = np.concatenate(begins)
    bounds = ordered[begin].copy()
    bounds[np.concatenate(([0], np.cumsum(n_each)[:-1]))] = edges
    end = np.append(begin[1:], 0)
    last = np.cumsum(n_each) - 1
    end[last] = runs.first_row[at] + runs.n_rows[at]
    is_range = np.repeat(~runs.is_shared[at], n_each)
    starts = ordered[begin].copy()
    knot_row = np.where(is_range, np.cumsum(is_range) - 1, -1).astype(np.int32)
    starts[is_range], knots = _knots(ordered, begin[is_range], end[is_range])
    return Bins(starts, knot_row, knots), bounds


def _knots(ordered: Numbers, begin: Int64s, end: Int64s) -> tuple[Numbers, npt.NDArray[np.float64]]:
    """Return where ranges start and their quantiles from there, each the mean of neighbouring rows."""
    size = end - begin
    n = np.where(size < 3 * N_ROWS_SHARED, 1, np.minimum(N_SEGMENTS, size // (2 * N_ROWS_SHARED)))[:, None]
    place = np.minimum(np.arange(N_SEGMENTS + 1), n) * (size[:, None] - 1) / n
    window = np.clip(np.rint(place).astype(np.int64) - N_ROWS_SHARED // 2, 0, size[:, None] - N_ROWS_SHARED)
    rows = (begin[:, None] + window)[..., None] + np.arange(N_ROWS_SHARED)
    base = ordered[begin]
    means = (ordered[rows] - base[:, None, None]).astype(np.float64).mean(axis=2)
    x = np.arange(N_SEGMENTS + 1) * n / N_SEGMENTS
    low = np.minimum(x.astype(np.int64), N_SEGMENTS - 1)
    below, above = np.take_along_axis(means, low, 1), np.take_along_axis(means, low + 1, 1)
    knots = below + (x - low) * (above - below)
    shift = np.floor(knots[:, 0]) if base.dtype == np.uint64 else knots[:, 0].copy()
    return base + shift.astype(base.dtype), knots - shift[:, None]
