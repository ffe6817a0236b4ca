"""The lines of a JSON lines file, some at a time; whether it is text at all, and UTF-8."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from understudy.errors import InvalidInput, TooLarge
from understudy.tables.formats.scan import MEBIBYTE, Reading

# The first lines are read with more care than the others (blocks.py), so there are few of them.
_FIRST_BYTES = 64 * 1024
_BLANKS = b" \t\r\n"
_REMEDY = "Send JSON lines: one object in each line."
_OTHER_FILES: tuple[tuple[bytes, str], ...] = (
    (b"PAR1", "a Parquet file; send it with format parquet"),
    (b"ARROW1", "an Arrow file; send it with format arrow"),
    (b"PK\x03\x04", "a zip archive or a spreadsheet"),
)


@dataclass(frozen=True)
class Block:
    """Whole lines of valid UTF-8.

    Parameters
    ----------
    first_line : int
        The number of its first line; the first of the file is 1.
    has_long_line : bool
        Whether a text in it may be longer than a cell may be.
    """

    data: bytes
    first_line: int
    has_long_line: bool


def read_blocks(path: Path, reading: Reading) -> Iterator[Block]:
    """Yield the lines of a file, about a mebibyte at a time.

    Raises
    ------
    InvalidInput
        empty_file, unreadable_file (not JSON lines), wrong_encoding; with the line.
    TooLarge
        too_large (a line).
    """
    reading.progress("checking", 0.0)
    cell_bytes_max = reading.limits.cell_bytes_max
    size = path.stat().st_size
    n_lines = n_bytes = 0
    with path.open("rb") as file:
        _check_start(file)
        for data, n_long in _whole_lines(file, 4 * cell_bytes_max):
            _check_text(data, n_lines)
            yield Block(data, n_lines + 1, n_long > cell_bytes_max)
            n_lines += data.count(b"\n")
            n_bytes += len(data)
            reading.progress("parsing", min(1.0, n_bytes / size))


def _check_start(file: BinaryIO) -> None:
    """Refuse what is plainly something else, and pass over a byte order mark."""
    start = file.read(4096)
    if not start:
        raise InvalidInput("The file is empty.", code="empty_file")
    if start[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        raise InvalidInput("The file is UTF-16 or UTF-32. Save it as UTF-8.", code="wrong_encoding")
    text = start.removeprefix(codecs.BOM_UTF8)
    _check_kind(text)
    file.seek(len(start) - len(text))


def _whole_lines(file: BinaryIO, line_bytes_max: int) -> Iterator[tuple[bytes, int]]:
    """Yield lines that belong together, and a bound of how long the longest is."""
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
                f"Line {n_lines + 1:,} is longer than {line_bytes_max:,} bytes. Shorten its texts, or leave "
                "fields out; if the file is one JSON document, send JSON lines: one object in each line."
            )
    if rest:
        yield rest, len(rest)


def _check_kind(data: bytes) -> None:
    for mark, kind in _OTHER_FILES:
        if data.startswith(mark):
            raise _unreadable(f"The file is not JSON lines but {kind}.")
    start = data.lstrip(_BLANKS)
    if start.startswith(b"["):
        raise _unreadable(
            "The file is a JSON array. Send JSON lines: each object in a line of its own, without brackets "
            "around and commas between them (such as `jq -c '.[]'` writes)."
        )
    if start and not start.startswith(b"{") and not _is_garbage(data):
        raise _unreadable(f"The file does not begin with a JSON object. {_REMEDY}")


def _check_text(data: bytes, n_lines: int) -> None:
    zero = data.find(b"\0")
    if zero >= 0:
        line = n_lines + 1 + data.count(b"\n", 0, zero)
        raise _unreadable(f"Line {line:,} holds a zero byte: the file is not UTF-8 text. {_REMEDY}")
    try:
        data.decode()
    except UnicodeDecodeError as error:
        if n_lines == 0 and _is_garbage(data):
            raise _unreadable(f"The file is not text. {_REMEDY}") from None
        line = n_lines + 1 + data.count(b"\n", 0, error.start)
        # Without its cause: the decoder's error carries the bytes.
        raise InvalidInput(
            f"Line {line:,} is not valid UTF-8. Save the file as UTF-8 and send it again.",
            code="wrong_encoding",
        ) from None


def _is_garbage(data: bytes) -> bool:
    """Say whether one byte in fifty is a control character, which text has no use for."""
    return len(re.findall(rb"[\x00-\x08\x0e-\x1f]", data)) > len(data) / 50


def _unreadable(detail: str) -> InvalidInput:
    return InvalidInput(detail, code="unreadable_file")
