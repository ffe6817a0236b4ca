"""Line numbers in text files, counted from 1 as in an editor."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from understudy.tables.formats.csv.dialect import Dialect
from understudy.tables.formats.scan import MEBIBYTE


def count_line_endings(source: Path) -> int:
    """Return the number of line endings in a file, whether LF, CRLF or CR."""
    n_ends = 0
    was_return = False
    with source.open("rb") as file:
        while chunk := file.read(MEBIBYTE):
            n_ends += chunk.count(b"\n") - (was_return and chunk[:1] == b"\n")
            if n_returns := chunk.count(b"\r"):
                n_ends += n_returns - chunk.count(b"\r\n")
            was_return = chunk[-1:] == b"\r"
    return n_ends


def has_lone_returns(source: Path) -> bool:
    """Return whether a line ends in CR alone."""
    was_return = False
    with source.open("rb") as file:
        while chunk := file.read(MEBIBYTE):
            if was_return and chunk[:1] != b"\n":
                return True
            was_return = chunk[-1:] == b"\r"
            if chunk.count(b"\r") - was_return > chunk.count(b"\r\n"):
                return True
    return was_return


def ends_its_last_line(source: Path) -> bool:
    """Return whether the file ends with a line ending."""
    with source.open("rb") as file:
        file.seek(-1, 2)
        return file.read(1) in b"\r\n"


def lines_of_rows(source: Path, dialect: Dialect, rows: Sequence[int], n_rows: int) -> dict[int, int]:
    """Return the first line of each given row, if the line can be determined.

    Parameters
    ----------
    source : Path
        Path of a UTF-8 file that contains only the header and the n_rows rows of the table.
    rows : sequence of int
        Row numbers in the table, counted from 0.
    """
    n_lines = count_line_endings(source) + (not ends_its_last_line(source))
    if n_lines == dialect.header_line + n_rows:
        return {row: dialect.header_line + 1 + row for row in rows}
    wanted, last = set(rows), max(rows)
    lines = {}
    for row, line in enumerate(_line_numbers(source, dialect)):
        if row in wanted:
            lines[row] = line
        if row == last:
            break
    return lines


def _line_numbers(source: Path, dialect: Dialect) -> Iterator[int]:
    with source.open("r", encoding="utf-8-sig", errors="replace", newline="") as file, long_fields():
        for _ in range(dialect.n_lines_before):
            file.readline()
        reader = csv.reader(file, **dialect.for_python())
        is_header = dialect.has_header
        line = 0
        try:
            for row in reader:
                if not is_header and (row or len(dialect.names) == 1):
                    yield dialect.n_lines_before + line + 1
                is_header = is_header and not row
                line = reader.line_num
        except csv.Error:
            return


@contextmanager
def long_fields() -> Iterator[None]:
    """Allow fields of any length in Python's CSV reader, for the whole process."""
    before = csv.field_size_limit(2**31 - 1)
    try:
        yield
    finally:
        csv.field_size_limit(before)
