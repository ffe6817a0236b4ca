"""The fields of a CSV file, as text in Parquet in the scratch folder, and the type of each column."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from understudy.tables.formats.canonical import batch_rows, check_rows, row_groups
from understudy.tables.formats.csv.column_types import ColumnProfile, ColumnType, cast_column
from understudy.tables.formats.csv.dialect import Dialect
from understudy.tables.formats.csv.parsing import MixedLineEnds, text_batches
from understudy.tables.formats.csv.text import unify_line_ends
from understudy.tables.formats.scan import MEBIBYTE, Reading

# A group of rows is in memory as a whole when it is written and when it is read again.
_GROUP_VALUES_MAX = 2_000_000
_GROUP_BYTES_MAX = 32 * MEBIBYTE


@dataclass(frozen=True)
class Staged:
    """A file of text columns, its rows in order, and what each column is."""

    path: Path
    n_rows: int
    types: list[ColumnType]

    def batches(self, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
        """Yield the rows in the types that were decided."""
        with pq.ParquetFile(self.path) as file:
            for index in range(file.num_row_groups):
                texts = file.read_row_group(index, use_threads=False).combine_chunks()
                for batch in texts.to_batches():
                    columns = zip(batch.columns, schema.types, strict=True)
                    yield pa.record_batch([cast_column(*column) for column in columns], schema=schema)


def stage(source: Path, dialect: Dialect, reading: Reading) -> Staged:
    """Take a CSV file apart.

    Raises
    ------
    InvalidInput
        ragged_rows, unclosed_quote, unreadable_file; with the line.
    TooLarge
        too_many_rows.
    """
    try:
        return _stage(source, dialect, reading)
    except MixedLineEnds:
        source = unify_line_ends(source, reading.scratch / "lines.csv")
        return _stage(source, dialect, reading)


def _stage(source: Path, dialect: Dialect, reading: Reading) -> Staged:
    path = reading.scratch / "staged.parquet"
    profiles = [ColumnProfile() for _ in dialect.names]
    schema = pa.schema([pa.field(f"c{index}", pa.string()) for index in range(len(profiles))])
    size = source.stat().st_size
    n_rows = n_bytes = 0
    with pq.ParquetWriter(path, schema, compression="snappy", write_statistics=False) as writer:
        for group in row_groups(
            text_batches(source, dialect, reading),
            schema,
            rows_max=batch_rows(len(profiles), _GROUP_VALUES_MAX),
            bytes_max=_GROUP_BYTES_MAX,
        ):
            n_rows += group.num_rows
            check_rows(n_rows, reading.limits)
            for profile, column in zip(profiles, group.columns, strict=True):
                profile.add(column.combine_chunks())
            writer.write_table(group)
            # Arrow holds four bytes beside each text, the file a delimiter.
            n_bytes += group.nbytes - 3 * group.num_rows * len(profiles)
            reading.progress("parsing", min(1.0, n_bytes / size), rows_done=n_rows)
    return Staged(path, n_rows, [profile.decide() for profile in profiles])
