"""Rows as points: numbers scaled to their range in the real table, and categories as codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow as pa

from benchmarks.engine.judges.features import categorical, encode


@dataclass(frozen=True)
class Points:
    """Rows of a table as points.

    Parameters
    ----------
    numbers : float32 array of shape (n_rows, n_numbers)
        Numbers scaled so that the smallest real number is 0 and the largest is 1. NaN for missing values.
    codes : int32 array of shape (n_rows, n_categories)
        Codes of categories, with -1 for missing values.
    """

    numbers: npt.NDArray[np.float32]
    codes: npt.NDArray[np.int32]

    def take(self, rows: npt.NDArray[np.int64]) -> Points:
        """Return the selected rows."""
        return Points(self.numbers[rows], self.codes[rows])

    def __len__(self) -> int:
        return len(self.codes)


def as_points(real: pa.Table, others: Sequence[pa.Table]) -> list[Points]:
    """Return the points of the real table and of the other tables, on the scale of the real table."""
    is_word = categorical(real)
    matrices = encode([real, *others])
    numbers = matrices[0][:, ~is_word]
    low = np.nanmin(numbers, axis=0, initial=np.inf)
    width = np.nanmax(numbers, axis=0, initial=-np.inf) - low
    width[~(width > 0)] = 1.0
    return [
        Points(
            ((matrix[:, ~is_word] - low) / width).astype(np.float32),
            np.nan_to_num(matrix[:, is_word], nan=-1.0).astype(np.int32),
        )
        for matrix in matrices
    ]
