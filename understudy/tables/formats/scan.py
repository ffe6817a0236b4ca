"""The arguments and the result of opening a file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa

from understudy.parameters.read_options import ReadOptions
from understudy.progress import Progress, no_progress

MEBIBYTE = 1024**2
GIBIBYTE = 1024**3

_REJECTS: dict[str, pa.DataType] = {"line": pa.int64(), "column": pa.int32(), "reason": pa.string()}
REJECTS_SCHEMA = pa.schema(_REJECTS)
"""Schema of the skipped rows: line, field (counted from 1; null for the whole row) and reason."""


@dataclass(frozen=True)
class ReadLimits:
    """Limits on the size of a file.

    Parameters
    ----------
    rows_max, columns_max : int
        Maximum number of rows and columns.
    cell_bytes_max : int
        Maximum size of a text in a cell and of a line in a CSV file, in bytes.
    decoded_bytes_max : int
        Maximum size of the whole decoded table in bytes. Without this limit, a small file could expand to
        terabytes.
    decompressed_bytes_max, decompressed_ratio_max : int
        Maximum size of a decompressed file, in bytes and as a multiple of the compressed size.
    """

    rows_max: int = 50_000_000
    columns_max: int = 2_000
    cell_bytes_max: int = 2 * MEBIBYTE
    decoded_bytes_max: int = 64 * GIBIBYTE
    decompressed_bytes_max: int = 64 * GIBIBYTE
    decompressed_ratio_max: int = 100


@dataclass(frozen=True)
class Reading:
    """The arguments of a scan other than the file.

    Parameters
    ----------
    scratch : Path
        Empty folder for temporary files, which is removed afterward.
    """

    scratch: Path
    limits: ReadLimits = ReadLimits()
    options: ReadOptions = field(default_factory=ReadOptions)
    progress: Progress = no_progress


@dataclass(frozen=True)
class Scan:
    """An opened file.

    Parameters
    ----------
    schema : pyarrow.Schema
        Schema of the batches, with types that `parse_arrow_type` supports.
    n_rows : int
        Number of rows, which is either declared in the file or counted. Reading fails if the number is wrong.
    batches : iterator of pyarrow.RecordBatch
        Rows in the order of the file. The iterator can be used only once.
    notes : mapping of column name to str
        Reasons for the types of columns. The reasons contain no values.
    warnings : list of str
        Messages to the user about how the file was read. They contain no values.
    rejects : pyarrow.Table, optional
        Rows that could not be read and were skipped, with the schema `REJECTS_SCHEMA`.
    """

    schema: pa.Schema
    n_rows: int
    batches: Iterator[pa.RecordBatch]
    notes: Mapping[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    rejects: pa.Table | None = None
