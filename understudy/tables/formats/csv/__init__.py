"""CSV files with any delimiter, which DuckDB reads and pyarrow writes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from understudy.errors import InvalidInput
from understudy.parameters.read_options import line_ranges
from understudy.tables.formats.base import Format
from understudy.tables.formats.csv.decoding import utf8_text
from understudy.tables.formats.csv.dialect import Dialect, read_dialect
from understudy.tables.formats.csv.fixed_width import with_cut_columns
from understudy.tables.formats.csv.messages import describe, schema_of
from understudy.tables.formats.csv.reading import Readable, read_rows
from understudy.tables.formats.csv.removal import without_lines, without_removed
from understudy.tables.formats.csv.rulers import without_rulers
from understudy.tables.formats.csv.spaces import with_tabs
from understudy.tables.formats.csv.styles import style_of
from understudy.tables.formats.csv.writing import csv_chunks, write_csv
from understudy.tables.formats.layout import blank_warnings
from understudy.tables.formats.scan import Reading, Scan
from understudy.tables.text_style import style_metadata


@contextmanager
def scan_csv(path: Path, reading: Reading) -> Iterator[Scan]:
    """Open a CSV file; see `Format`."""
    original = utf8_text(path, reading)
    text = without_lines(original, line_ranges(reading.options.skip_rows), reading)
    text = with_tabs(without_rulers(with_cut_columns(text, reading), reading), reading)
    dialect = read_dialect(text.path, reading.limits, reading.options)
    text, warnings = without_removed(text, dialect.removal, dialect.delimiter, dialect.quote, reading)
    readable = read_rows(text, dialect, reading)
    if readable.staged.n_rows == readable.staged.blanks.n_rows_dropped:
        raise InvalidInput("The file has a header but no rows. Add at least one row.", code="no_rows")
    all_warnings = [*text.warnings, *dialect.warnings, *warnings]
    style = style_metadata(style_of(path, original, dialect))
    scan = _typed(readable, dialect, all_warnings, reading.options.coerce)
    yield replace(scan, schema=scan.schema.with_metadata(style or {}))


def _typed(readable: Readable, dialect: Dialect, warnings: Iterable[str], coerce: Iterable[str]) -> Scan:
    staged = readable.staged
    n_rows = staged.n_rows - staged.blanks.n_rows_dropped
    columns = [
        index
        for index in range(len(dialect.names))
        if index not in dialect.unnamed or staged.blanks.has_values(index)
    ]
    named = [(dialect.names[index], staged.types[index]) for index in columns]
    schema = schema_of(named)
    places = list(readable.places(dialect))
    messages = [
        describe(name, type_, places[index]) for index, (name, type_) in zip(columns, named, strict=True)
    ]
    return Scan(
        schema,
        n_rows,
        staged.batches(schema, columns),
        notes={name: m.note for (name, _), m in zip(named, messages, strict=True) if m.note},
        warnings=[
            *warnings,
            *readable.warnings(),
            *blank_warnings(dialect.names, dialect.unnamed, columns, staged.blanks.n_rows_dropped),
            *_header_warnings(dialect),
            *(warning for message in messages for warning in message.warnings),
            *_unknown_coerced(dialect.names, coerce),
        ],
        rejects=readable.rejects(),
    )


def _unknown_coerced(names: Sequence[str], coerce: Iterable[str]) -> Iterator[str]:
    for name in coerce:
        if name not in names:
            yield (
                f"The option `coerce` names the column {name!r}, which the file does not contain. "
                "Correct the name."
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
    suffixes=(".csv", ".tsv", ".txt", ".tab", ".dat"),
    media_type="text/csv",
    scan=scan_csv,
    write=write_csv,
    chunks=csv_chunks,
    options=frozenset(
        (
            *("delimiter", "quote", "encoding", "decimal", "thousands", "date_order", "missing", "coerce"),
            *("bad_rows", "bad_rows_share_max", "header_row", "skip_rows", "join_headers"),
        )
    ),
)
