"""Sample the values of columns for inference, and count values in all rows if necessary."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from understudy.tables.inference.texts import ArrowArray, CountedTexts, Int64s, pc
from understudy.tables.source import ParquetSource, TableSource, read_source

# Minimum number of rows that must share a value before samples may contain the value.
N_ROWS_SHARED = 5
# Maximum number of distinct values examined in a column.
N_DISTINCT_MAX = 2_000
# Number of rows in each part of an in-memory table. Row groups in canonical files usually have this size.
_PART_ROWS = 131_072
# Maximum number of parts to sample rows from.
_N_PARTS_MAX = 16
# Maximum number of sampled rows.
_N_ROWS_SAMPLED = 131_072
# Maximum number of sampled values in all columns. This limit reduces the number of rows in wide tables.
_N_VALUES_SAMPLED = 8_000_000
# Minimum number of sampled rows, even in wide tables.
_N_ROWS_SAMPLED_MIN = 4_096
# Maximum number of characters examined in each text.
LETTERS_MAX = 256
# Maximum size of the sampled values of all columns, in bytes.
_BYTES_MAX = 128 * 1024**2
# Expected number of rows counted in a long column, where only values with certain hashes are counted.
_N_ROWS_HASHED = 262_144


@dataclass(frozen=True)
class Occurrence:
    """Counts of the values in a column.

    Parameters
    ----------
    n_counted : int
        Number of values counted. These are all values, the values of some rows, or all occurrences of some
        values.
    n_distinct : int
        Number of distinct values among the counted values.
    n_once : int
        Number of values that occur once.
    is_whole : bool
        Whether all rows were examined.
    n_shared : int
        Number of counted values that at least `N_ROWS_SHARED` rows share.
    """

    n_counted: int
    n_distinct: int
    n_once: int
    is_whole: bool
    n_shared: int

    @property
    def share_once(self) -> float:
        """The share of values that occur once."""
        return self.n_once / max(self.n_counted, 1)

    @property
    def share_shared(self) -> float:
        """The share of values that at least `N_ROWS_SHARED` rows have in common."""
        return self.n_shared / max(self.n_counted, 1)

    @property
    def n_rows_each(self) -> float:
        """The mean number of rows per distinct value."""
        return self.n_counted / max(self.n_distinct, 1)

    @property
    def is_unique(self) -> bool:
        """Whether every counted value occurs once."""
        return self.n_once == self.n_counted


@dataclass(frozen=True)
class Sample:
    """A sample of the values of a column.

    Parameters
    ----------
    type_ : pyarrow.DataType
        Type of the stored values.
    n_rows, n_missing : int
        Numbers of rows and of missing values in the whole table.
    values, counts : array of shape (n,)
        Distinct values of the sampled rows, at most `N_DISTINCT_MAX`, and their counts in these rows.
    occurrence : Occurrence
        Counts of the values in the sampled rows.
    """

    type_: pa.DataType
    n_rows: int
    n_missing: int
    values: ArrowArray
    counts: Int64s
    occurrence: Occurrence

    @property
    def n_present(self) -> int:
        """The number of non-missing values in the whole table."""
        return self.n_rows - self.n_missing

    def texts(self) -> CountedTexts:
        """Return the values as texts."""
        return CountedTexts(self.values.cast(pa.large_string()), self.counts)


class Sampled(Protocol):
    """A table that supports sampling rows and counting values."""

    n_rows: int

    def parts(self, n_rows: int) -> Iterator[pa.RecordBatch | pa.Table]:
        """Yield the first rows of evenly spread parts of the table, about n_rows rows in total."""
        ...

    def column(self, index: int) -> Iterator[ArrowArray]:
        """Yield the values of a column in batches."""
        ...

    def count(self, index: int) -> Occurrence:
        """Count the values of a column in all rows."""
        ...

    def count_missing(self) -> list[int]:
        """Return the number of missing values in each column."""
        ...


class SampledTable:
    """A table in memory that can be sampled."""

    def __init__(self, table: pa.Table) -> None:
        self.n_rows = table.num_rows
        self._table = table

    def parts(self, n_rows: int) -> Iterator[pa.RecordBatch | pa.Table]:
        """Yield the first rows of evenly spread parts, about n_rows rows in total."""
        if n_rows >= self.n_rows:
            yield self._table
            return
        places = _spread(-(-self.n_rows // _PART_ROWS))
        for place in places:
            yield self._table.slice(place * _PART_ROWS, min(n_rows // len(places), _PART_ROWS))

    def column(self, index: int) -> Iterator[ArrowArray]:
        """Yield the values of a column in batches."""
        yield from self._table.column(index).chunks

    def count(self, index: int) -> Occurrence:
        """Count the values of a column in all rows."""
        counts = pc.value_counts(self._table.column(index).drop_null()).field("counts").to_numpy()
        return _occurrence(counts, is_whole=True)

    def count_missing(self) -> list[int]:
        """Return the number of missing values in each column."""
        return [column.null_count for column in self._table.columns]


class SampledFile:
    """A canonical Parquet file that can be sampled. Memory use does not depend on the file's length."""

    def __init__(self, path: Path) -> None:
        self._file = pq.ParquetFile(path)
        self.n_rows = self._file.metadata.num_rows

    def __enter__(self) -> SampledFile:
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def parts(self, n_rows: int) -> Iterator[pa.RecordBatch | pa.Table]:
        """Yield the first rows of evenly spread row groups, about n_rows rows in total."""
        n_groups = self._file.metadata.num_row_groups
        places = range(n_groups) if n_rows >= self.n_rows else _spread(n_groups)
        wanted = self.n_rows if n_rows >= self.n_rows else max(n_rows // max(len(places), 1), 1)
        for place in places:
            n_here = min(wanted, self._file.metadata.row_group(place).num_rows)
            if n_here:
                yield next(self._file.iter_batches(batch_size=n_here, row_groups=[place], use_threads=False))

    def column(self, index: int) -> Iterator[ArrowArray]:
        """Yield the values of a column in batches."""
        name = self._file.schema_arrow.field(index).name
        for batch in self._file.iter_batches(columns=[name], use_threads=False):
            yield batch.column(name)

    def count(self, index: int) -> Occurrence:
        """Count the values of a column. In a long file, count only the values with certain hashes."""
        field = self._file.schema_arrow.field(index)
        named = pa.schema([pa.field("x", field.type)])
        columns = (pa.record_batch([values], schema=named) for values in self.column(index))
        one_in = max(1, self.n_rows // _N_ROWS_HASHED)
        reader = pa.RecordBatchReader.from_batches(named, columns)
        # The divisor is part of the query because DuckDB would treat a parameter as a 128-bit integer.
        query = (
            "SELECT coalesce(sum(n), 0)::BIGINT, count(*), count(*) FILTER (n = 1), "  # noqa: S608
            f"coalesce(sum(n) FILTER (n >= {N_ROWS_SHARED}), 0)::BIGINT FROM (SELECT count(*) n "
            f"FROM (SELECT hash(x) AS h FROM reader WHERE x IS NOT NULL) WHERE h % {one_in} = 0 GROUP BY h)"
        )
        # DuckDB is imported here so that only processes that read a file load it.
        import duckdb

        with duckdb.connect(config=_DUCKDB) as connection:
            connection.register("reader", reader)
            row = connection.execute(query).fetchone()
        assert row is not None
        n_counted, n_distinct, n_once, n_shared = row
        return Occurrence(n_counted, n_distinct, n_once, is_whole=True, n_shared=n_shared)

    def count_missing(self) -> list[int]:
        """Return the number of missing values in each column."""
        counts = [0] * len(self._file.schema_arrow)
        for batch in self._file.iter_batches(use_threads=False):
            for index, column in enumerate(batch.columns):
                counts[index] += column.null_count
        return counts


def _occurrence(counts: Int64s, *, is_whole: bool) -> Occurrence:
    n_shared = int(counts[counts >= N_ROWS_SHARED].sum())
    return Occurrence(int(counts.sum()), len(counts), int((counts == 1).sum()), is_whole, n_shared)


def open_sampled(stack: ExitStack, source: TableSource) -> Sampled:
    """Return a table that can be sampled. A source other than a Parquet file is read into memory."""
    if isinstance(source, ParquetSource):
        return stack.enter_context(SampledFile(source.path))
    return SampledTable(read_source(source))


_DUCKDB: dict[str, Any] = {
    "threads": 1,
    "memory_limit": "256MB",
    "autoinstall_known_extensions": "false",
    "autoload_known_extensions": "false",
    "enable_external_access": "false",
}


def _spread(n_parts: int) -> list[int]:
    """Return the indices of evenly spread parts, including the first and the last part."""
    chosen = np.linspace(0, n_parts - 1, min(n_parts, _N_PARTS_MAX)).round()
    return [int(place) for place in chosen]


def sample_columns(source: Sampled, types: list[pa.DataType], n_missing: list[int]) -> list[Sample]:
    """Return a sample of each column. Equal tables have equal samples."""
    n_rows = min(_N_ROWS_SAMPLED, max(_N_ROWS_SAMPLED_MIN, _N_VALUES_SAMPLED // max(len(types), 1)))
    quota = _BYTES_MAX // max(len(types), 1)
    held: list[list[Any]] = [[] for _ in types]
    sizes = [0] * len(types)
    n_seen = 0
    for part in source.parts(n_rows):
        n_seen += part.num_rows
        for index, column in enumerate(part.columns):
            if sizes[index] < quota:
                chunk = _shortened(column, types[index])
                held[index].append(chunk)
                sizes[index] += chunk.nbytes
    is_whole = n_seen == source.n_rows
    return [
        _sample(type_, source.n_rows, missing, chunks, is_whole=is_whole and size < quota)
        for type_, missing, chunks, size in zip(types, n_missing, held, sizes, strict=True)
    ]


def sample_array(values: pa.ChunkedArray[Any]) -> tuple[Sample, SampledTable]:
    """Return a sample of a column in memory, and a table that contains only the column."""
    source = SampledTable(pa.table([values], names=["x"]))
    return sample_columns(source, [values.type], [values.null_count])[0], source


def _shortened(column: Any, type_: pa.DataType) -> Any:
    """Return the non-missing values in the stored type, with texts truncated to `LETTERS_MAX` characters."""
    present = column.drop_null()
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        plain = present if present.type == type_ else present.cast(type_)
        return pc.utf8_slice_codeunits(plain, 0, LETTERS_MAX)
    stored = pa.float32() if pa.types.is_float16(type_) else type_
    return present if present.type == stored else present.cast(stored)


def _sample(type_: pa.DataType, n_rows: int, n_missing: int, chunks: list[Any], *, is_whole: bool) -> Sample:
    # Any: the stubs do not support types that are known only at run time.
    arrays: Any = [
        a for chunk in chunks for a in (chunk.chunks if isinstance(chunk, pa.ChunkedArray) else [chunk])
    ]
    kept: Any = arrays[0].type if arrays else type_
    values = pa.chunked_array(arrays, kept)
    counted = pc.value_counts(values)
    counts = counted.field("counts").to_numpy(zero_copy_only=False).astype(np.int64)
    occurrence = _occurrence(counts, is_whole=is_whole)
    distinct = counted.field("values")
    if len(counts) > N_DISTINCT_MAX:
        chosen = np.linspace(0, len(counts) - 1, N_DISTINCT_MAX).round().astype(np.int64)
        distinct, counts = distinct.take(pa.array(chosen)), counts[chosen]
    return Sample(type_, n_rows, n_missing, distinct, counts, occurrence)
