"""Tails for numeric columns. They replace numbers below the k-th lowest or above the k-th highest value."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from understudy.transformers.base import MIN_SUPPORT, Codes, Mask, Subjects
from understudy.transformers.bins import Bins, Tail
from understudy.transformers.scale import Scale
from understudy.transformers.support import count_subjects
from understudy.transformers.tail_families import SURVIVALS, Floats, count_fitted, fit_offsets

# Minimum number of rows or subjects for a column to have a tail.
N_ROWS_MIN = 100
# Maximum distance between an offset and a whole number that is attributed to rounding.
ROUNDING_ERROR = 1e-6
# Minimum relative increase in the variance due to a tail. Tails with a smaller increase are not modeled.
VARIANCE_GAIN_MIN = 0.005
# Maximum absolute value of numbers that are squared and summed. Columns with larger numbers, and columns with
# numbers below the reciprocal, are scaled first.
LARGEST_SQUARED = 1e140
# Bounds that columns of nonnegative numbers often have, such as shares and percentages.
NATURAL_MAXIMA = (1.0, 100.0)


@dataclass(frozen=True, eq=False, repr=False)
class ColumnNumbers:
    """A column's numbers in the column's unit, and the conversion from the bins' unit.

    Parameters
    ----------
    values : array of shape (n,)
        Numbers in the order of the rows.
    origin, unit : float
        A number x in the unit of the bins represents the number ``origin + unit * x``.
    low, high : float
        Lowest and highest number that the column can store or that its domain allows.
    subjects : array of shape (n,), optional
        Subject of each number.
    is_whole : bool
        Whether the bins contain only whole multiples of the unit.
    """

    values: Floats
    origin: float
    unit: float
    low: float
    high: float
    subjects: Subjects | None
    is_whole: bool = True

    def negated(self) -> ColumnNumbers:
        """Return the negated numbers. Their upper tail is the lower tail of the original numbers."""
        return replace(self, values=-self.values, low=-self.high, high=-self.low)


def in_own_unit(
    type_: pa.DataType, scale: Scale, numbers: npt.NDArray[Any], subjects: Subjects | None
) -> ColumnNumbers:
    """Return a column's numbers in the column's unit, with the range of the column's type."""
    if scale.writing == "float":
        largest = float(np.finfo(np.float64).max) / 4
        return ColumnNumbers(numbers, 0.0, 1.0, -largest, largest, subjects, is_whole=False)
    decimals = type_.scale if pa.types.is_decimal128(type_) else scale.decimals
    digit = 10.0**-decimals
    low, high = _range_of_integers(type_)
    values = (scale.origin + scale.step * numbers.astype(np.float64)) * digit
    origin, unit = scale.origin * digit, scale.step * digit
    return ColumnNumbers(values, origin, unit, low * digit, high * digit, subjects)


def _range_of_integers(type_: pa.DataType) -> tuple[float, float]:
    """Return bounds for the integers that represent the values of a type, with room for rounding errors."""
    if pa.types.is_integer(type_):
        n_bits = type_.bit_width
        is_signed = pa.types.is_signed_integer(type_)
        highest = 2.0 ** (n_bits - 1) if is_signed else 2.0**n_bits
        room = 2.0 ** (n_bits - 52)
        return (-highest + np.floor(room) if is_signed else 0.0), highest - max(room, 1.0)
    if pa.types.is_decimal128(type_):
        largest = 10.0 ** min(type_.precision, 18) - 1e3
        return -largest, largest
    # Floats with few decimals are exact up to 2**53. Durations are stored in 64 bits.
    largest = 2.0**53 if pa.types.is_floating(type_) else 2.0**62
    return -largest, largest


