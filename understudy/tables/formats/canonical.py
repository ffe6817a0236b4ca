"""The one form in which tables are kept: Parquet, zstd, rows in order, in groups of 131,072.

A canonical table holds no NaN and no infinity: what is not a finite number is missing.
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
# A group is in memory as a whole when it is written, so wide tables and long texts get smaller groups.
_GROUP_VALUES_MAX = 8_000_000
_GROUP_BYTES_MAX = 64 * MEBIBYTE
# Columns of few values become small by dictionaries; on others they soon give up, before they cost time.
_DICTIONARY_BYTES_MAX = 64 * 1024


class CanonicalBatches:
    """The batches of a scan, made canonical, held to the limits, and counted as they pass."""

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
                f"The file states {self._scan.n_rows:,} rows and holds {self.n_rows:,}: it is damaged. "
                "Write it again.",
                code="unreadable_file",
            )

    def warnings(self) -> list[str]:
        """Return what was changed, in words."""
        counted = zip(self.schema.names, self.n_infinite, strict=True)
        return [
            f"Column {name!r}: {n:,} infinite values are taken as missing." for name, n in counted if n > 0
        ]

    def _count(self, batch: pa.RecordBatch) -> None:
        self.n_rows += batch.num_rows
        self._n_bytes += batch.nbytes
        check_rows(self.n_rows, self._limits)
        if self._n_bytes > self._limits.decoded_bytes_max:
            raise TooLarge(
                f"The table takes more than {self._limits.decoded_bytes_max:,} bytes when it is read. "
                "Leave out rows, or columns of long text."
            )

    def _canonical(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        columns = list(batch.columns)
        for index, column in enumerate(columns):
            if pa.types.is_floating(column.type):
                columns[index] = self._finite(index, column)
            self.n_missing[index] += columns[index].null_count
        return pa.record_batch(columns, schema=self.schema)

    def _finite(self, index: int, column: pa.Array[Any]) -> pa.Array[Any]:
        # Arrow has these kernels for float32 and float64 only.
        wide = column.cast(pa.float32()) if pa.types.is_float16(column.type) else column
        is_finite = pc.is_finite(wide)
        if pc.all(is_finite).as_py() is not False:
            return column
        if not self.schema.field(index).nullable:
            raise InvalidInput(
                f"Column {self.schema.names[index]!r} is declared to have no missing values, but holds NaN "
                "or infinity. Declare it nullable, or replace those values.",
                code="unsupported_column",
            )
        self.n_infinite[index] += pc.sum(pc.is_inf(wide).cast(pa.int64())).as_py() or 0
        finite: pa.Array[Any] = pc.if_else(is_finite, wide, pa.scalar(None, wide.type))
        return finite.cast(column.type)


def check_rows(n_rows: int, limits: ReadLimits) -> None:
    """Refuse tables that are too long.

    Raises
    ------
    TooLarge
        With the limit.
    """
    if n_rows > limits.rows_max:
        raise TooLarge(
            f"The table has more than {limits.rows_max:,} rows, the limit. Send fewer rows.",
            code="too_many_rows",
        )


def check_columns(n_columns: int, limits: ReadLimits) -> None:
    """Refuse tables that are too wide.

    Raises
    ------
    TooLarge
        With the number of columns and the limit.
    """
    if n_columns > limits.columns_max:
        raise TooLarge(
            f"The table has {n_columns:,} columns; the limit is {limits.columns_max:,}. "
            "Leave out columns that are not needed.",
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
    """Write batches as they come and return how many rows there were; equal batches give equal bytes.

    The file appears at its path when it is complete, or not at all. Memory does not grow with the rows.

    Parameters
    ----------
    rows_total : int, optional
        How many rows will come, if it is known: progress is told as a fraction of it.
    """
    n_rows = 0
    with (
        appearing(path) as part,
        pq.ParquetWriter(
            part, schema, compression="zstd", dictionary_pagesize_limit=_DICTIONARY_BYTES_MAX
        ) as writer,
    ):
        rows_max = batch_rows(len(schema), _GROUP_VALUES_MAX)
        for group in row_groups(batches, schema, rows_max=rows_max, bytes_max=_GROUP_BYTES_MAX):
            # In one piece: where a dictionary gives up must not depend on how the rows came.
            writer.write_table(group.combine_chunks(), row_group_size=ROW_GROUP_ROWS)
            n_rows += group.num_rows
            fraction = n_rows / rows_total if rows_total else 0.0
            progress("writing", fraction, rows_done=n_rows, rows_total=rows_total)
    return n_rows


@contextmanager
def appearing(path: Path) -> Iterator[Path]:
    """Give a path to write to, which takes its final name if the block ends well and is removed if not."""
    part = path.with_name(f"{path.name}.part")
    try:
        yield part
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def batch_rows(n_columns: int, n_values: int = 1_000_000) -> int:
    """Return how many rows of so many columns make about n_values values, within reason."""
    return max(256, min(ROW_GROUP_ROWS, n_values // max(1, n_columns)))


def row_groups(
    batches: Iterable[pa.RecordBatch], schema: pa.Schema, *, rows_max: int, bytes_max: int
) -> Iterator[pa.Table]:
    """Gather batches of any size into tables of rows_max rows, or of fewer that reach bytes_max."""
    held: list[pa.RecordBatch] = []
    n_rows = n_bytes = 0
    for batch in batches:
        start = 0
        while start < batch.num_rows:
            part = batch.slice(start, rows_max - n_rows)
            start += part.num_rows
            held.append(part)
            n_rows += part.num_rows
            n_bytes += part.nbytes
            if n_rows == rows_max or n_bytes >= bytes_max:
                yield pa.Table.from_batches(held, schema)
                held, n_rows, n_bytes = [], 0, 0
    if held:
        yield pa.Table.from_batches(held, schema)
