"""Order of all rows of a sample, if the rows of the table are sorted by a time, such as those of a log."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.synthesizers.blocks import N_ROWS_BLOCK
from understudy.synthesizers.entities.groups import Entities
from understudy.synthesizers.entities.order_search import direction
from understudy.tables.schema import TableSchema
from understudy.transformers.array_reader import ArrayReader, require
from understudy.transformers.base import Json
from understudy.transformers.generated.identifiers import Sequence
from understudy.transformers.generated.transformer import GeneratedTransformer
from understudy.transformers.table import TableTransformer

# Maximum number of rows of a sample that is sorted, because all its rows are held in memory.
N_ROWS_MAX = 1 << 20


@dataclass(frozen=True)
class SampleOrder:
    """Column by which the rows of a table are sorted.

    Parameters
    ----------
    column : int
        Position of the column.
    is_descending : bool
        Whether the values descend.
    """

    column: int
    is_descending: bool

    def sort(
        self, batches: Iterable[pa.RecordBatch], table: TableTransformer, entities: Entities
    ) -> Iterator[pa.RecordBatch]:
        """Yield the rows in the order of the column. Sequential numbers of rows stay in their order."""
        numbers = {
            name
            for j, (name, column) in enumerate(zip(table.schema.names, table.columns, strict=True))
            if isinstance(column, GeneratedTransformer)
            and isinstance(column.maker, Sequence)
            and j not in entities.group_of
            and j not in entities.label_of
        }
        rows = pa.Table.from_batches(list(batches))
        name = table.schema.names[self.column]
        order = pc.sort_indices(rows, [(name, "descending" if self.is_descending else "ascending")])
        columns: list[Any] = [
            column if name in numbers else column.take(order)
            for name, column in zip(rows.column_names, rows.columns, strict=True)
        ]
        sorted_rows = pa.Table.from_arrays(columns, schema=rows.schema).combine_chunks()
        yield from sorted_rows.to_batches(max_chunksize=N_ROWS_BLOCK)

    def to_json(self) -> Json:
        """Return the order as JSON."""
        return {"column": self.column, "is_descending": self.is_descending}


def find_sample_order(rows: pa.Table, schema: TableSchema) -> SampleOrder | None:
    """Return the first time by which the rows of a table are sorted, or None."""
    for j in range(len(schema.columns)):
        if pa.types.is_temporal(rows.schema.field(j).type):
            found = direction(rows.column(j), np.zeros(rows.num_rows, np.int64))
            if found:
                return SampleOrder(j, found < 0)
    return None


def order_to_json(order: SampleOrder | None) -> Json:
    """Return the entry of an order in a model file, which is empty if there is no order."""
    return {} if order is None else {"sample_order": order.to_json()}


def order_from_json(reader: ArrayReader, table: TableTransformer) -> SampleOrder | None:
    """Return the order that `order_to_json` converted. Files of earlier versions have none.

    Raises
    ------
    InvalidInput
        If the column does not exist or has no times.
    """
    if "sample_order" not in reader.manifest:
        return None
    own = reader.part(reader.manifest["sample_order"], "")
    order = SampleOrder(own.whole("column"), own.truth("is_descending"))
    types = table.schema.to_arrow().types
    is_time = order.column < len(types) and pa.types.is_temporal(types[order.column])
    require(is_time, "the column by which samples are sorted does not exist")
    return order
