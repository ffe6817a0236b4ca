"""Copy a CSV file without the lines that do not belong to the table. Line numbers do not change."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import BinaryIO

from understudy.tables.formats.csv.decoding import Text
from understudy.tables.formats.scan import MEBIBYTE, Reading

_COMMENT = re.compile(rb"^#[^\r\n]*", re.MULTILINE)


@dataclass(frozen=True)
class Removal:
    """The lines of a file that are replaced with blank lines.

    Parameters
    ----------
    n_lines_before, blanks_lines_before : int, bool
        Number of lines before the header, and whether to replace them.
    has_comments : bool
        Whether to remove lines that start with # and do not have `width` fields.
    n_note_bytes : int
        Size of the notes at the end of the file.
    """

    n_lines_before: int = 0
    blanks_lines_before: bool = False
    has_comments: bool = False
    width: int = 0
    n_note_bytes: int = 0

    @property
    def is_needed(self) -> bool:
        """Whether the file contains lines to replace."""
        return self.blanks_lines_before or self.has_comments or self.n_note_bytes > 0


NO_REMOVAL = Removal()


def without_lines(text: Text, ranges: Sequence[tuple[int, int | None]], reading: Reading) -> Text:
    """Return a copy of a file in which the given ranges of lines are blank."""
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
    comments = _Comments(removal.width, delimiter.encode(), quote.encode())
    with text.path.open("rb") as file, target.open("wb") as copy:
        for _ in range(removal.n_lines_before):
            line = file.readline()
            copy.write(_line_end(line) if removal.blanks_lines_before else line)
        for block in _blocks(file, end):
            copy.write(comments.without(block) if removal.has_comments else block)
    return replace(text, path=target), [*comments.warnings(), *_note_warnings(text.path, end)]


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


class _Comments:
    """A filter that removes comments from the blocks of a file. Lines within quotation marks remain."""

    def __init__(self, width: int, delimiter: bytes, quote: bytes) -> None:
        self._n_delimiters = width - 1
        self._delimiter = delimiter
        self._quote = quote
        self._n_removed = 0
        self._n_quotes = 0

    def without(self, block: bytes) -> bytes:
        """Return a block without comments."""
        parts = []
        start = 0
        for match in _COMMENT.finditer(block):
            self._count_quotes(block, start, match.start())
            parts.append(block[start : match.start()])
            start = match.start()
            if self._n_quotes % 2 == 0 and match[0].count(self._delimiter) != self._n_delimiters:
                start = match.end()
                self._n_removed += 1
        self._count_quotes(block, start, len(block))
        return b"".join([*parts, block[start:]])

    def _count_quotes(self, block: bytes, start: int, end: int) -> None:
        if self._quote:
            self._n_quotes += block.count(self._quote, start, end)

    def warnings(self) -> list[str]:
        """Return a message with the number of removed lines."""
        n = self._n_removed
        if n == 0:
            return []
        lines = "1 line that starts with # was" if n == 1 else f"{n:,} lines that start with # were"
        return [f"{lines} skipped as comments."]


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
