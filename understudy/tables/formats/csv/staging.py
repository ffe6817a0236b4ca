"""Stage a CSV file: store its fields as text in the scratch folder, and detect the type of each column."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from understudy.tables.formats.canonical import batch_rows, check_rows, row_groups
from understudy.tables.formats.csv.column_types import (
    ColumnProfile,
    ColumnType,
    cast_column,
    present_values,
    resolve,
)
from understudy.tables.formats.csv.dialect import Dialect
from understudy.tables.formats.csv.parsing import missing_words, text_batches
from understudy.tables.formats.prefetch import prefetch
from understudy.tables.formats.scan import MEBIBYTE, Reading

# A whole row group is in memory when it is written and when it is read.
_GROUP_VALUES_MAX = 500_000
_GROUP_BYTES_MAX = 8 * MEBIBYTE
# Maximum number of batches by which the parser may run ahead.
_N_BATCHES_AHEAD = 16


@dataclass(frozen=True)
class Staged:
    """A file of text columns with rows in order, and the type of each column."""

    path: Path
    n_rows: int
    types: list[ColumnType]
    missing: tuple[str, ...]

    def batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yield the rows with the detected types."""
        for texts in _read(self.path):
            columns = zip(texts.columns, self.types, strict=True)
            yield pa.record_batch([self._typed(*column) for column in columns], schema=schema)

    def _typed(self, column: pa.Array[Any], type_: ColumnType) -> pa.Array[Any]:
        return cast_column(
            column,
            type_.arrow_type,
            missing=self.missing,
            convention=type_.convention,
            is_clean=type_.is_clean,
        )


def stage(source: Path, dialect: Dialect, reading: Reading) -> Staged:
    """Parse a CSV file into a file of text columns, and detect their types.

    Raises
    ------
    UnreadableRow
        If a row cannot be read.
    MixedLineEndings
        If the line endings have to be unified first.
    TooLarge
        With code too_many_rows.
    """
    path = reading.scratch / "staged.arrow"
    missing = missing_words(reading.options)
    profiles = [ColumnProfile(missing, reading.options) for _ in dialect.names]
    n_rows = _write(path, source, dialect, reading, profiles)
    types = [
        resolve(profile.decide(), partial(_values, path, index, missing), reading.options)
        for index, profile in enumerate(profiles)
    ]
    return Staged(path, n_rows, types, missing)


def _write(
    path: Path, source: Path, dialect: Dialect, reading: Reading, profiles: list[ColumnProfile]
) -> int:
    """Write the fields and count their notations. Return the number of rows."""
    schema = pa.schema([pa.field(f"c{index}", pa.string()) for index in range(len(profiles))])
    size = source.stat().st_size
    n_rows = n_bytes = 0
    # Arrow's own format takes half the CPU time of Parquet. The file is read once and then deleted.
    options = pa.ipc.IpcWriteOptions(compression="lz4", use_threads=False)
    with (
        pa.OSFile(str(path), "wb") as sink,
        pa.ipc.new_file(sink, schema, options=options) as writer,
        closing(prefetch(text_batches(source, dialect, reading), _N_BATCHES_AHEAD)) as ahead,
    ):
        for group in row_groups(
            ahead,
            schema,
            rows_max=batch_rows(len(profiles), _GROUP_VALUES_MAX),
            bytes_max=_GROUP_BYTES_MAX,
        ):
            n_rows += group.num_rows
            check_rows(n_rows, reading.limits)
            (batch,) = group.combine_chunks().to_batches()
            for profile, column in zip(profiles, batch.columns, strict=True):
                profile.add(column)
            writer.write_batch(batch)
            # Arrow stores a four-byte offset for each text, where the file has a one-byte delimiter.
            n_bytes += group.nbytes - 3 * group.num_rows * len(profiles)
            reading.progress("parsing", min(1.0, n_bytes / size), rows_done=n_rows)
    return n_rows


def _read(path: Path, column: int | None = None) -> Iterator[pa.RecordBatch]:
    options = pa.ipc.IpcReadOptions(included_fields=None if column is None else [column], use_threads=False)
    with pa.OSFile(str(path), "rb") as source, pa.ipc.open_file(source, options=options) as file:
        for index in range(file.num_record_batches):
            yield file.get_batch(index)


def _values(path: Path, column: int, missing: tuple[str, ...]) -> Iterator[pa.Array[Any]]:
    yield from present_values((batch.column(0) for batch in _read(path, column)), missing)
