"""What reading a file gives, before it is known where the rows go."""

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
"""Rows that were skipped: the line of the file, the field (from 1) if it is one, and a code. No values."""


@dataclass(frozen=True)
class ReadLimits:
    """How much of a file is taken.

    Parameters
    ----------
    rows_max, columns_max : int
        Size of the table.
    cell_bytes_max : int
        Longest text in a cell, and longest line of a CSV file.
    decoded_bytes_max : int
        Size of the table in memory, were it there at once; a small file can hold terabytes.
    decompressed_bytes_max, decompressed_ratio_max : int
        Size of a compressed file when it is not, in bytes, and as a multiple of what it was.
    """

    rows_max: int = 50_000_000
    columns_max: int = 2_000
    cell_bytes_max: int = 2 * MEBIBYTE
    decoded_bytes_max: int = 64 * GIBIBYTE
    decompressed_bytes_max: int = 64 * GIBIBYTE
    decompressed_ratio_max: int = 100


@dataclass(frozen=True)
class Reading:
    """What a scan is given beside the file.

    Parameters
    ----------
    scratch : Path
        An empty folder for what must be written while reading; removed afterwards.
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
        Of the batches; every type is one that `parse_arrow_type` knows.
    n_rows : int
        As the file states or as was counted; reading fails if it turns out to be wrong.
    batches : iterator of pyarrow.RecordBatch
        The rows in the file's order; can be read once.
    notes : mapping of column name to str
        Why a column has its type, in words; no values.
    warnings : list of str
        What the user should know of how the file was taken; no values.
    rejects : pyarrow.Table, optional
        The rows that could not be read and were skipped, under `REJECTS_SCHEMA`.
    """

    schema: pa.Schema
    n_rows: int
    batches: Iterator[pa.RecordBatch]
    notes: Mapping[str, str] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    rejects: pa.Table | None = None
