"""Detect the style of a CSV file, so that samples can be written in the same style."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from understudy.tables.formats.csv.decoding import Text
from understudy.tables.formats.csv.dialect import Dialect
from understudy.tables.formats.csv.sampling import split_lines
from understudy.tables.text_style import TAB_SUFFIXES, TextStyle

# Number of bytes at the start of a file that are examined to detect the style.
_START_BYTES = 64 * 1024
# Text that is longer than this is not examined for quotation marks, because the examination is slow.
_N_FIELDS_MAX = 5_000
# Minimum share of quoted fields for all fields to count as quoted. Empty fields often have no quotation
# marks.
_ALL_MIN = 0.98


def style_of(path: Path, original: Text, dialect: Dialect) -> TextStyle:
    """Return the style of a file.

    Parameters
    ----------
    path : Path
        Path of the upload. Its suffix can determine the delimiter.
    original : Text
        Text of the upload, before lines were removed or delimiters were replaced.
    """
    with original.path.open("rb") as file:
        start = file.read(_START_BYTES).decode("utf-8", errors="ignore").removeprefix("\ufeff")
    is_plain_tab = path.suffix.lower() in TAB_SUFFIXES and dialect.delimiter == "\t"
    is_writable = dialect.delimiter not in ("\r", "\n", "\x00", "'", '"')
    return TextStyle(
        delimiter=None if is_plain_tab or not is_writable else dialect.delimiter,
        quoting=_quoting(start, dialect),
        quote="'" if dialect.quote == "'" else '"',
        line_ending=_line_ending(start),
        encoding=original.encoding,
        has_mark=original.has_mark,
    )


def _line_ending(start: str) -> str:
    first_feed, first_return = start.find("\n"), start.find("\r")
    if first_return < 0 or 0 <= first_feed < first_return:
        return "\n"
    return "\r\n" if first_feed == first_return + 1 else "\r"


def _quoting(start: str, dialect: Dialect) -> str:
    """Return which values are quoted, based on quotation marks that the values do not require."""
    if not dialect.quote or dialect.quote not in start:
        return "minimal"
    n_quoted = n_needless = n_bare = 0
    special = {dialect.delimiter, dialect.quote, "\n", "\r"}
    for field in _fields(start, dialect):
        if not field.startswith(dialect.quote):
            n_bare += bool(field)
            continue
        n_quoted += 1
        n_needless += bool(field[1:-1]) and not special & set(field[1:-1])
    if n_quoted >= _ALL_MIN * (n_quoted + n_bare):
        return "all"
    return "text" if 2 * n_needless > n_quoted else "minimal"


def _fields(text: str, dialect: Dialect) -> Iterator[str]:
    """Yield the fields of the table's first lines, with their quotation marks."""
    lines = split_lines(text)[dialect.n_lines_before :]
    rest, begin, is_quoted = "".join(lines), 0, False
    n_fields = 0
    for place, character in enumerate(rest):
        if character == dialect.quote:
            is_quoted = not is_quoted
        elif not is_quoted and character in (dialect.delimiter, "\n", "\r"):
            yield rest[begin:place].strip(" ")
            begin = place + 1
            n_fields += 1
            if n_fields == _N_FIELDS_MAX:
                return
