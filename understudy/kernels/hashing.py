"""Random numbers as a hash of (seed, stream, row), so that rows can be drawn in any order on any thread."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from numba import njit

GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MULTIPLIER_1 = np.uint64(0xBF58476D1CE4E5B9)
_MULTIPLIER_2 = np.uint64(0x94D049BB133111EB)
_SHIFT_30, _SHIFT_27, _SHIFT_31 = np.uint64(30), np.uint64(27), np.uint64(31)


class StreamRows(NamedTuple):
    """Source of random bits for rows: a seed, a stream of this seed, and the row numbers."""

    seed: np.uint64
    stream: np.uint64
    rows: npt.NDArray[np.uint64]


@njit(cache=True, nogil=True, inline="always")
def mix(z: np.uint64) -> np.uint64:
    """Mix the bits of a word with the SplitMix64 finalizer, a bijection (Steele, Lea and Flood 2014)."""
    z = (z ^ (z >> _SHIFT_30)) * _MULTIPLIER_1
    z = (z ^ (z >> _SHIFT_27)) * _MULTIPLIER_2
    return z ^ (z >> _SHIFT_31)


@njit(cache=True, nogil=True)
def stream_key(seed: np.uint64, stream: np.uint64) -> np.uint64:
    """Return the key for one stream of a seed. Different columns use different streams."""
    return mix(mix(seed + GOLDEN) + (stream + np.uint64(1)) * GOLDEN)


@njit(cache=True, nogil=True, inline="always")
def row_word(key: np.uint64, row: np.uint64) -> np.uint64:
    """Return the 64 random bits of a row in the stream with the given key."""
    return mix(mix(key ^ (row * GOLDEN)) + GOLDEN)


@njit(cache=True, nogil=True)
def hash_rows(
    seed: np.uint64, stream: np.uint64, rows: npt.NDArray[np.uint64], out: npt.NDArray[np.uint64]
) -> None:
    """Write the random words of the rows with the given numbers to `out`."""
    key = stream_key(seed, stream)
    for i in range(out.shape[0]):
        out[i] = row_word(key, rows[i])
