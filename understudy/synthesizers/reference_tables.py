"""Reference tables in model files, each stored as an array with the bytes of a Parquet file."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from understudy.errors import InvalidInput
from understudy.synthesizers.base import ModelReader, ModelWriter
from understudy.tables.schema import Column, ColumnDomain, ColumnKind, TableSchema
from understudy.tables.validation import conform
from understudy.transformers.array_reader import ArrayReader, refuse

_PREFIX = "reference/"


def save_reference(writer: ModelWriter, name: str, rows: pa.Table) -> None:
    """Write a reference table."""
    buffer = io.BytesIO()
    pq.write_table(rows, buffer)
    writer.array(f"{_PREFIX}{name}", np.frombuffer(buffer.getbuffer(), np.uint8))


def load_reference(reader: ModelReader, name: str, schema: TableSchema) -> pa.Table:
    """Return a reference table that `save_reference` wrote.

    Raises
    ------
    InvalidInput
        If the table is missing or damaged, or does not conform to its schema.
    """
    data = ArrayReader({}, reader.arrays).array(f"{_PREFIX}{name}", np.uint8, (None,))
    try:
        # Parquet has no types for some units, such as seconds. The schema contains the original types.
        rows: Any = conform(pq.read_table(pa.BufferReader(data.tobytes())), schema)
        rows.validate(full=True)
    except (pa.ArrowException, OSError, InvalidInput) as error:
        raise refuse("a reference table is damaged") from error
    table: pa.Table = rows
    return table


def declare_public_levels(
    rows: pa.Table, schema: TableSchema, references: Mapping[str, pa.Table]
) -> TableSchema:
    """Return the schema with declared domains for the categories that reference tables contain.

    A reference table contains the levels of a category if it has a column with the same name and type, and
    all values of the category are in this column. Reference tables are public, so samples may contain all of
    these levels.
    """

    def declare(column: Column) -> Column:
        if column.kind is not ColumnKind.category or column.domain is not None:
            return column
        values = pc.unique(rows.column(column.name)).drop_null()
        for table in references.values():
            if column.name in table.column_names and table.schema.field(column.name).type == values.type:
                known = table.column(column.name).combine_chunks()
                if pc.all(pc.is_in(values, value_set=known)).as_py():
                    # The levels are values from the table, so they need no validation.
                    levels: list[Any] = values.to_pylist()
                    domain = ColumnDomain.model_construct(levels=tuple(levels))
                    return column.model_copy(update={"domain": domain})
        return column

    if not references:
        return schema
    return schema.model_copy(update={"columns": tuple(declare(column) for column in schema.columns)})
