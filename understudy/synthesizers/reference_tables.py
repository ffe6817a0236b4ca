"""Reference tables in model files, each stored as an array with the bytes of a Parquet file."""

from __future__ import annotations

import io
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from understudy.errors import InvalidInput
from understudy.synthesizers.base import ModelReader, ModelWriter
from understudy.tables.schema import TableSchema
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
