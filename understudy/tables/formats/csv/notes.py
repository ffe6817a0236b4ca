"""Find the notes below a table from the last lines of the file."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import accumulate, islice
from pathlib import Path
from typing import Any

import pyarrow as pa

from understudy.tables.formats.csv.header import Beginning, Header
from understudy.tables.formats.csv.line_filters import Lines, repeats_lines
from understudy.tables.formats.csv.removal import Removal
from understudy.tables.formats.csv.sampling import python_dialect, split_lines
from understudy.tables.formats.layout.cells import is_note, is_total, is_value, n_filled
from understudy.tables.formats.layout.headers import is_year
from understudy.tables.formats.layout.sums import find_sum_row
from understudy.tables.formats.layout.totals import may_be_row
from understudy.tables.formats.scan import MEBIBYTE

_TAIL_BYTES = 64 * 1024
_NOTES_MAX = 100
# Maximum number of lines below a blank line that are skipped because they have fewer values than a row.
_SEPARATE_MAX = 20
# Minimum number of other rows above a row of totals that has a value in every column.
_OTHERS_MIN = 5
_BATCH_ROWS = 10_000
# Maximum size of a file whose rows are added up, because this takes about half a second per mebibyte.
_SUMMED_BYTES_MAX = 64 * MEBIBYTE


@dataclass(frozen=True)
class _Line:
    """A line at the end of the file, with its size in bytes."""

    size: int
    cells: list[str]


def find_removal(path: Path, beginning: Beginning, header: Header, quote: str) -> Removal:
    """Return the lines that have to be removed before the file is parsed."""
    lines = split_lines(beginning.text)[: header.n_lines_before - beginning.n_lines_before]
    has_quote = bool(quote) and any(quote in line for line in lines)
    return Removal(
        n_lines_before=header.n_lines_before,
        blanks_lines_before=has_quote,
        last_line=header.last_line,
        lines=_lines_to_remove(path, beginning, header, quote),
        width=len(header.names),
        n_note_bytes=_note_bytes(path, beginning, header, quote),
    )


def _lines_to_remove(path: Path, beginning: Beginning, header: Header, quote: str) -> Lines:
    start = header.first_line - 1 - beginning.n_lines_before
    end = header.last_line - beginning.n_lines_before
    texts = [line.rstrip("\r\n") for line in split_lines(beginning.text)[start:end] if line.strip()]
    is_split = bool(quote) and any(line.count(quote) % 2 for line in texts)
    has_values = any(is_value(name) and not is_year(name) for name in header.names)
    is_clear = not is_split and not has_values and len(header.names) > 1
    headers = tuple(line.encode() for line in texts) if is_clear else ()
    return Lines(
        header.comment,
        headers if repeats_lines(path, headers) else (),
        header.totals,
        header.has_blanks or _ends_with_blanks(path),
    )


def _ends_with_blanks(path: Path) -> bool:
    """Return whether the last line contains only spaces or Ctrl-Z, the end mark of some older programs."""
    with path.open("rb") as file:
        file.seek(max(0, path.stat().st_size - 100))
        last = file.read().rstrip(b"\r\n").splitlines()[-1:]
    return bool(last) and last[0] != b"" and not last[0].strip(b" \t\x1a")


def _note_bytes(path: Path, beginning: Beginning, header: Header, quote: str) -> int:
    """Return the size of the notes at the end of the file, or 0 if no line is clearly a note."""
    width = len(header.names)
    if width < 2:
        return 0
    lines = _last_lines(_tail(path, header, is_whole=beginning.is_whole), header.delimiter, quote)
    n_bytes = _clear_note_bytes(lines, width)
    return n_bytes + _sum_row_bytes(path, lines, n_bytes, header, quote)


def _clear_note_bytes(lines: list[_Line], width: int) -> int:
    start = len(lines)
    while start > 0 and (_is_blank(lines[start - 1]) or _may_be_note(lines[start - 1].cells, width)):
        start -= 1
    above = [line.cells for line in lines[:start]]
    while start < len(lines) and may_be_row(lines[start].cells, above):
        start += 1
    notes = lines[start:]
    filled = [line for line in notes if not _is_blank(line)]
    is_clear = (notes and _is_blank(notes[0])) or all(is_note(line.cells) for line in filled)
    if filled and is_clear and not _has_repeated_total(filled, lines[:start], width):
        return sum(line.size for line in notes)
    return sum(line.size for line in _separate_lines(lines, width))


def _sum_row_bytes(path: Path, lines: list[_Line], n_note_bytes: int, header: Header, quote: str) -> int:
    """Return the size of a row of sums above the notes, including blank lines below the row, or 0."""
    n_file_bytes = path.stat().st_size
    if n_file_bytes > _SUMMED_BYTES_MAX:
        return 0
    sizes = [0, *accumulate(line.size for line in reversed(lines))]
    lines = lines[: len(lines) - sizes.index(n_note_bytes)]
    rows = [line.cells for line in lines if len(line.cells) == len(header.names) and not _is_blank(line)]
    sum_row = find_sum_row(rows)
    if sum_row is None:
        return 0
    start = next(n for n in reversed(range(len(lines))) if lines[n].cells is rows[-1])
    n_bytes = sum(line.size for line in lines[start:])
    cells = _columns_of(path, n_file_bytes - n_note_bytes - n_bytes, sum_row.columns, header, quote)
    with suppress(csv.Error):
        return n_bytes if sum_row.is_confirmed(cells) else 0
    return 0


def _columns_of(
    path: Path, end: int, columns: Sequence[int], header: Header, quote: str
) -> Iterator[list[pa.Array[Any]]]:
    """Yield batches of the texts in the columns, down to a position in the file."""
    reader = csv.reader(_texts(path, header.last_line, end), **python_dialect(header.delimiter, quote))
    rows = (cells for cells in reader if len(cells) == len(header.names) and any(map(str.strip, cells)))
    while batch := list(islice(rows, _BATCH_ROWS)):
        yield [
            pa.array([cells[column].strip() or None for cells in batch], pa.string()) for column in columns
        ]


def _texts(path: Path, n_skipped: int, end: int) -> Iterator[str]:
    """Yield the lines of a file after the first ones, down to a position."""
    with path.open("rb") as file:
        position = 0
        for number, line in enumerate(file):
            position += len(line)
            if position > end:
                return
            if number >= n_skipped:
                yield line.decode("utf-8", errors="replace")


def _last_lines(tail: list[bytes], delimiter: str, quote: str) -> list[_Line]:
    """Return the last lines of the file, but only those after the last field that spans several lines."""
    lines: list[_Line] = []
    for data in reversed(tail[-_NOTES_MAX:]):
        text = data.decode("utf-8", errors="replace").strip("\r\n")
        if quote and text.count(quote) % 2:
            break
        cells = next(csv.reader([text], **python_dialect(delimiter, quote)), [])
        lines.insert(0, _Line(len(data), cells))
    return lines


def _is_blank(line: _Line) -> bool:
    return n_filled(line.cells) == 0


def _has_repeated_total(notes: list[_Line], rows: list[_Line], width: int) -> bool:
    """Return whether a totals row may be a data row.

    This is possible if the row has a value in every column, and if its label occurs in other rows or the
    table has few rows.
    """
    labels = {line.cells[0] for line in rows if line.cells}
    is_small = len(rows) < _OTHERS_MIN
    return any(n_filled(line.cells) == width and (is_small or line.cells[0] in labels) for line in notes)


def _separate_lines(lines: list[_Line], width: int) -> list[_Line]:
    """Return the lines below the last blank line if all of them have too few values for a row."""
    start = next((n for n in range(len(lines) - 1, -1, -1) if _is_blank(lines[n]) and n + 1 < len(lines)), -1)
    below = [line for line in lines[start + 1 :] if not _is_blank(line)]
    if start < 0 or not 0 < len(below) <= _SEPARATE_MAX or len(below[0].cells) == width:
        return []
    is_short = all(n_filled(line.cells) < width and not is_value(line.cells[0]) for line in below)
    return lines[start:] if is_short else []


def _tail(path: Path, header: Header, *, is_whole: bool) -> list[bytes]:
    size = path.stat().st_size
    with path.open("rb") as file:
        file.seek(max(0, size - _TAIL_BYTES))
        lines = file.read().splitlines(keepends=True)
    if size <= _TAIL_BYTES:
        # At least one row of data must remain.
        return lines[header.last_line + 1 :] if is_whole else lines[1:]
    return lines[1:]


def _may_be_note(cells: list[str], width: int) -> bool:
    n = n_filled(cells)
    if is_note(cells):
        return len(cells) != width or n == 1 or is_total(cells)
    return (len(cells) < width and n < width and len(cells) == n == 1) or (len(cells) == width > 2 and n == 1)
