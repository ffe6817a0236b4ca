"""The canonical form of stored tables: Parquet with zstd, ordered rows, and row groups of 131,072 rows.

A canonical table contains neither NaN nor infinity. Both are stored as missing values.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from understudy.errors import InvalidInput, TooLarge
from understudy.progress import Progress, no_progress
from understudy.tables.formats.scan import MEBIBYTE, ReadLimits, Scan

ROW_GROUP_ROWS = 131_072
# A whole row group is in memory while it is written, so tables with many columns or long texts get smaller
# groups.
_GROUP_VALUES_MAX = 8_000_000
_GROUP_BYTES_MAX = 64 * MEBIBYTE
# A dictionary reduces the size only of columns with few distinct values. In other columns, the dictionary
# soon exceeds this limit and Parquet discards it.
_DICTIONARY_BYTES_MAX = 64 * 1024


class CanonicalBatches:
    """An iterator over the batches of a scan in canonical form. It checks the limits and counts rows."""

    def __init__(self, scan: Scan, limits: ReadLimits) -> None:
        self.schema = scan.schema
        self.n_rows = 0
        self.n_missing = [0] * len(scan.schema)
        self.n_infinite = [0] * len(scan.schema)
        self._scan = scan
        self._limits = limits
        self._n_bytes = 0

    def __iter__(self) -> Generator[pa.RecordBatch, None, None]:
        for batch in self._scan.batches:
            self._count(batch)
            yield self._canonical(batch)
        if self.n_rows != self._scan.n_rows:
            raise InvalidInput(
                f"The file declares {self._scan.n_rows:,} rows but contains {self.n_rows:,}, so it is "
                "damaged. Export it again.",
                code="unreadable_file",
            )

    def warnings(self) -> list[str]:
        """Return a warning for each column where infinite values were replaced."""
        counted = zip(self.schema.names, self.n_infinite, strict=True)
        return [
            f"Column {name!r}: 1 infinite value was replaced with a missing value."
            if n == 1
            else f"Column {name!r}: {n:,} infinite values were replaced with missing values."
            for name, n in counted
            if n > 0
        ]

    def _count(self, batch: pa.RecordBatch) -> None:
        self.n_rows += batch.num_rows
        self._n_bytes += batch.nbytes
        check_rows(self.n_rows, self._limits)
        if self._n_bytes > self._limits.decoded_bytes_max:
            raise TooLarge(
                f"The decoded table is larger than {self._limits.decoded_bytes_max:,} bytes. "
                "Remove rows, or columns that contain long text."
            )

    def _canonical(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = list(batch.columns)
        for index, column in enumerate(columns):
            if pa.types.is_floating(column.type):
                columns[index] = self._finite(index, column)
            self.n_missing[index] += columns[index].null_count
        return pa.record_batch(columns, schema=self.schema)

    def _finite(self, index: int, column: pa.Array[Any]) -> pa.Array[Any]:
        # Arrow provides these kernels only for float32 and float64.
        wide = column.cast(pa.float32()) if pa.types.is_float16(column.type) else column
        is_finite = pc.is_finite(wide)
        if pc.all(is_finite).as_py() is not False:
            return column
        if not self.schema.field(index).nullable:
            raise InvalidInput(
                f"Column {self.schema.names[index]!r} is declared non-nullable but contains NaN or infinity. "
                "Declare it nullable, or replace these values.",
                code="unsupported_column",
            )
        self.n_infinite[index] += pc.sum(pc.is_inf(wide).cast(pa.int64())).as_py() or 0
        finite: pa.Array[Any] = pc.if_else(is_finite, wide, pa.scalar(None, wide.type))
        return finite.cast(column.type)


def check_rows(n_rows: int, limits: ReadLimits) -> None:
    """Check that a table does not have too many rows.

    Raises
    ------
    TooLarge
        If the table has too many rows (code too_many_rows). The message contains the limit.
    """
    if n_rows > limits.rows_max:
        raise TooLarge(
            f"The table has more than the maximum of {limits.rows_max:,} rows. Upload fewer rows.",
            code="too_many_rows",
        )


def check_columns(n_columns: int, limits: ReadLimits) -> None:
    """Check that a table does not have too many columns.

    Raises
    ------
    TooLarge
        If the table has too many columns (code too_many_columns). The message contains the number of columns
        and the limit.
    """
    if n_columns > limits.columns_max:
        raise TooLarge(
            f"The table has {n_columns:,} columns, but the maximum is {limits.columns_max:,}. "
            "Remove columns that you do not need.",
            code="too_many_columns",
        )


def write_parquet(
    path: Path,
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    *,
    progress: Progress = no_progress,
    rows_total: int | None = None,
) -> int:
    """Write batches to a Parquet file with a deterministic encoding, and return the number of rows.

    The file appears at its path only when it is complete. Memory use does not grow with the number of rows.

    Parameters
    ----------
    rows_total : int, optional
        Expected number of rows, which is used only to report progress.
    """
    n_rows = 0
    with (
        atomic_path(path) as part,
        pq.ParquetWriter(
            part, schema, compression="zstd", dictionary_pagesize_limit=_DICTIONARY_BYTES_MAX
        ) as writer,
    ):
        rows_max = batch_rows(len(schema), _GROUP_VALUES_MAX)
        for group in row_groups(batches, schema, rows_max=rows_max, bytes_max=_GROUP_BYTES_MAX):
            # Combine the column into one chunk. Otherwise, the row at which Parquet discards a dictionary
            # would depend on the batch size.
            writer.write_table(group.combine_chunks(), row_group_size=ROW_GROUP_ROWS)
            n_rows += group.num_rows
            fraction = n_rows / rows_total if rows_total else 0.0
            progress("writing", fraction, rows_done=n_rows, rows_total=rows_total)
    return n_rows


@contextmanager
def atomic_path(path: Path) -> Iterator[Path]:
    """Yield a temporary path. Its file is moved to `path` if the block succeeds, and removed otherwise."""
    part = path.with_name(f"{path.name}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def batch_rows(n_columns: int, n_values: int = 1_000_000) -> int:
    """Return how many rows contain about n_values values, but at least 256 and at most ROW_GROUP_ROWS."""
    return max(256, min(ROW_GROUP_ROWS, n_values // max(1, n_columns)))


def row_groups(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, *, rows_max: int, bytes_max: int
) -> Iterator[pa.Table]:
    """Combine batches into tables of at most rows_max rows. A table ends early if it reaches bytes_max."""
    pending: list[pa.RecordBatch] = []
    n_rows = n_bytes = 0
    for batch in batches:
        start = 0
        while start < batch.num_rows:
            part = batch.slice(start, rows_max - n_rows)
            start += part.num_rows
            pending.append(part)
            n_rows += part.num_rows
            n_bytes += part.nbytes
            if n_rows == rows_max or n_bytes >= bytes_max:
                yield pa.Table.from_batches(pending, schema)
                pending, n_rows, n_bytes = [], 0, 0
    if pending:
        yield pa.Table.from_batches(pending, schema)
