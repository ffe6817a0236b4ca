"""Read tables from files and write tables to files in all supported formats."""

from __future__ import annotations

from collections.abc import Generator, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, closing, nullcontext
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.parameters.read_options import ReadOptions
from understudy.progress import Progress, no_progress
from understudy.tables.formats.arrow import ARROW
from understudy.tables.formats.base import Format, Ingested
from understudy.tables.formats.compression import CODECS, compress_file, name_in_archive, split_suffix
from understudy.tables.formats.csv import CSV, formulas
from understudy.tables.formats.jsonl import JSONL
from understudy.tables.formats.other_suffixes import unknown_suffix
from understudy.tables.formats.parquet import PARQUET, scan_parquet
from understudy.tables.formats.scan import MEBIBYTE, Reading, ReadLimits
from understudy.tables.formats.xlsx import XLSX

__all__ = [
    "FORMATS",
    "CsvOutput",
    "Format",
    "Ingested",
    "ReadLimits",
    "ReadOptions",
    "format_for_output",
    "format_for_path",
    "join_parts",
    "read_table",
    "stream_parts",
    "stream_table",
    "write_table",
]


@dataclass(frozen=True)
class CsvOutput:
    """Options for writing a table as CSV.

    Parameters
    ----------
    without_formulas : bool
        Whether to escape texts and names so that spreadsheet programs do not interpret them as formulas.
    with_style : bool
        Whether to use the style of the file from which the table was read. See `TextStyle`.
    """

    without_formulas: bool = False
    with_style: bool = True


FORMATS: dict[str, Format] = {format_.name: format_ for format_ in (CSV, PARQUET, JSONL, ARROW, XLSX)}


# Suffixes of files that are read but not written.
_READ_ONLY = frozenset({".ods"})


def format_for_path(path: Path) -> Format:
    """Return the format that matches the suffix of a path, ignoring a compression suffix at the end.

    Raises
    ------
    InvalidInput
        If the suffix is unknown (code unknown_format). The message lists the known suffixes.
    """
    stem, codec = split_suffix(path.name)
    if codec == "zip" and not Path(stem).suffix:
        stem = name_in_archive(path) or stem
    suffix = Path(stem).suffix.lower()
    for format_ in FORMATS.values():
        if suffix in format_.suffixes:
            return format_
    if message := unknown_suffix(path.name, suffix):
        raise InvalidInput(message, code="unknown_format")
    known = ", ".join(suffix for format_ in FORMATS.values() for suffix in format_.suffixes)
    raise InvalidInput(
        f"{path.name!r} does not have the suffix of a known format. Use one of {known}, "
        f"optionally followed by one of {', '.join(CODECS)}.",
        code="unknown_format",
    )


def format_for_output(path: Path) -> Format:
    """Return the format in which to write a file, based on the suffix of its path.

    Raises
    ------
    InvalidInput
        If the suffix is unknown, or if files with this suffix can only be read (code unknown_format).
    """
    if Path(split_suffix(path.name)[0]).suffix.lower() in _READ_ONLY:
        raise InvalidInput(
            f"OpenDocument spreadsheets such as {path.name!r} can only be read. Use .xlsx or .csv.",
            code="unknown_format",
        )
    return format_for_path(path)


def read_table(
    path: Path,
    *,
    limits: ReadLimits | None = None,
    options: ReadOptions | None = None,
    progress: Progress = no_progress,
) -> pa.Table:
    """Return the table in a file. The suffix of the file name determines the format.

    Raises
    ------
    InvalidInput
        If the format is unknown, if the file is damaged or does not contain a table, or if a limit is
        exceeded.
    """
    return format_for_path(path).read(path, limits=limits, options=options, progress=progress)


def write_table(
    path: Path,
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    *,
    progress: Progress = no_progress,
    rows_total: int | None = None,
) -> int:
    """Write batches and return the number of rows. The path determines format and compression."""
    format_ = format_for_output(path)
    name, codec = split_suffix(path.name)
    if codec is None:
        return format_.write(path, batches, schema, progress=progress, rows_total=rows_total)
    with TemporaryDirectory(dir=path.parent, prefix=".write-") as scratch:
        plain = Path(scratch) / name
        n_rows = format_.write(plain, batches, schema, progress=progress, rows_total=rows_total)
        compress_file(plain, path, codec)
    return n_rows


def stream_table(
    path: Path,
    format_: Format,
    scratch: Path,
    *,
    output: CsvOutput | None = None,
    progress: Progress = no_progress,
) -> Iterator[bytes]:
    """Convert a canonical Parquet file to another format, and yield its bytes using bounded memory.

    See `stream_parts` for the parameters.
    """
    yield from stream_parts([nullcontext(path)], format_, scratch, output=output, progress=progress)


def stream_parts(
    parts: Sequence[AbstractContextManager[Path]],
    format_: Format,
    scratch: Path,
    *,
    output: CsvOutput | None = None,
    progress: Progress = no_progress,
) -> Iterator[bytes]:
    """Convert the canonical Parquet files of a table to one file, and yield its bytes using bounded memory.

    Parameters
    ----------
    parts : sequence of context managers
        The files with the rows of the table, in order. Each file is opened only when its rows are needed.
    scratch : Path
        Folder for the converted file, if the format requires a complete file before the first byte is sent.
    output : CsvOutput, optional
        Options for CSV files.
    progress : callable
        Callback that is called before each batch. An exception that it raises ends the conversion.
    """
    with closing(_read_parts(parts, scratch)) as content:
        schema = next(content)
        assert isinstance(schema, pa.Schema)
        batches = _reported(content, progress)
        if output is not None and not output.with_style:
            schema = schema.remove_metadata()
        if output is not None and output.without_formulas:
            batches, schema = formulas.without_formulas(batches, schema), formulas.safe_schema(schema)
        if format_.chunks is not None:
            yield from format_.chunks(batches, schema)
            return
        converted = scratch / f"converted{format_.suffixes[0]}"
        format_.write(converted, batches, schema)
    with converted.open("rb") as file:
        while piece := file.read(MEBIBYTE):
            yield piece


def join_parts(parts: Sequence[AbstractContextManager[Path]], target: Path, scratch: Path) -> None:
    """Write the rows of several canonical Parquet files to one canonical Parquet file."""
    with closing(_read_parts(parts, scratch)) as content:
        schema = next(content)
        assert isinstance(schema, pa.Schema)
        PARQUET.write(target, _reported(content, no_progress), schema)


def _read_parts(
    parts: Sequence[AbstractContextManager[Path]], scratch: Path
) -> Generator[pa.Schema | pa.RecordBatch]:
    """Yield the schema of a table and then its batches."""
    # Upload limits do not apply to files that Understudy wrote.
    limits = ReadLimits(rows_max=2**62, columns_max=2**31, decoded_bytes_max=2**62)
    for number, part in enumerate(parts):
        with part as path, scan_parquet(path, Reading(scratch, limits)) as scan:
            if number == 0:
                yield scan.schema
            yield from scan.batches


def _reported(content: Iterable[pa.Schema | pa.RecordBatch], progress: Progress) -> Iterator[pa.RecordBatch]:
    for batch in content:
        assert isinstance(batch, pa.RecordBatch)
        progress("writing", 0.0)
        yield batch
