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

# Minimum number of steps along the order, and maximum number of steps against it as a fraction of the steps
# along it. A step leads from one row of an entity to its next row.
N_STEPS_MIN, OTHERS_MAX = 20, 0.002
# Number of rows for the first test of a column. Most columns fail this test.
N_ROWS_FIRST = 4096


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
        Columns of single rows to test.
    """
    for g in candidates(found):
        order = np.argsort(found[g].entities, kind="stable")
        directions = {j: direction(rows.column(j), found[g].entities[order], order) for j in free}
        if any(directions.values()):
            return Order(g, directions)
    return None


def direction(values: ArrowColumn, entities: Int64s, order: Int64s) -> int:
    """Return 1 if the values ascend within entities, -1 if they descend, or 0 if they do neither.

    Parameters
    ----------
    values : pyarrow.ChunkedArray of shape (n_rows,)
        Values of the column.
    entities : array of shape (n_rows,)
        Entities of the rows, in ascending order.
    order : array of shape (n_rows,)
        Row indices, sorted by entity and then by table order.
    """
    if values.null_count:
        return 0
    n_steps = int((entities[1:] == entities[:-1]).sum())
    first = order[:N_ROWS_FIRST]
    if min(_count_steps(values.take(first), entities[: len(first)])) > OTHERS_MAX * n_steps:
        return 0
    n_up, n_down = _count_steps(values.take(order), entities)
    if max(n_up, n_down) < N_STEPS_MIN or min(n_up, n_down) > OTHERS_MAX * max(n_up, n_down):
        return 0
    return 1 if n_up > n_down else -1


def _count_steps(values: ArrowColumn, entities: Int64s) -> tuple[int, int]:
    """Return how many steps between consecutive rows of an entity ascend, and how many descend."""
    places = np.asarray(pc.rank(values.combine_chunks(), tiebreaker="dense")).astype(np.int64)
    steps = np.diff(places)[entities[1:] == entities[:-1]]
    return int((steps > 0).sum()), int((steps < 0).sum())
