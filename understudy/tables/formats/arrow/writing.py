"""Arrow files as they are written: uncompressed batches of 65,536 rows, which every reader of Arrow takes.

The file and not the stream, though downloads are streams: all that can read Feather reads the file, and it
too can be written from its beginning to its end. Who wants it small takes Parquet.
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa

from understudy.progress import Progress, no_progress
from understudy.tables.formats.canonical import appearing, batch_rows, row_groups
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
    """Write batches as they come and return how many rows there were.

    The file appears at its path when it is complete, or not at all. Memory does not grow with the rows.
    """
    n_rows = 0
    with appearing(path) as part, pa.ipc.new_file(str(part), schema) as writer:
        for batch in _equal_batches(batches, schema):
            writer.write_batch(batch)
            n_rows += batch.num_rows
            fraction = n_rows / rows_total if rows_total else 0.0
            progress("writing", fraction, rows_done=n_rows, rows_total=rows_total)
    return n_rows


def arrow_chunks(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[bytes]:
    """Yield the bytes of an Arrow file, a batch at a time."""
    sink = _Pieces()
    with pa.ipc.new_file(pa.PythonFile(sink, "w"), schema) as writer:
        for batch in _equal_batches(batches, schema):
            writer.write_batch(batch)
            yield sink.take()
    yield sink.take()


def _equal_batches(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    rows_max = min(_BATCH_ROWS_MAX, batch_rows(len(schema), _BATCH_VALUES_MAX))
    for group in row_groups(batches, schema, rows_max=rows_max, bytes_max=_BATCH_BYTES_MAX):
        for batch in group.combine_chunks().to_batches():
            yield pa.record_batch([_settled(column) for column in batch.columns], schema=schema)


def _settled(column: pa.Array[Any]) -> pa.Array[Any]:
    """Return a column with nothing behind what is missing: it may be anything, also somebody's value."""
    if column.null_count == 0:
        return column
    is_missing = column.is_null().to_numpy(zero_copy_only=False)
    places: Any = pa.array(np.arange(len(column)), mask=is_missing)
    settled: pa.Array[Any] = column.take(places)
    return settled


class _Pieces(io.RawIOBase):
    """A file that is written from its beginning to its end, and taken away in pieces."""

    def __init__(self) -> None:
        super().__init__()
        self._pieces: list[bytes] = []
        self._n_bytes = 0

    def writable(self) -> bool:
        """Say that it can be written."""
        return True

    def write(self, data: Buffer) -> int:
        """Keep some bytes: a copy, since the writer may use its own again."""
        piece = bytes(data)
        self._pieces.append(piece)
        self._n_bytes += len(piece)
        return len(piece)

    def tell(self) -> int:
        """Return how many bytes were written."""
        return self._n_bytes

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken = b"".join(self._pieces)
        self._pieces.clear()
        return taken
