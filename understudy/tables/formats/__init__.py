"""The family of file formats: how tables come in and go out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.parameters.read_options import ReadOptions
from understudy.progress import Progress, no_progress
from understudy.tables.formats.arrow import ARROW
from understudy.tables.formats.base import Format, Ingested
from understudy.tables.formats.compression import CODECS, compress_file, split_suffix
from understudy.tables.formats.csv import CSV, formulas
from understudy.tables.formats.jsonl import JSONL
from understudy.tables.formats.parquet import PARQUET
from understudy.tables.formats.scan import MEBIBYTE, Reading, ReadLimits
from understudy.tables.formats.xlsx import XLSX

__all__ = [
    "FORMATS",
    "Format",
    "Ingested",
    "ReadLimits",
    "ReadOptions",
    "format_for_path",
    "read_table",
    "stream_table",
    "write_table",
]

FORMATS: dict[str, Format] = {format_.name: format_ for format_ in (CSV, PARQUET, JSONL, ARROW, XLSX)}


def format_for_path(path: Path) -> Format:
    """Return the format that the suffix of a path names, before the one of a codec if there is one.

    Raises
    ------
    InvalidInput
        With code unknown_format and the known suffixes.
    """
    suffix = Path(split_suffix(path.name)[0]).suffix.lower()
    for format_ in FORMATS.values():
        if suffix in format_.suffixes:
            return format_
    known = ", ".join(suffix for format_ in FORMATS.values() for suffix in format_.suffixes)
    raise InvalidInput(
        f"{path.name!r} does not end in the suffix of a known format: {known}; "
        f"{' or '.join(CODECS)} may follow.",
        code="unknown_format",
    )


def read_table(
    path: Path,
    *,
    limits: ReadLimits | None = None,
    options: ReadOptions | None = None,
    progress: Progress = no_progress,
) -> pa.Table:
    """Return the table of a file, in the format of its suffix.

    Raises
    ------
    InvalidInput
        If the format is unknown, or the file is not a table, is damaged, or passes a limit.
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
    """Write batches as they come, as the path's suffixes say; return how many rows there were."""
    format_ = format_for_path(path)
    name, codec = split_suffix(path.name)
    if codec is None:
        return format_.write(path, batches, schema, progress=progress, rows_total=rows_total)
    with TemporaryDirectory(dir=path.parent, prefix=".write-") as scratch:
        plain = Path(scratch) / name
        n_rows = format_.write(plain, batches, schema, progress=progress, rows_total=rows_total)
        compress_file(plain, path, codec)
    return n_rows


def stream_table(
    path: Path, format_: Format, scratch: Path, *, without_formulas: bool = False
) -> Iterator[bytes]:
    """Yield a canonical Parquet file as a file of another format; memory does not grow with the rows.

    Parameters
    ----------
    scratch : Path
        A folder for files that are not known before their last row.
    without_formulas : bool
        Whether texts and names are made such that no spreadsheet takes them for formulas.
    """
    # What we wrote is held to no limit of an upload.
    limits = ReadLimits(rows_max=2**62, columns_max=2**31, decoded_bytes_max=2**62)
    with PARQUET.scan(path, Reading(scratch, limits)) as scan:
        batches, schema = scan.batches, scan.schema
        if without_formulas:
            batches, schema = formulas.without_formulas(batches, schema), formulas.safe_schema(schema)
        if format_.chunks is not None:
            yield from format_.chunks(batches, schema)
            return
        made = scratch / f"made{format_.suffixes[0]}"
        format_.write(made, batches, schema)
    with made.open("rb") as file:
        while piece := file.read(MEBIBYTE):
            yield piece
