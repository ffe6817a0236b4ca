"""Write Arrow files in uncompressed batches of up to 65,536 rows, which every Arrow reader supports.

Downloads use the Arrow file format instead of the stream format, because every Feather reader supports it.
Like a stream, an Arrow file can be written sequentially. Parquet is the more compact alternative.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from understudy.progress import Progress, no_progress
from understudy.tables.formats.canonical import atomic_path, batch_rows, row_groups
from understudy.tables.formats.scan import MEBIBYTE

if TYPE_CHECKING:
    from typing_extensions import Buffer

_BATCH_VALUES_MAX = 1_000_000
_BATCH_ROWS_MAX = 65_536
_BATCH_BYTES_MAX = 16 * MEBIBYTE


def write_arrow(
    path: Path,
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    *,
    progress: Progress = no_progress,
    rows_total: int | None = None,
) -> int:
    """Write batches to a file and return the number of rows.

    The file appears at its path only when it is complete. Memory use does not grow with the number of rows.
    """
    n_rows = 0
    with atomic_path(path) as part, pa.ipc.new_file(str(part), schema) as writer:
        for batch in _equal_batches(batches, schema):
            writer.write_batch(batch)
            n_rows += batch.num_rows
            fraction = n_rows / rows_total if rows_total else 0.0
            progress("writing", fraction, rows_done=n_rows, rows_total=rows_total)
    return n_rows


def arrow_chunks(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[bytes]:
    """Yield the bytes of an Arrow file, batch by batch."""
    sink = _Pieces()
    with pa.ipc.new_file(pa.PythonFile(sink, "w"), schema) as writer:
        for batch in _equal_batches(batches, schema):
            writer.write_batch(batch)
            yield sink.take()
    yield sink.take()


def arrow_stream_chunks(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[bytes]:
    """Yield the bytes of an Arrow stream. Batches are yielded as they arrive, large batches in parts."""
    sink = _Pieces()
    rows_max = _rows_max(schema)
    with pa.ipc.new_stream(pa.PythonFile(sink, "w"), schema) as writer:
        for batch in batches:
            for start in range(0, batch.num_rows, rows_max):
                writer.write_batch(_cleared_batch(batch.slice(start, rows_max), schema))
                yield sink.take()
    yield sink.take()


def _equal_batches(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    for group in row_groups(batches, schema, rows_max=_rows_max(schema), bytes_max=_BATCH_BYTES_MAX):
        for batch in group.combine_chunks().to_batches():
            yield _cleared_batch(batch, schema)


def _rows_max(schema: pa.Schema) -> int:
    """Return the maximum number of rows in a batch, which is lower for wide tables."""
    return min(_BATCH_ROWS_MAX, batch_rows(len(schema), _BATCH_VALUES_MAX))


def _cleared_batch(batch: pa.RecordBatch, schema: pa.Schema) -> pa.RecordBatch:
    return pa.record_batch([_cleared(column) for column in batch.columns], schema=schema)


def _cleared(column: pa.Array[Any]) -> pa.Array[Any]:
    """Overwrite the memory behind missing values, because it may contain data about a real person."""
    if column.null_count == 0:
        return column
    is_missing = column.is_null().to_numpy(zero_copy_only=False)
    places: Any = pa.array(np.arange(len(column)), mask=is_missing)
    cleared: pa.Array[Any] = column.take(places)
    return cleared


class _Pieces(io.RawIOBase):
    """A write-only in-memory file. The caller removes the written bytes in pieces."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._n_bytes = 0

    def writable(self) -> bool:
        """Return True."""
        return True

    def write(self, data: Buffer) -> int:
        """Store a copy of the data, because the writer may reuse its buffer."""
        piece = bytes(data)
        self._pieces.append(piece)
        self._n_bytes += len(piece)
        return len(piece)

    def tell(self) -> int:
        """Return the number of bytes written so far."""
        return self._n_bytes

    def take(self) -> bytes:
        """Remove and return the bytes written since the last call."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken
