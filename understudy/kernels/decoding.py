"""Decoding of codes to values: a random number within a bin, or one of several pooled levels."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

from understudy.kernels.hashing import StreamRows, row_word, stream_key
from understudy.kernels.trees import Float64s, Int32s, Int64s, Uint16s, Uint64s

_UNIT = 2.0**-53

# Number of levels in a tail, and number of levels that halve the probability of exceeding the offset.
N_TAIL_LEVELS, TAIL_LEVELS_PER_OCTAVE = 57, 4


class CodedTail(NamedTuple):
    """A tail of a numeric column.

    Parameters
    ----------
    fraction : float
        Fraction of the rows of the outermost bin that are in the tail, or 0 if there is no tail.
    offsets : array of shape (N_TAIL_LEVELS,)
        Distances from the start of the tail. The probability of exceeding offset j is
        ``2 ** (-j / TAIL_LEVELS_PER_OCTAVE)``.
    """

    fraction: float
    offsets: Float64s


# Placeholder for the missing tail at an end of a numeric column.
NO_TAIL = CodedTail(0.0, np.zeros(N_TAIL_LEVELS))


class CodedBins(NamedTuple):
    """Bins of a numeric column.

    Parameters
    ----------
    first_code : int
        Code of the first bin. Lower codes represent missing values.
    starts : array of shape (n_bins,)
        Start of each bin.
    knot_row : array of shape (n_bins,)
        Row in `knots` of each bin, or -1 if the bin is a single value.
    knots : array of shape (n_ranges, n_knots)
        Quantiles within a bin, relative to its start.
    lower, upper : CodedTail
        Tails below the start of the first bin and above the last quantile of the last bin.
    """

    first_code: int
    starts: Uint64s | Float64s
    knot_row: Int32s
    knots: Float64s
    lower: CodedTail = NO_TAIL
    upper: CodedTail = NO_TAIL


class CodedLevels(NamedTuple):
    """Levels of a categorical column.

    Parameters
    ----------
    first_code : int
        First code with levels. Lower codes represent missing values.
    begin, end : array of shape (n_codes - first_code,)
        Range of the levels of each code, ``begin … end - 1``, which is not empty.
    sums : array of shape (n_levels + 1,)
        Number of rows with a lower level, for each level.
    """

    first_code: int
    begin: Int32s
    end: Int32s
    sums: Int64s


@njit(cache=True, nogil=True, inline="always")
def _offset_within(unit: float, knots: Float64s) -> float:
    """Return the value of the piecewise linear quantile function with the given equidistant knots."""
    n = knots.shape[0] - 1
    place = unit * n
    k = min(int(place), n - 1)
    # Due to rounding, the sum may be slightly above the next knot.
    return float(min(knots[k] + (place - k) * (knots[k + 1] - knots[k]), knots[k + 1]))


@njit(cache=True, nogil=True)
def _offset_in_tail(survival: float, offsets: Float64s) -> float:
    """Return the offset that is exceeded with probability `survival`, which is positive and at most 1."""
    place = -TAIL_LEVELS_PER_OCTAVE * np.log2(survival)
    j = int(place)
    if j >= N_TAIL_LEVELS - 1:
        return float(offsets[N_TAIL_LEVELS - 1])
    return float(offsets[j] + (place - j) * (offsets[j + 1] - offsets[j]))


@njit(cache=True, nogil=True, inline="always")
def _offset_in_bin(word: np.uint64, b: int, bins: CodedBins) -> float:
    """Return a draw from bin b, relative to the start of the bin. Draws from the lower tail are negative."""
    unit = float(word >> np.uint64(11)) * _UNIT
    below = bins.lower.fraction if b == 0 else 0.0
    above = bins.upper.fraction if b == bins.starts.shape[0] - 1 else 0.0
    knots = bins.knots[bins.knot_row[b]]
    if unit < below:
        return -_offset_in_tail((unit + _UNIT) / (below + _UNIT), bins.lower.offsets)
    if unit >= 1.0 - above:
        return float(knots[-1] + _offset_in_tail((1.0 - unit) / above, bins.upper.offsets))
    return _offset_within((unit - below) / (1.0 - below - above), knots)


@njit(cache=True, nogil=True)
def decode_ticks(codes: Uint16s, bins: CodedBins, draws: StreamRows, out: Uint64s) -> None:
    """Write an integer for each code. The integer of a missing value is the start of the first bin.

    Parameters
    ----------
    codes : array of shape (n,)
        Codes to decode.
    bins : CodedBins
        Bins of the column.
    draws : StreamRows
        Source of the random numbers.
    out : array of shape (n,)
        Decoded integers.
    """
    key = stream_key(draws.seed, draws.stream)
    for i in range(codes.shape[0]):
        b = max(int(codes[i]) - bins.first_code, 0)
        value = bins.starts[b]
        if bins.knot_row[b] >= 0:
            offset = np.rint(_offset_in_bin(row_word(key, draws.rows[i]), b, bins))
            if offset < 0.0:
                value -= np.uint64(-offset)
            else:
                value += np.uint64(offset)
        out[i] = value


@njit(cache=True, nogil=True)
def decode_floats(codes: Uint16s, bins: CodedBins, draws: StreamRows, out: Float64s) -> None:
    """Write a float for each code; like `decode_ticks`, but without rounding."""
    key = stream_key(draws.seed, draws.stream)
    for i in range(codes.shape[0]):
        b = max(int(codes[i]) - bins.first_code, 0)
        value = bins.starts[b]
        if bins.knot_row[b] >= 0:
            value += _offset_in_bin(row_word(key, draws.rows[i]), b, bins)
        out[i] = value


@njit(cache=True, nogil=True)
def find_first_above(cumulative: npt.NDArray[np.uint64], word: np.uint64) -> int:
    """Return the first index with a cumulative probability times 2**64 above the word, or the last index."""
    low, high = 0, cumulative.shape[0] - 1
    while low < high:
        middle = (low + high) // 2
        if cumulative[middle] > word:
            high = middle
        else:
            low = middle + 1
    return low


@njit(cache=True, nogil=True)
def draw_from_marginal(cumulative: Uint64s, draws: StreamRows, codes: Uint16s) -> None:
    """Draw codes, given their cumulative probabilities times 2**64."""
    key = stream_key(draws.seed, draws.stream)
    for i in range(codes.shape[0]):
        codes[i] = find_first_above(cumulative, row_word(key, draws.rows[i]))


@njit(cache=True, nogil=True)
def decode_levels(codes: Uint16s, levels: CodedLevels, draws: StreamRows, out: Int32s) -> None:
    """Write the index of a level for each code, drawn from the levels of the code by their frequencies.

    Parameters
    ----------
    codes : array of shape (n,)
        Codes to decode. A code of missing values is decoded as a level of the first code.
    levels : CodedLevels
        Levels of the column.
    draws : StreamRows
        Source of the random numbers.
    out : array of shape (n,)
        Indices of levels.
    """
    key = stream_key(draws.seed, draws.stream)
    sums = levels.sums
    for i in range(codes.shape[0]):
        code = max(int(codes[i]) - levels.first_code, 0)
        low, high = levels.begin[code], levels.end[code]
        if high - low > 1:
            place = float(row_word(key, draws.rows[i]) >> np.uint64(11)) * _UNIT
            low = _find_level(sums, low, high - 1, sums[low] + int(place * (sums[high] - sums[low])))
        out[i] = low


@njit(cache=True, nogil=True)
def _find_level(sums: Int64s, low: int, high: int, row: int) -> int:
    """Return the level (from `low` to `high`) of a row, given its position among rows sorted by level."""
    while low < high:
        middle = (low + high) // 2
        if sums[middle + 1] > row:
            high = middle
        else:
            low = middle + 1
    return low
