"""The delimiter and the header of a CSV file, from its beginning."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from understudy.errors import InvalidInput
from understudy.tables.formats.canonical import check_columns
from understudy.tables.formats.scan import ReadLimits
from understudy.tables.inference import check_names

_DELIMITERS = (",", "\t", ";", "|")
_SAMPLE_ROWS = 100


@dataclass(frozen=True)
class Dialect:
    """How the fields of the file are parted, and the names in its first line."""

    delimiter: str
    names: tuple[str, ...]
    has_rows: bool


def read_dialect(path: Path, limits: ReadLimits) -> Dialect:
    """Return the dialect in which the first rows agree best.

    Raises
    ------
    InvalidInput
        invalid_header, unclosed_quote, no_columns, too_many_columns, unreadable_file (endless first line).
    """
    text, is_whole = _beginning(path, limits.cell_bytes_max)
    samples = {delimiter: _rows(text, delimiter, is_whole=is_whole) for delimiter in _DELIMITERS}
    if not any(samples.values()):
        raise _without_header(text, limits, is_whole=is_whole)
    delimiter = max(_DELIMITERS, key=lambda candidate: _agreement(samples[candidate]))
    header, *rows = samples[delimiter]
    check_columns(len(header), limits)
    check_names(header)
    return Dialect(delimiter, tuple(header), has_rows=bool(rows) or not is_whole)


def _beginning(path: Path, size: int) -> tuple[str, bool]:
    with path.open("rb") as file:
        data = file.read(size + 1)
    # Valid as a whole (text.py), so only the cut at the end can be in the middle of a character.
    text = data[:size].decode("utf-8-sig", errors="ignore")
    return text, len(data) <= size


def _rows(text: str, delimiter: str, *, is_whole: bool) -> list[list[str]]:
    """Return the first rows, without blank lines and without a row that the sample may have cut."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = list(islice(_until_fault(reader), _SAMPLE_ROWS + 1))
    if not is_whole and len(rows) <= _SAMPLE_ROWS:
        rows = rows[:-1]
    return rows[:_SAMPLE_ROWS]


def _until_fault(reader: Iterator[list[str]]) -> Iterator[list[str]]:
    """Yield rows up to one that is malformed: the reader of the whole file will say what is wrong."""
    try:
        yield from (row for row in reader if row)
    except csv.Error:
        return


def _agreement(rows: list[list[str]]) -> tuple[bool, float, int]:
    """Rank a delimiter: it parts the header, then the rows have as many fields, then it parts more."""
    if not rows:
        return (False, 0.0, 0)
    width = len(rows[0])
    same = sum(len(row) == width for row in rows) / len(rows)
    return (width > 1, same, width)


def _without_header(text: str, limits: ReadLimits, *, is_whole: bool) -> InvalidInput:
    if not text.strip():
        return InvalidInput("The file holds only blank lines.", code="empty_file")
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
