"""Blank out lines within a table that are not rows: comments, repeated headers, totals and page breaks."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from understudy.tables.formats.csv.sampling import python_dialect
from understudy.tables.formats.layout.totals import is_total_row
from understudy.tables.formats.scan import MEBIBYTE

# Maximum number of lines without a delimiter above a repeated header, such as a page number and blank lines.
_PAGE_LINES_MAX = 6
# Maximum number of line numbers in a warning.
_LINES_NAMED_MAX = 3
_TEXT = re.compile(rb"[^\r\n]+")


@dataclass(frozen=True)
class Lines:
    """The lines below a header that are not rows.

    Parameters
    ----------
    comment : str
        Text that starts a comment, or an empty string.
    headers : tuple of bytes
        Lines of the header that the file repeats.
    totals : frozenset of int, optional
        Indices of the columns that have a value in every row. A totals row lacks a value in at least one of
        these columns.
    has_blanks : bool
        Whether some lines consist of spaces.
    """

    comment: str = ""
    headers: tuple[bytes, ...] = ()
    totals: frozenset[int] | None = None
    has_blanks: bool = False

    @property
    def exist(self) -> bool:
        """Whether the file may contain such lines."""
        return bool(self.comment or self.headers or self.totals is not None or self.has_blanks)


NO_LINES = Lines()


class LineFilter:
    """A filter that blanks out certain lines in the blocks of a file, except within quotation marks.

    Parameters
    ----------
    pattern : pattern of bytes
        Pattern of the lines that may be blanked out.
    is_removed : callable (bytes) -> bool
        Function that returns whether a matching line is blanked out.
    words : tuple of str
        Text of the warning after the number of lines, in the singular and in the plural. If the texts are
        empty, there is no warning.
    first_line : int
        Number of the first line of the first block if the warning contains line numbers, and otherwise 0.
    """

    def __init__(
        self,
        pattern: re.Pattern[bytes],
        is_removed: Callable[[bytes], bool],
        quote: str,
        words: tuple[str, str] = ("", ""),
        first_line: int = 0,
    ) -> None:
        self._pattern = pattern
        self._is_removed = is_removed
        self._quote = quote.encode()
        self._words = words
        self._n_removed = 0
        self._n_quotes = 0
        self._line = first_line
        self._lines: list[int] = []

    def without(self, block: bytes) -> bytes:
        """Return a copy of a block with these lines blanked out."""
        parts = []
        start = 0
        for match in self._pattern.finditer(block):
            self._count_quotes(block, start, match.start())
            parts.append(block[start : match.start()])
            start = match.start()
            if self._n_quotes % 2 == 0 and self._is_removed(match[0]):
                parts.append(_TEXT.sub(b"", match[0]))
                start = match.end()
                self._n_removed += 1
                if self._line and len(self._lines) < _LINES_NAMED_MAX:
                    self._lines.append(self._line + block.count(b"\n", 0, match.start()))
        self._line += block.count(b"\n") if self._line else 0
        self._count_quotes(block, start, len(block))
        return b"".join([*parts, block[start:]])

    def _count_quotes(self, block: bytes, start: int, end: int) -> None:
        if self._quote:
            self._n_quotes += block.count(self._quote, start, end)

    def warnings(self) -> Iterator[str]:
        """Yield a message with the number of blanked lines."""
        if self._n_removed and self._words[0]:
            n = self._n_removed
            place = self._place()
            yield f"1 {self._words[0]}{place}." if n == 1 else f"{n:,} {self._words[1]}{place}."

    def _place(self) -> str:
        """Return a phrase in parentheses with the numbers of the first blanked lines."""
        if not self._lines:
            return ""
        numbers = ", ".join(f"{line:,}" for line in self._lines)
        others = " and others" if self._n_removed > len(self._lines) else ""
        return f" ({'line' if self._n_removed == 1 else 'lines'} {numbers}{others})"


def make_filters(
    lines: Lines, width: int, delimiter: str, quote: str, *, first_line: int
) -> list[LineFilter]:
    """Return the filters for the lines of a file, given the number of the first line below the header."""
    filters = []
    if lines.comment:
        mark = lines.comment
        words = (
            f"line that starts with {mark} was skipped as a comment",
            f"lines that start with {mark} were skipped as comments",
        )
        n = width - 1
        pattern = re.compile(rb"^" + re.escape(mark.encode()) + rb"[^\r\n]*", re.MULTILINE)
        filters.append(LineFilter(pattern, lambda line: line.count(delimiter.encode()) != n, quote, words))
    if lines.headers:
        words = ("repetition of the header was skipped", "repetitions of the header were skipped")
        filters.append(LineFilter(_header_pattern(lines.headers, delimiter), lambda _: True, quote, words))
    if lines.totals is not None:
        words = (
            "row of totals within the table was skipped, because it has no value in columns that all other "
            "rows fill",
            "rows of totals within the table were skipped, because they have no value in columns that all "
            "other rows fill",
        )
        check = _TotalCheck(lines.totals, width, python_dialect(delimiter, quote))
        filters.append(LineFilter(_ANY_LINE, check, quote, words, first_line))
    if lines.has_blanks:
        mark = re.escape(delimiter)
        space = r" \x1a" if delimiter == "\t" else r" \t\x1a"
        blanks = rf"^{mark}*[{space}][{space}{mark}]*(?=\r?$)".encode()
        filters.append(LineFilter(re.compile(blanks, re.MULTILINE), lambda _: True, quote))
    return filters


_ANY_LINE = re.compile(rb"^[^\r\n]+", re.MULTILINE)


@dataclass(frozen=True)
class _TotalCheck:
    """A function that returns whether a line is a row of totals."""

    required: Collection[int]
    width: int
    dialect: dict[str, Any]  # Arguments of `csv.reader`.

    def __call__(self, line: bytes) -> bool:
        cells = next(csv.reader([line.decode("utf-8", errors="replace")], **self.dialect), [])
        return len(cells) == self.width and is_total_row(cells, self.required)


def _header_pattern(headers: Sequence[bytes], delimiter: str) -> re.Pattern[bytes]:
    """Return the pattern of repeated headers, together with the lines of a page break above them."""
    lines = rb"\r?\n".join(map(re.escape, headers))
    mark = re.escape(delimiter.encode())
    above = rb"(?:^[^" + mark + rb"\r\n]*\r?\n){0,%d}" % _PAGE_LINES_MAX
    return re.compile(above + rb"^" + lines + rb"(?=\r?$)", re.MULTILINE)


def repeats_lines(path: Path, lines: Sequence[bytes]) -> bool:
    """Return whether a file contains these consecutive lines more than once."""
    if not lines:
        return False
    needles = [end.join(lines) + end for end in (b"\n", b"\r\n")]
    n_kept = max(map(len, needles))
    held, n_found = b"", 0
    with path.open("rb") as file:
        while data := file.read(MEBIBYTE):
            block = held + data
            for needle in needles:
                n_found += block.count(needle)
            # Matches within the kept part would be counted again in the next block.
            held = block[-n_kept:]
            n_found -= sum(held.count(needle) for needle in needles)
    return n_found + sum(held.count(needle) for needle in needles) > 1
