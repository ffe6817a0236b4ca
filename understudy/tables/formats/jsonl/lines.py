"""Read a JSON Lines file in blocks of lines, and check that they are UTF-8 text."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from understudy.errors import InvalidInput, TooLarge
from understudy.tables.formats.scan import MEBIBYTE, Reading

# The first block is small because its columns are not yet known, so the slow path has to parse it.
_FIRST_BYTES = 64 * 1024
_BLANKS = b" \t\r\n"
_REMEDY = "Upload JSON Lines: one object per line."
_OTHER_FILES: tuple[tuple[bytes, str], ...] = (
    (b"PAR1", "a Parquet file. Specify the format `parquet`"),
    (b"ARROW1", "an Arrow file. Specify the format `arrow`"),
    (b"PK\x03\x04", "a workbook or another ZIP archive. Specify the format `xlsx`, or extract the table"),
)


@dataclass(frozen=True)
class Block:
    """A block of whole lines in valid UTF-8.

    Parameters
    ----------
    first_line : int
        Number of the first line of the block, counted from 1.
    has_long_line : bool
        Whether a string in the block may exceed the size limit of a cell.
    """

    data: bytes
    first_line: int
    has_long_line: bool


def read_blocks(path: Path, reading: Reading) -> Iterator[Block]:
    """Yield the lines of a file in blocks of about one mebibyte.

    Raises
    ------
    InvalidInput
        If the file is empty (code empty_file), is not JSON Lines (code unreadable_file) or is not UTF-8 (code
        wrong_encoding). The message contains the line.
    TooLarge
        If a line is too long.
    """
    reading.progress("checking", 0.0)
    cell_bytes_max = reading.limits.cell_bytes_max
    size = path.stat().st_size
    n_lines = n_bytes = 0
    with path.open("rb") as file:
        _skip_mark(file)
        for data, n_long in _whole_lines(file, 4 * cell_bytes_max):
            _check_text(data, n_lines)
            yield Block(data, n_lines + 1, n_long > cell_bytes_max)
            n_lines += data.count(b"\n")
            n_bytes += len(data)
            reading.progress("parsing", min(1.0, n_bytes / size))


def check_start(path: Path) -> None:
    """Check that a file is not empty and not in another known format.

    Raises
    ------
    InvalidInput
        If the file is empty (code empty_file), is not JSON (code unreadable_file) or is not UTF-8 (code
        wrong_encoding).
    """
    with path.open("rb") as file:
        start = file.read(4096)
    if not start:
        raise InvalidInput("The file is empty. Upload a file with at least one row.", code="empty_file")
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise InvalidInput("The file is UTF-16 or UTF-32. Save it as UTF-8.", code="wrong_encoding")
    text = start.removeprefix(codecs.BOM_UTF8)
    _check_kind(text)
    if (zero := text.find(b"\0")) >= 0:
        raise _no_text(1 + text.count(b"\n", 0, zero))
    if _is_garbage(text):
        raise _unreadable(f"The file is not text. {_REMEDY}")


def _skip_mark(file: BinaryIO) -> None:
    if file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
        file.seek(0)


def _no_text(line: int) -> InvalidInput:
    return _unreadable(f"The file is not UTF-8 text: line {line:,} contains a NUL byte. {_REMEDY}")


def _whole_lines(file: BinaryIO, line_bytes_max: int) -> Iterator[tuple[bytes, int]]:
    """Yield each block of whole lines, and an upper bound on the length of its longest line."""
    rest = b""
    n_lines = 0
    size = _FIRST_BYTES
    while chunk := file.read(size):
        size = MEBIBYTE
        end = chunk.rfind(b"\n") + 1
        if not end:
            rest += chunk
        else:
            data = rest + chunk[:end]
            yield data, max(len(rest) + chunk.index(b"\n"), len(chunk))
            n_lines += data.count(b"\n")
            rest = chunk[end:]
        if len(rest) > line_bytes_max:
            raise TooLarge(
                f"Line {n_lines + 1:,} is longer than {line_bytes_max:,} bytes. Shorten its strings or "
                "remove keys; if the file is a single JSON document, convert it to JSON Lines (one object "
                "per line)."
            )
    if rest:
        yield rest, len(rest)


def _check_kind(data: bytes) -> None:
    for mark, kind in _OTHER_FILES:
        if data.startswith(mark):
            raise _unreadable(f"The file is not JSON Lines but {kind}.")
    start = data.lstrip(_BLANKS)
    if start and not start.startswith((b"{", b"[")) and not _is_garbage(data):
        raise _unreadable(f"The file does not start with a JSON object. {_REMEDY}")


def _check_text(data: bytes, n_lines: int) -> None:
    zero = data.find(b"\0")
    if zero >= 0:
        line = n_lines + 1 + data.count(b"\n", 0, zero)
        raise _no_text(line)
    try:
        data.decode()
    except UnicodeDecodeError as error:
        if n_lines == 0 and _is_garbage(data):
            raise _unreadable(f"The file is not text. {_REMEDY}") from None
        line = n_lines + 1 + data.count(b"\n", 0, error.start)
        # The cause is suppressed because the decoder's error contains the bytes.
        raise InvalidInput(
            f"Line {line:,} is not valid UTF-8. Save the file as UTF-8 and upload it again.",
            code="wrong_encoding",
        ) from None


def _is_garbage(data: bytes) -> bool:
    """Return whether more than 2% of the bytes are control characters, as in a binary file."""
    return len(re.findall(rb"[\x00-\x08\x0e-\x1f]", data)) > len(data) / 50


def _unreadable(detail: str) -> InvalidInput:
    return InvalidInput(detail, code="unreadable_file")
