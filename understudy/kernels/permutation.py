"""Keyed permutations of 0 … n - 1: distinct numbers in pseudorandom order, computable for single numbers.

The permutation is a Feistel network over the smallest even power of two that is at least n, with cycle
walking for results out of range (Black and Rogaway 2002, *Ciphers with arbitrary finite domains*). The
permutation is not a secure cipher.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from numba import njit

from understudy.kernels.hashing import GOLDEN, mix

N_ROUNDS = 6

_ONE = np.uint64(1)

UInt64s = npt.NDArray[np.uint64]


@njit(cache=True, nogil=True, inline="always")
def _half_bits(n: np.uint64) -> np.uint64:
    """Return the smallest number of bits b >= 1 with n <= 2**(2 b)."""
    half = _ONE
    while half < np.uint64(32) and (_ONE << (half + half)) < n:
        half += _ONE
    return half


@njit(cache=True, nogil=True, inline="always")
def _forth(x: np.uint64, half: np.uint64, key: np.uint64) -> np.uint64:
    mask = (_ONE << half) - _ONE
    left, right = x >> half, x & mask
    for i in range(N_ROUNDS):
        left, right = right, left ^ (mix(right ^ (key + np.uint64(i) * GOLDEN)) & mask)
    return (left << half) | right


@njit(cache=True, nogil=True, inline="always")
def _back(x: np.uint64, half: np.uint64, key: np.uint64) -> np.uint64:
    mask = (_ONE << half) - _ONE
    left, right = x >> half, x & mask
    for i in range(N_ROUNDS - 1, -1, -1):
        left, right = right ^ (mix(left ^ (key + np.uint64(i) * GOLDEN)) & mask), left
    return (left << half) | right


@njit(cache=True, nogil=True)
def permute(numbers: UInt64s, n: np.uint64, key: np.uint64, out: UInt64s) -> None:
    """Write to `out` the position of each number in the permutation of 0 … n - 1.

    Parameters
    ----------
    numbers : array of shape (n_numbers,)
        Numbers from 0 to n - 1.
    n : uint64
        Size of the permutation, from 1 to 2**63.
    key : uint64
        Key of the permutation.
    out : array of shape (n_numbers,)
        Positions.
    """
    half = _half_bits(n)
    for i in range(out.shape[0]):
        x = _forth(numbers[i], half, key)
        while x >= n:
            x = _forth(x, half, key)
        out[i] = x


@njit(cache=True, nogil=True)
def unpermute(places: UInt64s, n: np.uint64, key: np.uint64, out: UInt64s) -> None:
    """Write the number at each position to `out`; the inverse of `permute`."""
    half = _half_bits(n)
    for i in range(out.shape[0]):
        x = _back(places[i], half, key)
        while x >= n:
            x = _back(x, half, key)
        out[i] = x


@njit(cache=True, nogil=True)
def permute_windows(numbers: UInt64s, n_period: np.uint64, n_windows: np.uint64, key: np.uint64) -> UInt64s:
    """Return the position of each number after a permutation within its window.

    The numbers are split into periods. Each period is split into windows of nearly equal size, with a maximum
    difference of 1.

    Parameters
    ----------
    numbers : array of shape (n,)
        Numbers. The product of `n_period` and `n_windows` must fit in 64 bits.
    n_period : uint64
        Size of a period, at least 1.
    n_windows : uint64
        Number of windows in a period, from 1 to `n_period`.
    key : uint64
        Key of the permutations. Each window has a separate permutation.
    """
    out = np.empty(numbers.shape[0], np.uint64)
    for i in range(numbers.shape[0]):
        period = numbers[i] // n_period
        own = numbers[i] - period * n_period
        window = own * n_windows // n_period
        start = (window * n_period + n_windows - _ONE) // n_windows
        size = ((window + _ONE) * n_period + n_windows - _ONE) // n_windows - start
        own_key = mix(key ^ ((period * n_windows + window + _ONE) * GOLDEN))
        half = _half_bits(size)
        x = _forth(own - start, half, own_key)
        while x >= size:
            x = _forth(x, half, own_key)
        out[i] = period * n_period + start + x
    return out


@njit(cache=True, nogil=True)
def unpermute_windows(places: UInt64s, n_period: np.uint64, n_windows: np.uint64, key: np.uint64) -> UInt64s:
    """Return the number at each position; the inverse of `permute_windows`, with the same parameters."""
    out = np.empty(places.shape[0], np.uint64)
    for i in range(places.shape[0]):
        period = places[i] // n_period
        own = places[i] - period * n_period
        # A number and its position are in the same window.
        window = own * n_windows // n_period
        start = (window * n_period + n_windows - _ONE) // n_windows
        size = ((window + _ONE) * n_period + n_windows - _ONE) // n_windows - start
        own_key = mix(key ^ ((period * n_windows + window + _ONE) * GOLDEN))
        half = _half_bits(size)
        x = _back(own - start, half, own_key)
        while x >= size:
            x = _back(x, half, own_key)
        out[i] = period * n_period + start + x
    return out
