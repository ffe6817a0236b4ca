"""Screen ratios by the width of their logarithms. Ratios of the same columns share their widths."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from understudy.synthesizers.rules.values import Floats

# Number of sampled rows for the first check of a ratio. Most ratios fail this check.
N_ROWS_FIRST = 512
# Number of ratios that are computed at once, which limits the memory.
N_RATIOS_AT_ONCE = 128
# Minimum number of rows with nonzero values in all columns.
N_ROWS_MIN = 100
# Maximum width of the central 90% range of a ratio's logarithm, as a fraction of the width for independent
# columns: for ratios to one column, and to the product of two columns.
WIDTHS_MAX = (0.65, 0.25)
# Factor by which the widths in WIDTHS_MAX are multiplied for the first rows.
SLACK_FIRST = 1.2

Logs = npt.NDArray[np.float64]
# Index and sign of each column in the logarithm of a ratio, in ascending order. The first sign is positive,
# because a ratio and its reciprocal have the same width.
Signs = tuple[tuple[int, int], ...]


@dataclass(frozen=True, eq=False, repr=False)
class Quantity:
    """The sampled numbers of a column, and their logarithms without the sign.

    Parameters
    ----------
    logs : array of shape (n_rows,)
        Logarithms of the numbers, with NaN for zeros and missing values.
    blurred : array of shape (n_rows,)
        Logarithms of the numbers with noise of one step, so that rounding does not lower their entropy.
    """

    name: str
    numbers: Floats
    logs: Logs
    blurred: Logs
    step: float

    @cached_property
    def width(self) -> float:
        """Width of the central 90% range of the logarithms."""
        return float(_central_widths(self.logs[np.newaxis].copy())[0])


def find_narrow(quantities: Sequence[Quantity], forms: Collection[Signs]) -> set[Signs]:
    """Return the ratios that are narrow in the sample. The first rows already rule out most other ratios."""
    if not forms:
        return set()
    rows = slice(None, None, max(len(quantities[0].logs) // N_ROWS_FIRST, 1))
    may = [
        own
        for own, width in _relative_widths(quantities, sorted(forms), rows)
        if width <= WIDTHS_MAX[len(own) - 2] * SLACK_FIRST
    ]
    widths = _relative_widths(quantities, may, slice(None))
    return {own for own, width in widths if width <= WIDTHS_MAX[len(own) - 2]}


def _relative_widths(
    quantities: Sequence[Quantity], forms: Sequence[Signs], rows: slice
) -> Iterator[tuple[Signs, float]]:
    """Yield each ratio with the width of its logarithm, relative to the width for independent columns."""
    columns = np.array([own.logs[rows] for own in quantities])
    for n_columns in (2, 3):
        alike = [own for own in forms if len(own) == n_columns]
        for start in range(0, len(alike), N_RATIOS_AT_ONCE):
            some = alike[start : start + N_RATIOS_AT_ONCE]
            parts = np.array(some)
            logs = columns[parts[:, 0, 0]]
            for place in range(1, n_columns):
                logs += parts[:, place, 1, np.newaxis] * columns[parts[:, place, 0]]
            for own, width in zip(some, _central_widths(logs).tolist(), strict=True):
                yield own, _relative(width, [quantities[i] for i, _ in own])


def _relative(width: float, quantities: Sequence[Quantity]) -> float:
    widths = [own.width for own in quantities]
    return width / math.hypot(*widths) if all(widths) else np.inf


def _central_widths(logs: Logs) -> Logs:
    """Return the width of the central 90% range of each row, or infinity if the row has too few numbers.

    Parameters
    ----------
    logs : array of shape (n_ratios, n_rows)
        Finite numbers, or NaN. The array is sorted in place.
    """
    n = np.count_nonzero(~np.isnan(logs), axis=1)
    logs.sort(axis=1)
    low, high = (np.rint(share * np.maximum(n - 1, 0)).astype(np.int64) for share in (0.05, 0.95))
    ratios = np.arange(len(logs))
    return np.where(n >= N_ROWS_MIN, logs[ratios, high] - logs[ratios, low], np.inf)
