"""The column with the state of each row, which ensures that each made-up town belongs to one state."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from understudy.transformers.base import Codes


@dataclass(frozen=True)
class RegionColumn:
    """A learned column of states or provinces.

    Parameters
    ----------
    place : int
        Position of the column in the table.
    n_codes : int
        Number of codes in the column.
    """

    place: int
    n_codes: int


@dataclass(frozen=True)
class Regions:
    """The region in each row of a block, as an index below `n`."""

    codes: Codes
    n: int

    def choose(self, words: npt.NDArray[np.uint64], n_towns: int) -> npt.NDArray[np.uint64]:
        """Return the index of a town for each row. If there are enough towns, each belongs to one region.

        Parameters
        ----------
        words : array of shape (n_rows,)
            Random numbers.
        n_towns : int
            Number of towns.
        """
        n_each = np.uint64(max(n_towns // self.n, 1))
        index = (words % n_each) * np.uint64(self.n) + self.codes.astype(np.uint64)
        return index % np.uint64(n_towns)
