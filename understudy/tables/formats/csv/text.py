"""The bytes of a CSV file before they are taken apart: whether it is text at all, and UTF-8."""

from __future__ import annotations

import codecs
from pathlib import Path

from understudy.errors import InvalidInput
from understudy.progress import Progress
from understudy.tables.formats.scan import MEBIBYTE

# Beginnings of files that are often sent by mistake, and what to do about each.
_OTHER_FILES: tuple[tuple[bytes, str], ...] = (
    (b"PAR1", "a Parquet file; send it with format parquet"),
    (b"PK\x03\x04", "a zip archive or a spreadsheet; save the sheet as CSV"),
    (b"\x89PNG", "a PNG image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"GIF8", "a GIF image"),
    (b"%PDF", "a PDF document"),
    (b"ARROW1", "an Arrow file; send it with format arrow"),
    (b"FEA1", "a Feather file; write it as Parquet"),
    (b"SQLite format 3\x00", "an SQLite database; export the table as CSV"),
    (b"\x7fELF", "a program"),
    (b"\xd0\xcf\x11\xe0", "an old Office document; save the sheet as CSV"),
    (b"\x89HDF", "an HDF5 file; export the table as CSV or Parquet"),
)
_MARKUP = (b"<!doctype", b"<html", b"<?xml")

_UTF32 = (codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_REMEDY = "Save the file as UTF-8 and send it again."


def utf8_file(source: Path, scratch: Path, progress: Progress) -> Path:
    """Return a file of valid UTF-8 text: the source itself, or its translation from UTF-16.

    Raises
    ------
    InvalidInput
        empty_file, unreadable_file (not text), wrong_encoding (with the line and the byte).
    """
    with source.open("rb") as file:
        start = file.read(4096)
    if not start:
        raise InvalidInput("The file is empty.", code="empty_file")
    if start[:4] in _UTF32:
        raise InvalidInput(f"The file is UTF-32. {_REMEDY}", code="wrong_encoding")
    if start[:2] in _UTF16:
        target = scratch / "utf8.csv"
        _translate_utf16(source, target)
        source = target
    else:
        _check_kind(start)
    _check_utf8(source, progress)
    return source


def unify_line_ends(source: Path, target: Path) -> Path:
    """Copy a file with every line end as a single line feed.

    Only for files that mix them; a line end within quotes is changed as well.
    """
    with (
        source.open("r", encoding="utf-8", newline=None) as file,
        target.open("w", encoding="utf-8", newline="") as copy,
    ):
        while text := file.read(MEBIBYTE):
            copy.write(text)
    return target


def _check_kind(start: bytes) -> None:
    for mark, kind in _OTHER_FILES:
        if start.startswith(mark):
            raise InvalidInput(f"The file is not CSV but {kind}.", code="unreadable_file")
    text = start.removeprefix(codecs.BOM_UTF8).lstrip().lower()
    if text.startswith(_MARKUP):
        raise InvalidInput("The file is not CSV but a web page or XML.", code="unreadable_file")
    if text.startswith((b"{", b"[{")):
        raise InvalidInput(
            "The file is not CSV but JSON. Send JSON lines, with format jsonl.", code="unreadable_file"
        )


def _check_utf8(source: Path, progress: Progress) -> None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    size = source.stat().st_size
    n_bytes = n_lines = 0
    with source.open("rb") as file:
        while chunk := file.read(MEBIBYTE):
            _check_chunk(chunk, decoder, n_bytes, n_lines)
            n_bytes += len(chunk)
            n_lines += chunk.count(b"\n")
            progress("checking", n_bytes / size)
    if decoder.getstate()[0]:
        raise _wrong_encoding(n_bytes, n_lines)


def _check_chunk(chunk: bytes, decoder: codecs.IncrementalDecoder, n_bytes: int, n_lines: int) -> None:
    zero = chunk.find(b"\0")
    if zero >= 0:
        raise InvalidInput(
            f"The file is not text: byte {n_bytes + zero + 1:,} is zero. If it is UTF-16, save it as UTF-8; "
            "if not, send a CSV file.",
            code="unreadable_file",
        )
    carried = len(decoder.getstate()[0])
    if chunk.isascii() and not carried:
        return
    try:
        decoder.decode(chunk)
    except UnicodeDecodeError as error:
        # Without its cause: the decoder's error carries the bytes.
        raise _not_utf8(chunk, error.start - carried, n_bytes, n_lines) from None


def _not_utf8(chunk: bytes, position: int, n_bytes: int, n_lines: int) -> InvalidInput:
    if n_bytes == 0 and _is_garbage(chunk):
        return InvalidInput("The file is not text. Send a CSV or Parquet file.", code="unreadable_file")
    return _wrong_encoding(n_bytes + position, n_lines + chunk.count(b"\n", 0, max(0, position)))


def _is_garbage(chunk: bytes) -> bool:
    """Say whether one byte in fifty is a control character, which no encoding of text has."""
    control = bytes(set(range(32)) - set(b"\t\n\v\f\r"))
    return len(chunk) - len(chunk.translate(None, control)) > len(chunk) / 50


def _wrong_encoding(position: int, n_lines: int) -> InvalidInput:
    return InvalidInput(
        f"Line {n_lines + 1:,} (byte {position + 1:,} of the file) is not valid UTF-8; the file may be "
        f"Latin-1 or Windows-1252. {_REMEDY}",
        code="wrong_encoding",
    )


def _translate_utf16(source: Path, target: Path) -> None:
    n_lines = 0
    try:
        with (
            source.open("r", encoding="utf-16", newline="") as file,
            target.open("w", encoding="utf-8", newline="") as copy,
        ):
            while text := file.read(MEBIBYTE):
                copy.write(text)
                n_lines += text.count("\n")
    except UnicodeError:
        raise InvalidInput(
            f"The file begins as UTF-16 but is not valid UTF-16 after line {n_lines:,}. {_REMEDY}",
            code="wrong_encoding",
        ) from None
