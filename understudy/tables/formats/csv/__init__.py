"""CSV and its relatives with tabs, semicolons or bars, read by DuckDB and written by pyarrow."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.tables.formats.base import Format
from understudy.tables.formats.csv.dialect import Dialect, read_dialect
from understudy.tables.formats.csv.staging import Staged, stage
from understudy.tables.formats.csv.text import utf8_file
from understudy.tables.formats.csv.writing import csv_chunks, write_csv
from understudy.tables.formats.scan import Reading, Scan


@contextmanager
def scan_csv(path: Path, reading: Reading) -> Iterator[Scan]:
    """Open a CSV file; see `Format`."""
    source = utf8_file(path, reading.scratch, reading.progress)
    dialect = read_dialect(source, reading.limits)
    staged = stage(source, dialect, reading)
    if staged.n_rows == 0:
        raise InvalidInput("The file has a header and no rows; it needs at least one.", code="no_rows")
    yield _typed(staged, dialect)


def _typed(staged: Staged, dialect: Dialect) -> Scan:
    named = list(zip(dialect.names, staged.types, strict=True))
    schema = pa.schema([pa.field(name, t.arrow_type, nullable=not t.is_complete) for name, t in named])
    return Scan(
        schema,
        staged.n_rows,
        staged.batches(schema),
        notes={name: type_.note for name, type_ in named if type_.note},
        warnings=[
            *_header_warnings(dialect),
            *(f"Column {name!r} is text: {type_.note}." for name, type_ in named if type_.is_doubtful),
        ],
    )


def _header_warnings(dialect: Dialect) -> list[str]:
    if all(name.strip().replace(".", "", 1).lstrip("-").isdecimal() for name in dialect.names):
        return ["The first line, taken as the header, holds only numbers: is the header missing?"]
    return []


CSV = Format(
    name="csv",
    summary="Comma, tab, semicolon or bar separated text with a header line, in UTF-8 or UTF-16",
    suffixes=(".csv", ".tsv"),
    media_type="text/csv",
    scan=scan_csv,
    write=write_csv,
    chunks=csv_chunks,
)
