"""CSV with any delimiter, read with DuckDB and written with pyarrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.tables.formats.base import Format
from understudy.tables.formats.csv.decoding import utf8_text
from understudy.tables.formats.csv.dialect import Dialect, read_dialect
from understudy.tables.formats.csv.reading import Readable, read_rows
from understudy.tables.formats.csv.writing import csv_chunks, write_csv
from understudy.tables.formats.scan import Reading, Scan


@contextmanager
def scan_csv(path: Path, reading: Reading) -> Iterator[Scan]:
    """Open a CSV file; see `Format`."""
    text = utf8_text(path, reading)
    dialect = read_dialect(text.path, reading.limits, reading.options)
    readable = read_rows(text, dialect, reading)
    if readable.staged.n_rows == 0:
        raise InvalidInput("The file has a header but no rows. Add at least one row.", code="no_rows")
    yield _typed(readable, dialect, text.warnings)


def _typed(readable: Readable, dialect: Dialect, warnings: Iterable[str]) -> Scan:
    staged = readable.staged
    named = list(zip(dialect.names, staged.types, strict=True))
    notes = dict(zip(dialect.names, readable.notes(dialect), strict=True))
    schema = pa.schema([pa.field(name, t.arrow_type, nullable=not t.is_complete) for name, t in named])
    return Scan(
        schema,
        staged.n_rows,
        staged.batches(schema),
        notes={name: note for name, note in notes.items() if note},
        warnings=[
            *warnings,
            *dialect.warnings,
            *readable.warnings(),
            *_header_warnings(dialect),
            *(f"Column {name!r} is text: {notes[name]}." for name, type_ in named if type_.is_doubtful),
        ],
        rejects=readable.rejects(),
    )


def _header_warnings(dialect: Dialect) -> list[str]:
    if all(name.strip().replace(".", "", 1).lstrip("-").isdecimal() for name in dialect.names):
        return [
            "The first line was read as the header but contains only numbers. Check that the header is not "
            "missing."
        ]
    return []


CSV = Format(
    name="csv",
    summary="Text with a header line, delimited by commas, tabs, semicolons or pipes, in any common encoding",
    suffixes=(".csv", ".tsv"),
    media_type="text/csv",
    scan=scan_csv,
    write=write_csv,
    chunks=csv_chunks,
    options=frozenset(
        (
            *("delimiter", "quote", "encoding", "decimal", "thousands", "date_order", "missing"),
            *("bad_rows", "bad_rows_share_max"),
        )
    ),
)
