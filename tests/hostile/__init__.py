"""Generated broken and hostile files, with the expected error code of each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from tests.hostile import arrow_files, csv_files, jsonl_files, parquet_files, xlsx_files


@dataclass(frozen=True)
class BrokenFile:
    """A file that does not contain a readable table, with its expected error code."""

    name: str
    format_name: str
    code: str
    make: Callable[[], bytes]


BROKEN_FILES: tuple[BrokenFile, ...] = tuple(
    BrokenFile(name, format_name, code, make)
    for format_name, files in (
        ("csv", csv_files.FILES),
        ("parquet", parquet_files.FILES),
        ("xlsx", xlsx_files.FILES),
        ("jsonl", jsonl_files.FILES),
        ("arrow", arrow_files.FILES),
    )
    for name, (code, make) in files.items()
)
