"""CSV with any delimiter, read with DuckDB and written with pyarrow."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from understudy.errors import InvalidInput
from understudy.tables.formats.base import Format
from understudy.tables.formats.csv.decoding import utf8_text
from understudy.tables.formats.csv.dialect import Dialect, read_dialect
from understudy.tables.formats.csv.messages import describe, schema_of
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
    yield _typed(readable, dialect, text.warnings, reading.options.coerce)


def _typed(readable: Readable, dialect: Dialect, warnings: Iterable[str], coerce: Iterable[str]) -> Scan:
    staged = readable.staged
    named = list(zip(dialect.names, staged.types, strict=True))
    schema = schema_of(named)
    messages = [
        describe(name, type_, place)
        for (name, type_), place in zip(named, readable.places(dialect), strict=True)
    ]
    return Scan(
        schema,
        staged.n_rows,
        staged.batches(schema),
        notes={name: m.note for name, m in zip(dialect.names, messages, strict=True) if m.note},
        warnings=[
            *warnings,
            *dialect.warnings,
            *readable.warnings(),
            *_header_warnings(dialect),
            *(warning for message in messages for warning in message.warnings),
            *_unknown_coerced(dialect.names, coerce),
        ],
        rejects=readable.rejects(),
    )


def _unknown_coerced(names: Sequence[str], coerce: Iterable[str]) -> Iterator[str]:
    for name in coerce:
        if name not in names:
            yield f"The option `coerce` names the column {name!r}, which the file does not contain."


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
            *("delimiter", "quote", "encoding", "decimal", "thousands", "date_order", "missing", "coerce"),
            *("bad_rows", "bad_rows_share_max"),
        )
    ),
)
