"""Table sources, which are tables in memory or in Parquet files that an engine reads in batches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import pyarrow as pa
import pyarrow.parquet as pq

N_ROWS_BATCH = 65_536


class TableSource(Protocol):
    """A table with a known schema and length. Its rows are read in order."""

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of all columns."""
        ...

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        ...

    def scan(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield all rows in order.

        Parameters
        ----------
        columns : sequence of str, optional
            Names of the columns to read, in the order of the result. By default, all columns are read.
        """
        ...


# The tables of a dataset by name. A single table is a dataset with one entry.
Dataset = Mapping[str, TableSource]


class ArrowSource:
    """A table in memory."""

    def __init__(self, table: pa.Table) -> None:
        self.table = table

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of all columns."""
        return self.table.schema

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return self.table.num_rows

    def scan(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield all rows in order, without copying them."""
        chosen = self.table if columns is None else self.table.select(list(columns))
        yield from chosen.to_batches()


class ParquetSource:
    """A Parquet file, which is opened for each scan. Memory use does not depend on the file's length."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with pq.ParquetFile(path) as file:
            self._schema: pa.Schema = file.schema_arrow
            self._n_rows: int = file.metadata.num_rows

    @property
    def schema(self) -> pa.Schema:
        """The Arrow schema of all columns."""
        return self._schema

    @property
    def n_rows(self) -> int:
        """The number of rows."""
        return self._n_rows

    def scan(self, columns: Sequence[str] | None = None) -> Iterator[pa.RecordBatch]:
        """Yield all rows in order."""
        wanted = None if columns is None else list(columns)
        with pq.ParquetFile(self.path) as file:
            for batch in file.iter_batches(batch_size=N_ROWS_BATCH, columns=wanted):
                # Arrow returns the columns in the order of the Parquet file.
                yield batch if wanted is None else batch.select(wanted)


def read_source(source: TableSource, columns: Sequence[str] | None = None) -> pa.Table:
    """Return the rows of a source as one table in memory."""
    fields = source.schema if columns is None else [source.schema.field(name) for name in columns]
    return pa.Table.from_batches(source.scan(columns), schema=pa.schema(fields))
