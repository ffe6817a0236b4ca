"""The delimiter and the header of a CSV file, from its beginning."""

from __future__ import annotations

import csv
import io
from dataclasses import dataclass
from pathlib import Path

from understudy.errors import InvalidInput
from understudy.tables.formats.canonical import check_columns
from understudy.tables.formats.scan import ReadLimits
from understudy.tables.inference import check_names

_DELIMITERS = (",", "\t", ";", "|")
_SAMPLE_ROWS = 100


@dataclass(frozen=True)
class Dialect:
    """How the fields of the file are parted, the names in its header, and the blank lines before it."""

    delimiter: str
    names: tuple[str, ...]
    n_blank_lines: int


def read_dialect(path: Path, limits: ReadLimits) -> Dialect:
    """Return the dialect in which the first rows agree best.

    Raises
    ------
    InvalidInput
        empty_file, invalid_header, unclosed_quote, too_many_columns, unreadable_file (endless first line).
    """
    text, is_whole = _beginning(path, limits.cell_bytes_max)
    if not text.strip():
        raise InvalidInput("The file begins with nothing but blanks: it holds no table.", code="empty_file")
    samples = {delimiter: _rows(text, delimiter, is_whole=is_whole) for delimiter in _DELIMITERS}
    if not any(samples.values()):
        raise _without_header(text, limits, is_whole=is_whole)
    delimiter = max(_DELIMITERS, key=lambda candidate: _agreement(samples[candidate]))
    header = samples[delimiter][0]
    check_columns(len(header), limits)
    check_names(header)
    n_blank_lines = len(text[: len(text) - len(text.lstrip("\r\n"))].splitlines())
    return Dialect(delimiter, tuple(header), n_blank_lines)


def _beginning(path: Path, size: int) -> tuple[str, bool]:
    with path.open("rb") as file:
        data = file.read(size + 1)
    # Valid as a whole (text.py), so only the cut at the end can be in the middle of a character.
    text = data[:size].decode("utf-8-sig", errors="ignore")
    return text, len(data) <= size


def _rows(text: str, delimiter: str, *, is_whole: bool) -> list[list[str]]:
    """Return the first rows, without blank lines and without a row that the sample may have cut.

    They end before a row that is malformed: the reader of the whole file will say what is wrong with it.
    """
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if len(rows) == _SAMPLE_ROWS:
                return rows
            if row:
                rows.append(row)
    except csv.Error:
        return rows
    return rows if is_whole else rows[:-1]


def _agreement(rows: list[list[str]]) -> tuple[bool, float, int]:
    """Rank a delimiter: it parts the header, then the rows have as many fields, then it parts more."""
    if not rows:
        return (False, 0.0, 0)
    width = len(rows[0])
    same = sum(len(row) == width for row in rows) / len(rows)
    return (width > 1, same, width)


def _without_header(text: str, limits: ReadLimits, *, is_whole: bool) -> InvalidInput:
    check_columns(max(text.count(delimiter) for delimiter in _DELIMITERS) + 1, limits)
    if is_whole or '"' in text:
        return InvalidInput(
            "A quoted name in the first line is not closed. Close it with a quotation mark.",
            code="unclosed_quote",
        )
    return InvalidInput(
        f"The first line is longer than {limits.cell_bytes_max:,} bytes: the file is no table. "
        "Send a CSV file with a header line.",
        code="unreadable_file",
    )
