"""Columns with values that ascend or descend within an entity, such as the dates of a patient's visits.

The rows of an entity are sampled independently of each other, and then sorted.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pyarrow.compute as pc

from understudy.transformers.base import ArrowArray, RowNumbers

Int64s = npt.NDArray[np.int64]


@dataclass(frozen=True)
class SortedColumn:
    """Column with values that are sorted within each entity.

    Parameters
    ----------
    group : int
        Group of the entities.
    column : int
        Index of the column.
    is_descending : bool
        Whether the values descend.
    moves_rows : bool
        Whether whole rows are sorted by the column. Otherwise, only the values of the column are sorted.
    """

    group: int
    column: int
    is_descending: bool
    moves_rows: bool

    def sources(self, values: ArrowArray, entities: RowNumbers, ranks: RowNumbers) -> Int64s:
        """For each row, return the position of the row that supplies its value.

        Parameters
        ----------
        values : pyarrow.Array of shape (n,)
            Values of the column.
        entities : array of shape (n,)
            Entity of each row.
        ranks : array of shape (n,)
            Numbers that determine the row order within an entity.
        """
        own = pc.rank(
            values, sort_keys="descending" if self.is_descending else "ascending", tiebreaker="first"
        )
        places = own.to_numpy()
        sources = np.empty(len(entities), np.int64)
        sources[np.lexsort((ranks, entities))] = np.lexsort((places, entities))
        return sources
