"""Stage a CSV file: store its fields as text in the scratch folder, and detect the type of each column."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa

from understudy.tables.formats.canonical import batch_rows, check_rows, row_groups
from understudy.tables.formats.csv.blanks import Blanks, without_blank_rows
from understudy.tables.formats.csv.column_types import (
    ColumnProfile,
    ColumnType,
    cast_column,
    trimmed_values,
)
from understudy.tables.formats.csv.dialect import Dialect
from understudy.tables.formats.csv.missing_words import count_words, with_read_words
from understudy.tables.formats.csv.parsing import missing_words, text_batches
from understudy.tables.formats.csv.plain_notation import with_notation
from understudy.tables.formats.csv.resolution import Unresolved, clues_of, resolve, resolve_together
from understudy.tables.formats.prefetch import prefetch
from understudy.tables.formats.scan import MEBIBYTE, Reading

# A whole row group is in memory when it is written and when it is read.
_GROUP_VALUES_MAX = 500_000
_GROUP_BYTES_MAX = 8 * MEBIBYTE
# Maximum number of batches that are parsed in advance.
_N_BATCHES_AHEAD = 16


@dataclass(frozen=True)
class Staged:
    """A file of text columns with rows in order, and the type of each column.

    Parameters
    ----------
    blanks : Blanks
        Number of missing values in each column, and number of blank rows.
    """

    path: Path
    n_rows: int
    types: list[ColumnType]
    missing: tuple[str, ...]
    blanks: Blanks

    def batches(self, schema: pa.Schema, columns: Sequence[int]) -> Iterator[pa.RecordBatch]:
        """Yield the rows of the selected columns with the detected types, without dropped blank rows."""
        for texts in _read(self.path):
            if self.blanks.n_rows_dropped:
                texts = without_blank_rows(texts)
            chosen = [self._typed(texts.column(index), self.types[index]) for index in columns]
            yield pa.record_batch(chosen, schema=schema)

    def _typed(self, column: pa.Array[Any], type_: ColumnType) -> pa.Array[Any]:
        return cast_column(
            column,
            type_.arrow_type,
            missing=self.missing,
            notation=type_.notation,
            is_clean=type_.is_clean,
        )


def stage(source: Path, dialect: Dialect, reading: Reading) -> Staged:
    """Parse a CSV file into a file of text columns, and detect their types.

    Raises
    ------
    UnreadableRow
        If a row cannot be read.
    MixedLineEndings
        If the file mixes line endings, which must be normalized before parsing.
    TooLarge
        If the table has too many rows (code too_many_rows).
    """
    path = reading.scratch / "staged.arrow"
    missing = missing_words(reading.options)
    profiles = [ColumnProfile(missing, reading.options) for _ in dialect.names]
    blanks = Blanks(len(profiles), dialect.unnamed)
    n_rows = _write(path, source, dialect, reading, (profiles, blanks))
    # In a comma-delimited file, a comma can be the decimal separator only within quoted fields.
    prefers_point = dialect.delimiter == "," and len(profiles) > 1
    columns = [
        Unresolved(
            profile.decide(),
            partial(_values, path, index, missing),
            clues_of(name, reading.options, prefers_point=prefers_point),
            name,
        )
        for index, (name, profile) in enumerate(zip(dialect.names, profiles, strict=True))
    ]
    types = resolve_together([_resolved(column) for column in columns], columns)
    types = [_without_blanks(type_, index, blanks) for index, type_ in enumerate(types)]
    types = _with_words(types, source, dialect, blanks, missing)
    return Staged(path, n_rows, types, missing, blanks)


def _with_words(
    types: list[ColumnType], source: Path, dialect: Dialect, blanks: Blanks, missing: Sequence[str]
) -> list[ColumnType]:
    """Return the types with the words that represent missing values in the file, such as `NA`."""
    n_null = [int(n) - blanks.n_rows_dropped for n in blanks.n_missing]
    read = count_words(source, dialect, missing, [index for index, n in enumerate(n_null) if n > 0])
    return [
        with_read_words(type_, n_null[index], read[index]) if index in read else type_
        for index, type_ in enumerate(types)
    ]


def _without_blanks(type_: ColumnType, index: int, blanks: Blanks) -> ColumnType:
    """Return a column's type after blank rows are dropped. The column may then have no missing values."""
    # Whitespace and words for a missing value become missing only when the values are converted.
    # Text is left unchanged.
    is_exact = type_.is_clean or (pa.types.is_string(type_.arrow_type) and type_.notation is None)
    if type_.is_complete or not is_exact or not blanks.is_complete_without(index):
        return type_
    return replace(type_, is_complete=True)


def _has_only_plain_values(type_: ColumnType) -> bool:
    """Return whether none of the parsed texts is read as a missing value."""
    is_text = pa.types.is_string(type_.arrow_type)
    return type_.notation is None and not type_.replaced and (type_.is_clean or is_text)


def _resolved(column: Unresolved) -> ColumnType:
    if pa.types.is_string(column.column_type.arrow_type):
        return resolve(*column)
    return with_notation(column.column_type, column.texts, column.clues)


def _write(
    path: Path,
    source: Path,
    dialect: Dialect,
    reading: Reading,
    counters: tuple[list[ColumnProfile], Blanks],
) -> int:
    """Write the fields and count their notations and blank rows. Return the number of rows."""
    profiles, blanks = counters
    schema = pa.schema([pa.field(f"c{index}", pa.string()) for index in range(len(profiles))])
    size = source.stat().st_size
    n_rows = n_bytes = 0
    # The Arrow format takes half the CPU time of Parquet. The file is read once and then deleted.
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
            blanks.add(batch)
            writer.write_batch(batch)
            # Arrow stores a four-byte offset for each text, but a CSV file contains only a one-byte
            # delimiter.
            n_bytes += group.nbytes - 3 * group.num_rows * len(profiles)
            reading.progress("parsing", min(1.0, n_bytes / size), rows_done=n_rows)
    return n_rows


def _read(path: Path, column: int | None = None) -> Iterator[pa.RecordBatch]:
    options = pa.ipc.IpcReadOptions(included_fields=None if column is None else [column], use_threads=False)
    with pa.OSFile(str(path), "rb") as source, pa.ipc.open_file(source, options=options) as file:
        for index in range(file.num_record_batches):
            yield file.get_batch(index)


def _values(path: Path, column: int, missing: tuple[str, ...]) -> Iterator[pa.Array[Any]]:
    yield from trimmed_values((batch.column(0) for batch in _read(path, column)), missing)