def add_tails(bins: Bins, codes: Codes, numbers: ColumnNumbers) -> Bins:
    """Return the bins of a column with the tails that the column needs.

    A tail is added where the outermost bin is a range and the tail increases the variance noticeably.
    Without a tail, numbers from the outermost bin replace the numbers beyond the k-th value from that end.

    Parameters
    ----------
    codes : array of shape (n,)
        Bin of each number.
    """
    if count_subjects(len(numbers.values), numbers.subjects) < N_ROWS_MIN:
        return bins
    ends = _ends(numbers, bins)
    low, high = _natural_bounds(numbers, ends)
    lower = upper = None
    if bins.knot_row[0] >= 0:
        lower = _fit(numbers.negated(), -ends[0], -low, codes == 0)
    if bins.knot_row[-1] >= 0:
        upper = _fit(numbers, ends[1], high, codes == bins.n_bins - 1)
    n_replaced = sum(MIN_SUPPORT - 1 for tail in (lower, upper) if tail is not None)
    n_drawn_in = max(bins.n_rows_drawn_in - n_replaced, 0)
    return replace(bins, lower=lower, upper=upper, n_rows_drawn_in=n_drawn_in)


def _ends(numbers: ColumnNumbers, bins: Bins) -> tuple[float, float]:
    """Return the start of the first bin and the end of the last bin, in the column's unit."""
    last = float(bins.starts[-1])
    if bins.knot_row[-1] >= 0:
        last += float(bins.knots[bins.knot_row[-1], -1])
    return numbers.origin + numbers.unit * float(bins.starts[0]), numbers.origin + numbers.unit * last


def _natural_bounds(numbers: ColumnNumbers, ends: tuple[float, float]) -> tuple[float, float]:
    """Return the range of the tails.

    If all numbers have the same sign, the tails also have this sign. Tails of shares and percentages do not
    exceed 1 and 100.
    """
    low, high = numbers.low, numbers.high
    if ends[0] >= 0:
        low = max(low, 0.0)
        high = min([high, *(bound for bound in NATURAL_MAXIMA if bound / 2 < ends[1] <= bound)])
    if ends[1] <= 0:
        high = min(high, 0.0)
    return low, high


def _fit(numbers: ColumnNumbers, start: float, bound: float, is_in_bin: Mask) -> Tail | None:
    """Return the upper tail of a column from its start up to a bound, or None if the column needs no tail."""
    n_beyond = int(np.count_nonzero(numbers.values > start))
    if not n_beyond:
        return None
    values = numbers.values if numbers.subjects is None else _highest_of_subjects(numbers)
    n_fitted = count_fitted(len(values))
    highest = np.sort(np.partition(values, len(values) - n_fitted - 1)[-n_fitted - 1 :])
    offsets = fit_offsets(highest, start)
    if offsets is None or _variance_gain(numbers.values, start, offsets) < VARIANCE_GAIN_MIN:
        return None
    offsets = np.minimum(offsets / numbers.unit, _limit(numbers, max(bound - start, 0.0)))
    return Tail(n_beyond / int(np.count_nonzero(is_in_bin)), offsets) if offsets[-1] > 0 else None


def _limit(numbers: ColumnNumbers, distance: float) -> float:
    """Return the largest offset, in the unit of the bins, that does not exceed a distance."""
    limit = distance / numbers.unit
    return float(np.floor(limit + ROUNDING_ERROR)) if numbers.is_whole else limit


def _highest_of_subjects(numbers: ColumnNumbers) -> Floats:
    assert numbers.subjects is not None
    highest = np.full(int(numbers.subjects.max()) + 1, -np.inf)
    np.maximum.at(highest, numbers.subjects, numbers.values)
    known: Floats = highest[np.isfinite(highest)]
    return known


def _variance_gain(values: Floats, start: float, offsets: Floats) -> float:
    """Return the relative increase in the variance if a tail replaces values clipped at its start."""
    largest = float(np.abs(values).max())
    if largest > 0 and not 1 / LARGEST_SQUARED <= largest <= LARGEST_SQUARED:
        return _variance_gain(values / largest, start / largest, offsets / largest)
    clipped = np.minimum(values, start)
    variance = float(clipped.var())
    distance = start - float(clipped.mean())
    middles = np.append((offsets[1:] + offsets[:-1]) / 2, offsets[-1])
    with np.errstate(over="ignore"):
        gain = float(-np.diff(np.append(SURVIVALS, 0.0)) @ ((distance + middles) ** 2)) - distance**2
    return gain * float(np.mean(values > start)) / variance if variance > 0 else 0.0
