"""CSV and its relatives with tabs, semicolons or bars, read by DuckDB and written by pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.parquet as pq

from understudy.errors import InvalidInput
from understudy.progress import Progress
from understudy.tables.formats.base import Format
from understudy.tables.formats.canonical import batch_rows, check_rows
from understudy.tables.formats.csv.column_types import ColumnType, decide_types
from understudy.tables.formats.csv.dialect import Dialect, read_dialect
from understudy.tables.formats.csv.staging import open_session, quoted, stage
from understudy.tables.formats.csv.text import utf8_file
from understudy.tables.formats.csv.writing import write_csv
from understudy.tables.formats.scan import ReadLimits, Scan

if TYPE_CHECKING:
    import duckdb


@contextmanager
def scan_csv(path: Path, limits: ReadLimits, scratch: Path, progress: Progress) -> Iterator[Scan]:
    """Open a CSV file; see `Format`."""
    source = utf8_file(path, scratch, progress)
    dialect = read_dialect(source, limits)
    progress("parsing", 0.0)
    with open_session(source, scratch) as session:
        staged = stage(session, source, scratch, dialect, limits)
        n_rows = pq.read_metadata(staged).num_rows
        check_rows(n_rows, limits)
        if n_rows == 0:
            raise InvalidInput("The file has a header and no rows; it needs at least one.", code="no_rows")
        progress("typing", 0.0, rows_total=n_rows)
        columns = list(decide_types(session, staged, len(dialect.names), n_rows))
        yield _typed_scan(session, staged, dialect, columns, n_rows)


def _typed_scan(
    session: duckdb.DuckDBPyConnection,
    staged: Path,
    dialect: Dialect,
    columns: list[ColumnType],
    n_rows: int,
) -> Scan:
    named = list(zip(dialect.names, columns, strict=True))
    schema = pa.schema([pa.field(name, c.arrow_type, nullable=not c.is_complete) for name, c in named])
    return Scan(
        schema,
        n_rows,
        _batches(session, staged, columns, schema),
        notes={name: column.note for name, column in named if column.note},
        warnings=[
            *_header_warnings(dialect),
            *(f"Column {name!r} is text: {c.note}." for name, c in named if c.is_doubtful),
        ],
    )


def _header_warnings(dialect: Dialect) -> list[str]:
    if all(name.strip().replace(".", "", 1).lstrip("-").isdecimal() for name in dialect.names):
        return ["The first line, taken as the header, holds only numbers: is the header missing?"]
    return []


def _batches(
    session: duckdb.DuckDBPyConnection, staged: Path, columns: list[ColumnType], schema: pa.Schema
) -> Iterator[pa.RecordBatch]:
    expressions = ", ".join(f"{column.expression} AS c{index}" for index, column in enumerate(columns))
    query = f"SELECT {expressions} FROM read_parquet({quoted(staged)})"  # noqa: S608 - all of it is ours
    for batch in session.sql(query).to_arrow_reader(batch_rows(len(columns))):
        arrays = [array.cast(type_) for array, type_ in zip(batch.columns, schema.types, strict=True)]
        yield pa.record_batch(arrays, schema=schema)


CSV = Format(
    name="csv",
    summary="Comma, tab, semicolon or bar separated text with a header line, in UTF-8 or UTF-16",
    suffixes=(".csv", ".tsv"),
    media_type="text/csv",
    scan=scan_csv,
    write=write_csv,
)
