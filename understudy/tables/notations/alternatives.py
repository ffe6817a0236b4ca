"""Choose one of several ways to write each value, in given shares.

The choice depends only on the value, so the texts do not depend on the batch size.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

# The fractional parts of multiples of the golden ratio are evenly distributed, even for consecutive numbers.
_MULTIPLIER = np.uint64(0x9E3779B97F4A7C15)


def choose(numbers: npt.NDArray[np.int64], shares: Sequence[float]) -> npt.NDArray[np.int64]:
    """Return the index of the chosen share for each number.

    Parameters
    ----------
    numbers : array of shape (n,)
        Numbers that represent the values.
    shares : sequence of float
        Shares with a sum of about 1.
    """
    places = (numbers.astype(np.uint64) * _MULTIPLIER).astype(np.float64) / 2.0**64
    chosen = np.searchsorted(np.cumsum(shares), places, side="right")
    return np.minimum(chosen, len(shares) - 1).astype(np.int64)
