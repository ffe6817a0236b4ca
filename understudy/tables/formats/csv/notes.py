"""Find the notes below a table from the last lines of the file."""

from __future__ import annotations

import csv
from dataclasses import dataclass
from pathlib import Path

from understudy.tables.formats.csv.header import Beginning, Header
from understudy.tables.formats.csv.removal import Removal
from understudy.tables.formats.csv.sampling import python_dialect
from understudy.tables.formats.layout.cells import is_note, is_total, n_filled

_TAIL_BYTES = 64 * 1024
_NOTES_MAX = 100


@dataclass(frozen=True)
class _Line:
    """A line at the end of the file, with its size in bytes."""

    size: int
    cells: list[str]


def find_removal(path: Path, beginning: Beginning, header: Header, quote: str) -> Removal:
    """Return the lines that have to be removed before the file is parsed."""
    lines = beginning.text.splitlines(keepends=True)[: header.n_lines_before - beginning.n_lines_before]
    has_quote = bool(quote) and any(quote in line for line in lines)
    return Removal(
        n_lines_before=header.n_lines_before,
        blanks_lines_before=has_quote,
        has_comments=header.has_comments,
        width=len(header.names),
        n_note_bytes=_note_bytes(path, beginning, header, quote),
    )


def _note_bytes(path: Path, beginning: Beginning, header: Header, quote: str) -> int:
    """Return the size of the notes at the end of the file, or 0 if no line is clearly a note."""
    width = len(header.names)
    if width < 2:
        return 0
    tail = _tail(path, header, is_whole=beginning.is_whole)
    notes: list[_Line] = []
    for data in reversed(tail[-_NOTES_MAX:]):
        text = data.decode("utf-8", errors="replace").strip("\r\n")
        if quote and text.count(quote) % 2:
            break
        cells = next(csv.reader([text], **python_dialect(header.delimiter, quote)), [])
        if n_filled(cells) and not _may_be_note(cells, width):
            break
        notes.insert(0, _Line(len(data), cells))
    filled = [line for line in notes if n_filled(line.cells)]
    is_clear = (notes and n_filled(notes[0].cells) == 0) or all(is_note(line.cells) for line in filled)
    return sum(line.size for line in notes) if filled and is_clear else 0


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
