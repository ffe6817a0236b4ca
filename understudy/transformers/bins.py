"""Bins over sorted numbers: single values that enough rows share, and quantile ranges between them.

Every detail in the bins is supported by at least k = `MIN_SUPPORT` rows. A range has at least k rows, and
each of its quantiles is the mean of k neighboring rows. Groups of fewer than k rows are assigned to the
nearest shared value. Rows below the k-th lowest value or above the k-th highest value are ignored. Sampled
numbers are between those two values, or in a tail that is fitted to other rows. If subjects are declared,
subjects are counted instead of rows.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from understudy.transformers.base import MIN_SUPPORT, Codes, Mask, Subjects
from understudy.transformers.support import Int64s, Numbers, SortedRows, central_values, sort_rows

# Number of segments between the quantiles of a range. In ranges with few rows, some quantiles are
# interpolated.
N_SEGMENTS = 8


@dataclass(frozen=True, eq=False, repr=False)
class Tail:
    """The tail at one end of a column.

    Parameters
    ----------
    fraction : float
        Fraction of rows in the outermost bin that belong to the tail.
    offsets : array of shape (N_TAIL_LEVELS,)
        Distances from the start of the tail in ascending order, in the bins' unit. Offset j is exceeded with
        probability ``2 ** (-j / TAIL_LEVELS_PER_OCTAVE)``.
    """

    fraction: float
    offsets: npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Bins:
    """The bins for a numeric column, in ascending order.

    Parameters
    ----------
    starts : array of shape (n_bins,), uint64 or float64
        For each bin, the shared value or the start of the range.
    knot_row : array of shape (n_bins,), int32
        Row of each bin in `knots`, or -1 for a shared value.
    knots : array of shape (n_ranges, N_SEGMENTS + 1), float64
        Evenly spaced quantiles of each range, relative to its start.
    n_rows_merged : int
        Number of rows assigned to the nearest shared value because there were too few of them for a range.
    n_rows_drawn_in : int
        Number of rows below the k-th lowest or above the k-th highest value. Rows that a tail replaces are
        not counted.
    lower, upper : Tail, optional
        Tails below the start of the first range and above the last quantile of the last range.
    """

    starts: Numbers
    knot_row: npt.NDArray[np.int32]
    knots: npt.NDArray[np.float64]
    n_rows_merged: int = 0
    n_rows_drawn_in: int = 0
    lower: Tail | None = None
    upper: Tail | None = None

    @property
    def n_bins(self) -> int:
        """The number of bins."""
        return len(self.starts)


@dataclass(frozen=True, eq=False, repr=False)
class _Runs:
    """Runs of distinct values: each shared value, and the values between two shared values.

    Parameters
    ----------
    first : array of shape (n_runs,)
        Index of the first distinct value of each run.
    first_row, n_rows : array of shape (n_runs,)
        First row of each run in sorted order, and number of rows in each run.
    is_shared : array of shape (n_runs,)
        Whether the run is a shared value.
    is_kept : array of shape (n_runs,)
        Whether the run is kept: it is shared, or has enough rows or subjects for a range.
    blocks : array of shape (n_blocks,), optional
        First rows of blocks of k subjects each, if subjects are declared.
    """

    first: Int64s
    first_row: Int64s
    n_rows: Int64s
    is_shared: Mask
    is_kept: Mask
    blocks: Int64s | None


def fit_bins(values: Numbers, n_bins_max: int, subjects: Subjects | None = None) -> tuple[Bins, Codes]:
    """Return bins for numbers, and the bin of each number.

    Parameters
    ----------
    values : array of shape (n,), uint64 or finite float64
        Numbers from at least `MIN_SUPPORT` rows, or from at least that many subjects if subjects are given.
    n_bins_max : int
        Maximum number of bins.
    subjects : array of shape (n,), optional
        Subject of each number.
    """
    rows = sort_rows(values, subjects)
    runs = _find_runs(rows, n_bins_max) if len(rows.values) else None
    if runs is None or not runs.is_kept.any():
        return _one_bin(central_values(values, subjects), len(values)), np.zeros(len(values), np.uint16)
    begin, n_each = _cut_ranges(rows.values, runs, n_bins_max)
    edges = _edges(rows.values[rows.first_row], runs)
    bins, bounds = _make_bins(rows, runs, (begin, n_each), edges)
    codes = np.searchsorted(bounds[1:], values, side="right").astype(np.uint16)
    return bins, codes


def _one_bin(values: Numbers, n_rows: int) -> Bins:
    """Return a single bin around the k central numbers, for a column with too few rows for other bins."""
    starts, knots = _knots(values, np.array([0]), np.array([len(values)]))
    return Bins(starts, np.zeros(1, np.int32), knots, n_rows_merged=n_rows)


def _find_runs(rows: SortedRows, n_bins_max: int) -> _Runs:
    n = len(rows.values)
    counts = np.diff(np.append(rows.first_row, n))
    # If there are more distinct values than bins, a shared value must have more rows than a bin of equal
    # mass.
    threshold = n / (0.75 * n_bins_max) if len(counts) > n_bins_max else 0.0
    while True:
        is_shared = rows.is_shared & (counts >= threshold)
        first = np.flatnonzero(is_shared | np.concatenate(([True], is_shared[:-1])))
        runs = _judge_runs(rows, first, is_shared[first])
        if runs.is_kept.sum() <= n_bins_max:
            return runs
        threshold = 1.25 * max(threshold, MIN_SUPPORT)


def _judge_runs(rows: SortedRows, first: Int64s, is_shared: Mask) -> _Runs:
    first_row = rows.first_row[first]
    n_rows = np.diff(np.append(first_row, len(rows.values)))
    if rows.subjects is None:
        return _Runs(first, first_row, n_rows, is_shared, is_shared | (n_rows >= MIN_SUPPORT), None)
    blocks = rows.first_rows_of_blocks(first_row)
    has_enough = rows.count_subjects(first_row)[0] >= MIN_SUPPORT
    return _Runs(first, first_row, n_rows, is_shared, is_shared | has_enough, blocks)


def _edges(distinct: Numbers, runs: _Runs) -> Numbers:
    """Return the lowest value of each kept run. Values of a dropped run belong to the nearest kept run."""
    at = np.flatnonzero(runs.is_kept)
    edges = distinct[runs.first[at]].copy()
    after_dropped = np.flatnonzero(np.diff(at) > 1) + 1
    # The neighbors of a dropped run are shared values.
    low, high = edges[after_dropped - 1], edges[after_dropped]
    if edges.dtype == np.uint64:
        edges[after_dropped] = low + (high - low) // np.uint64(2) + np.uint64(1)
    else:
        edges[after_dropped] = np.nextafter(low + (high - low) / 2, np.inf)
    return edges


def _cut_ranges(ordered: Numbers, runs: _Runs, n_bins_max: int) -> tuple[Int64s, Int64s]:
    """Return the rows in sorted order at which the bins begin, and the number of bins of each kept run."""
    kept = np.flatnonzero(runs.is_kept)
    ranges = ~runs.is_shared[kept]
    first, m = runs.first_row[kept], runs.n_rows[kept]
    spare, n_rows = n_bins_max - len(kept), max(int(m[ranges].sum()), 1)
    n = np.where(ranges, np.minimum(1 + spare * m // n_rows, m // (2 * MIN_SUPPORT)), 1)
    n_each = np.ones(len(kept), np.int64)
    divided: dict[int, Int64s] = {}
    for r in np.flatnonzero(n > 1).tolist():
        sizes = int(first[r]), int(m[r]), int(n[r])
        own = _cut_range(ordered, *sizes) if runs.blocks is None else _cut_at_blocks(runs.blocks, *sizes)
        divided[r], n_each[r] = own, len(own)
    begin = np.repeat(first, n_each)
    starts = np.cumsum(n_each) - n_each
    for r, own in divided.items():
        begin[starts[r] : starts[r] + len(own)] = own
    return begin, n_each


def _cut_range(ordered: Numbers, first: int, m: int, n: int) -> Int64s:
    """Return the first rows of at most n bins of almost equal mass. Equal values stay together."""
    targets = ordered[first + np.arange(n) * m // n]
    cuts = first + np.searchsorted(ordered[first : first + m], targets)
    kept, last = [first], first + m - MIN_SUPPORT
    for cut in cuts.tolist():
        if cut - kept[-1] >= MIN_SUPPORT and cut <= last:
            kept.append(cut)
    return np.array(kept)


def _cut_at_blocks(blocks: Int64s, first: int, m: int, n: int) -> Int64s:
    """Return the first rows of at most n bins of almost equal mass. Each bin consists of whole blocks."""
    own = blocks[slice(*np.searchsorted(blocks, [first, first + m]))]
    n = max(min(n, len(own) // 2), 1)
    targets = first + np.arange(n) * m // n
    return np.unique(own[np.searchsorted(own, targets, side="right") - 1])


def _make_bins(
    rows: SortedRows, runs: _Runs, begins: tuple[Int64s, Int64s], edges: Numbers
) -> tuple[Bins, Numbers]:
    """Return the bins and the lowest value of each bin."""
    at = np.flatnonzero(runs.is_kept)
    begin, n_each = begins
    bounds = rows.values[begin].copy()
    bounds[np.concatenate(([0], np.cumsum(n_each)[:-1]))] = edges
    end = np.append(begin[1:], 0)
    last = np.cumsum(n_each) - 1
    end[last] = runs.first_row[at] + runs.n_rows[at]
    is_range = np.repeat(~runs.is_shared[at], n_each)
    starts = rows.values[begin].copy()
    knot_row = np.where(is_range, np.cumsum(is_range) - 1, -1).astype(np.int32)
    smoothed = rows.values if runs.blocks is None else rows.smooth(runs.blocks)
    starts[is_range], knots = _knots(smoothed, begin[is_range], end[is_range])
    n_merged = int(runs.n_rows[~runs.is_kept].sum())
    return Bins(starts, knot_row, knots, n_merged, rows.n_rows_beyond), bounds


def _knots(ordered: Numbers, begin: Int64s, end: Int64s) -> tuple[Numbers, npt.NDArray[np.float64]]:
    """Return the start of each range and its quantiles relative to the start, all as means of k rows."""
    size = end - begin
    n = np.where(size < 3 * MIN_SUPPORT, 1, np.minimum(N_SEGMENTS, size // (2 * MIN_SUPPORT)))[:, None]
    place = np.minimum(np.arange(N_SEGMENTS + 1), n) * (size[:, None] - 1) / n
    window = np.clip(np.rint(place).astype(np.int64) - MIN_SUPPORT // 2, 0, size[:, None] - MIN_SUPPORT)
    rows = (begin[:, None] + window)[..., None] + np.arange(MIN_SUPPORT)
    base, last = ordered[begin], ordered[end - 1]
    means = _floats_below(ordered[rows] - base[:, None, None]).mean(axis=2)
    x = np.arange(N_SEGMENTS + 1) * n / N_SEGMENTS
    low = np.minimum(x.astype(np.int64), N_SEGMENTS - 1)
    below, above = np.take_along_axis(means, low, 1), np.take_along_axis(means, low + 1, 1)
    knots = below + (x - low) * (above - below)
    shift = np.floor(knots[:, 0]) if base.dtype == np.uint64 else knots[:, 0].copy()
    starts = np.minimum(base + shift.astype(base.dtype), last)
    return starts, np.clip(knots - shift[:, None], 0, _largest_offset(starts, last)[:, None])


def _floats_below(distances: Numbers) -> npt.NDArray[np.float64]:
    """Return distances as floats, which are rounded down if they are not exact."""
    if distances.dtype == np.uint64:
        distances = np.where(distances < 2**53, distances, distances & ~np.uint64(2**11 - 1))
    return distances.astype(np.float64)


def _largest_offset(starts: Numbers, last: Numbers) -> npt.NDArray[np.float64]:
    """Return the largest floats that, when added to the starts, do not exceed the last values."""
    offset = _floats_below(last - starts)
    if starts.dtype == np.float64:
        offset = np.where(starts + offset > last, np.nextafter(offset, 0), offset)
    return offset
