"""Copy a CSV file without the lines that do not belong to the table. Line numbers do not change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from understudy.tables.formats.csv.decoding import Text
from understudy.tables.formats.csv.line_filters import NO_LINES, LineFilter, Lines, make_filters
from understudy.tables.formats.scan import MEBIBYTE, Reading


@dataclass(frozen=True)
class Removal:
    """The lines of a file that are replaced with blank lines.

    Parameters
    ----------
    n_lines_before, blanks_lines_before : int, bool
        Number of lines before the header, and whether to replace them.
    last_line : int
        Number of the line where the header ends.
    lines : Lines
        Lines below the header that are not rows.
    width : int
        Number of columns.
    n_note_bytes : int
        Size of the notes at the end of the file.
    """

    n_lines_before: int = 0
    blanks_lines_before: bool = False
    last_line: int = 0
    lines: Lines = NO_LINES
    width: int = 0
    n_note_bytes: int = 0

    @property
    def is_needed(self) -> bool:
        """Whether the file contains lines to replace."""
        return self.blanks_lines_before or self.lines.exist or self.n_note_bytes > 0


NO_REMOVAL = Removal()


def without_lines(text: Text, ranges: Sequence[tuple[int, int | None]], reading: Reading) -> Text:
    """Return a copy of a file with the given line ranges blanked out."""
    if not ranges:
        return text
    target = reading.scratch / "without_lines.csv"
    with text.path.open("rb") as file, target.open("wb") as copy:
        for number, line in enumerate(file, start=1):
            is_removed = any(first <= number and (last is None or number <= last) for first, last in ranges)
            copy.write(_line_end(line) if is_removed else line)
    return replace(text, path=target)


def without_removed(
    text: Text, removal: Removal, delimiter: str, quote: str, reading: Reading
) -> tuple[Text, list[str]]:
    """Return a copy of a file without the removed lines, and the messages about them."""
    if not removal.is_needed:
        return text, []
    target = reading.scratch / "table.csv"
    end = text.path.stat().st_size - removal.n_note_bytes
    n_above = max(removal.n_lines_before, removal.last_line)
    filters = make_filters(removal.lines, removal.width, delimiter, quote, first_line=n_above + 1)
    with text.path.open("rb") as file, target.open("wb") as copy:
        for number in range(n_above):
            line = file.readline()
            is_above = number < removal.n_lines_before
            copy.write(_line_end(line) if is_above and removal.blanks_lines_before else line)
        for block in _blocks(file, end):
            copy.write(_filtered(block, filters))
    warnings = [warning for each in filters for warning in each.warnings()]
    return replace(text, path=target), [*warnings, *_note_warnings(text.path, end)]


def _filtered(block: bytes, filters: Sequence[LineFilter]) -> bytes:
    for each in filters:
        block = each.without(block)
    return block


def _line_end(line: bytes) -> bytes:
    return line[len(line.rstrip(b"\r\n")) :]


def _blocks(file: BinaryIO, end: int) -> Iterator[bytes]:
    """Yield blocks of whole lines up to a position."""
    held = b""
    while data := file.read(min(MEBIBYTE, end - file.tell())):
        held += data
        cut = held.rfind(b"\n") + 1
        yield held[:cut]
        held = held[cut:]
    yield held


def _note_warnings(path: Path, end: int) -> list[str]:
    if end == path.stat().st_size:
        return []
    n_before = n_after = position = 0
    with path.open("rb") as file:
        while data := file.read(min(MEBIBYTE, end - position)):
            position += len(data)
            n_before += data.count(b"\n")
        n_after = len(file.read().splitlines())
    place = f"Line {n_before + 1:,}" if n_after == 1 else f"Lines {n_before + 1:,} to {n_before + n_after:,}"
    were = "was" if n_after == 1 else "were"
    return [
        f"{place} below the table {were} skipped, because the text is not a row of the table. Remove "
        "these lines, or list them in the option `skip_rows`, to avoid this message."
    ]
