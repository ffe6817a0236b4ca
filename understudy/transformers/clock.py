"""The times of day of timestamps. Ranges of several days do not contain this information."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.kernels import hashing
from understudy.transformers.array_reader import ArrayReader, refuse, require
from understudy.transformers.base import MIN_SUPPORT, Mask, RowStream, Subjects
from understudy.transformers.bins import Bins
from understudy.transformers.integer_units import Ticks, from_ticks
from understudy.transformers.scale import Scale
from understudy.transformers.support import Int64s, count_sharers

N_HOURS = 24
# Times of day are learned if the entropy of the hours is at least this much lower than the entropy of uniform
# hours, in nats. The entropy of few rows is lower by chance.
_NATS_MIN = 0.1
_PER_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}
# Offset of the random stream for times within a segment.
_CLOCK = 1 << 51

Float64s = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False, repr=False)
class Clock:
    """The distribution of the times of day of a column.

    Parameters
    ----------
    per_day : int
        Number of the column's units in a day.
    below : array of shape (N_HOURS + 1,)
        Fraction of the rows before each hour, from 0 to 1.
    """

    per_day: int
    below: Float64s

    def place(self, ticks: Ticks, ranges: Int64s, bins: Bins, scale: Scale, stream: RowStream) -> Ticks:
        """Return other ticks, which are within a day of the given ticks and follow the times of day.

        Ticks in ranges of less than an hour, or without known times of day, do not change.

        Parameters
        ----------
        ticks : array of shape (n,)
            Ticks of the rows.
        ranges : array of shape (n,)
            Bin of each row. All bins are ranges.
        stream : RowStream
            Source of the random numbers for the `n` rows.
        """
        offsets = np.rint(bins.knots[bins.knot_row[ranges]][:, [0, -1]]).astype(np.uint64)
        starts, ends = bins.starts[ranges] + offsets.T
        first, last, times = (
            from_ticks(scale.origin, scale.step, own, is_signed=True) for own in (starts, ends, ticks)
        )
        # Within any period of one day, times are distributed in the same way.
        period = np.minimum(last - first, self.per_day)
        begin = np.clip(times - period // 2, first, last - period)
        low, high = self._fraction_below(begin), self._fraction_below(begin + period)
        words = np.empty(len(ticks), np.uint64)
        hashing.hash_rows(*replace(stream, stream=stream.stream + _CLOCK).key(), words)
        fraction = (words >> np.uint64(11)).astype(np.float64) * 2.0**-53
        drawn = np.clip(self._time_at(low + fraction * (high - low)), first, last)
        placed = starts + ((drawn - first) // scale.step).astype(np.uint64)
        return np.where((high > low) & (period * N_HOURS >= self.per_day), placed, ticks)

    def _fraction_below(self, times: npt.NDArray[Any]) -> Float64s:
        """Return the number of days plus the fraction of a day's rows before each time."""
        days, rest = np.divmod(times, self.per_day)
        return days + np.interp(rest * (N_HOURS / self.per_day), np.arange(N_HOURS + 1), self.below)

    def _time_at(self, fractions: Float64s) -> Int64s:
        """Return the inverse of `_fraction_below`."""
        days = np.floor(fractions)
        hours = np.interp(fractions - days, self.below, np.arange(N_HOURS + 1))
        times: Int64s = days.astype(np.int64) * self.per_day
        return times + (hours * (self.per_day / N_HOURS)).astype(np.int64)

    @classmethod
    def from_reader(cls, type_: pa.DataType, scale: Scale, reader: ArrayReader) -> Clock | None:
        """Load the times of day of a column, or None if the model file has none."""
        if not reader.manifest.get("has_clock", False):
            return None
        if not isinstance(type_, pa.TimestampType):
            raise refuse("a column without timestamps has times of day")
        require(scale.step < 2**62, "the step of timestamps is out of range")
        below = reader.array("clock", np.float64, (N_HOURS + 1,))
        in_order = below[0] == 0 and below[-1] == 1 and bool((np.diff(below) >= 0).all())
        require(in_order, "the times of day are not in ascending order")
        return cls(_PER_DAY[type_.unit], below)


def mark_placed(type_: pa.DataType, scale: Scale, bins: Bins) -> Mask:
    """Return a mask of the bins in which `Clock.place` changes timestamps: ranges of at least an hour."""
    is_placed = np.zeros(bins.n_bins, np.bool_)
    if isinstance(type_, pa.TimestampType):
        is_range = bins.knot_row >= 0
        first, last = np.rint(bins.knots[bins.knot_row[is_range]][:, [0, -1]]).T
        is_placed[is_range] = (last - first) * float(scale.step) * N_HOURS >= _PER_DAY[type_.unit]
    return is_placed


def fit_clock(type_: pa.DataType, scale: Scale, ticks: Ticks, owners: Subjects | None) -> Clock | None:
    """Return the times of day of timestamps, or None if the hours are uniform or too few rows share one.

    Hours of fewer than k rows or subjects are pooled. The pool is left out if it, too, has fewer than k.

    Parameters
    ----------
    ticks : array of shape (n,)
        Ticks of the rows in ranges of at least an hour.
    owners : array of shape (n,), optional
        Subject of each row.
    """
    if not isinstance(type_, pa.TimestampType) or not len(ticks):
        return None
    per_day = _PER_DAY[type_.unit]
    if scale.step % per_day == 0:
        return None
    times = from_ticks(scale.origin, scale.step, ticks, is_signed=True)
    # Sums of such integers fit in 64 bits.
    if np.abs(times).max() >= 2**61:
        return None
    hours = ((times % per_day) * (N_HOURS / per_day)).astype(np.int64)
    n_sharers = count_sharers(hours, N_HOURS, owners)
    if _is_uniform(np.bincount(hours, minlength=N_HOURS), int(n_sharers.sum())):
        return None
    is_supported = n_sharers >= MIN_SUPPORT
    if not is_supported.any():
        return None
    counts = _spread_pool(np.where(is_supported[hours], hours, N_HOURS), is_supported, owners)
    n_below = np.concatenate(([0.0], np.cumsum(counts)))
    return Clock(per_day, n_below / n_below[-1])


def _is_uniform(counts: Int64s, n_independent: int) -> bool:
    """Return whether the numbers of rows by hour may be the result of uniform times.

    Rows of a subject in the same hour count once in `n_independent`.
    """
    shares = counts[counts > 0] / counts.sum()
    nats = -(shares * np.log(shares)).sum()
    return bool(nats > np.log(N_HOURS) - _NATS_MIN - N_HOURS / n_independent)


def _spread_pool(hours: Int64s, is_supported: Mask, owners: Subjects | None) -> Float64s:
    """Return the number of rows for each hour after the rows of the pool, hour `N_HOURS`, are distributed.

    The weights of the pool's hours depend only on supported hours, and are highest next to them.
    """
    counts = np.bincount(hours, minlength=N_HOURS + 1).astype(np.float64)
    n_pooled, counts = float(counts[-1]), counts[:-1]
    if count_sharers(hours, N_HOURS + 1, owners)[-1] < MIN_SUPPORT:
        return counts
    distance = np.abs(np.subtract.outer(np.arange(N_HOURS), np.arange(N_HOURS)))
    weights = (0.25 ** np.minimum(distance, N_HOURS - distance)) @ counts
    weights[is_supported] = 0
    counts += n_pooled * weights / weights.sum()
    return counts
