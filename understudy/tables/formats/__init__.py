"""The family of file formats: how tables come in and go out."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.progress import Progress, no_progress
from understudy.tables.formats.arrow import ARROW
from understudy.tables.formats.base import Format, Ingested
from understudy.tables.formats.csv import CSV
from understudy.tables.formats.jsonl import JSONL
from understudy.tables.formats.parquet import PARQUET
from understudy.tables.formats.scan import MEBIBYTE, Reading, ReadLimits
from understudy.tables.reading import ReadOptions

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

FORMATS: dict[str, Format] = {format_.name: format_ for format_ in (CSV, PARQUET, JSONL, ARROW)}


def format_for_path(path: Path) -> Format:
    """Return the format that the suffix of a path names.

    Raises
    ------
    InvalidInput
        With code unknown_format and the known suffixes.
    """
    for format_ in FORMATS.values():
        if path.suffix.lower() in format_.suffixes:
            return format_
    known = ", ".join(suffix for format_ in FORMATS.values() for suffix in format_.suffixes)
    raise InvalidInput(
        f"{path.name!r} does not end in the suffix of a known format: {known}.", code="unknown_format"
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
    """Write batches as they come, in the format of the path's suffix; return how many rows there were."""
    return format_for_path(path).write(path, batches, schema, progress=progress, rows_total=rows_total)


def stream_table(path: Path, format_: Format, scratch: Path) -> Iterator[bytes]:
    """Yield a canonical Parquet file as a file of another format; memory does not grow with the rows.

    Parameters
    ----------
    scratch : Path
        A folder for files that are not known before their last row.
    """
    # What we wrote is held to no limit of an upload.
    limits = ReadLimits(rows_max=2**62, columns_max=2**31, decoded_bytes_max=2**62)
    with PARQUET.scan(path, Reading(scratch, limits)) as scan:
        if format_.chunks is not None:
            yield from format_.chunks(scan.batches, scan.schema)
            return
        made = scratch / f"made{format_.suffixes[0]}"
        format_.write(made, scan.batches, scan.schema)
    with made.open("rb") as file:
        while piece := file.read(MEBIBYTE):
            yield piece
