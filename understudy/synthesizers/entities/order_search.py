"""Search for columns with values that ascend or descend within an entity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.synthesizers.entities.detection import FoundGroup, candidates
from understudy.synthesizers.entities.sorted_columns import Int64s, SortedColumn
from understudy.transformers.base import ArrowColumn

# Minimum number of steps between consecutive rows of an entity that follow the order, and maximum number of
# steps against the order, as a fraction of the steps that follow the order.
N_STEPS_MIN, OTHERS_MAX = 20, 0.002


@dataclass(frozen=True)
class Order:
    """Group of entities with ordered rows, and the direction of each column: 1, -1 or 0 (no order)."""

    group: int
    directions: Mapping[int, int]

    def sorted_columns(self, free: Sequence[int], fixed: Sequence[int]) -> tuple[SortedColumn, ...]:
        """Return the columns that are in order.

        Parameters
        ----------
        free : sequence of int
            Columns of single rows that may be sorted, with times first.
        fixed : sequence of int
            Columns among `free` that rules relate to other columns. The values of these columns are moved
            only together with the whole row.
        """
        ordered = [j for j in free if self.directions.get(j)]
        first = next((j for j in ordered if j in fixed), ordered[0] if ordered else None)
        if first is None:
            return ()
        others = [j for j in ordered if j != first and j not in fixed]
        return tuple(
            SortedColumn(self.group, j, self.directions[j] < 0, j == first) for j in (first, *others)
        )


def find_order(rows: pa.Table, found: Sequence[FoundGroup], free: Sequence[int]) -> Order | None:
    """Return the group of entities with sorted columns, and the directions of the columns.

    Parameters
    ----------
    rows : pyarrow.Table
        Rows of the table, in their order.
    found : sequence of FoundGroup
        Groups of entities.
    free : sequence of int
        Columns of single rows that may be in order.
    """
    for g in candidates(found):
        directions = {j: direction(rows.column(j), found[g].entities) for j in free}
        if any(directions.values()):
            return Order(g, directions)
    return None


def direction(values: ArrowColumn, entities: Int64s) -> int:
    """Return 1 if the values ascend within entities, -1 if they descend, or 0 if they do neither."""
    if values.null_count:
        return 0
    places = np.asarray(pc.rank(values.combine_chunks(), tiebreaker="dense")).astype(np.int64)
    order = np.argsort(entities, kind="stable")
    is_same = entities[order][1:] == entities[order][:-1]
    steps = np.diff(places[order])[is_same]
    n_up, n_down = int((steps > 0).sum()), int((steps < 0).sum())
    if max(n_up, n_down) < N_STEPS_MIN or min(n_up, n_down) > OTHERS_MAX * max(n_up, n_down):
        return 0
    return 1 if n_up > n_down else -1
