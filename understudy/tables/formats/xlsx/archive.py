"""The ZIP archive of a workbook. Parts are unpacked as streams, and their declared sizes are not trusted."""

from __future__ import annotations

import posixpath
import struct
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import BinaryIO

from understudy.errors import InvalidInput, TooLarge
from understudy.tables.formats.scan import MEBIBYTE

# Parts up to this size may have any compression ratio. Larger parts may have at most the ratio below.
_ALWAYS_ALLOWED_BYTES = 64 * MEBIBYTE
_RATIO_MAX = 100
_DIRECTORY_BYTES_MAX = 4 * MEBIBYTE
_PARTS_MAX = 10_000
CHUNK_BYTES = 65_536

_END = struct.Struct("<4s4H2LH")
_END64 = struct.Struct("<4sQ2H2L4Q")
_LOCATOR64 = struct.Struct("<4sLQL")
_LOCAL_HEADER_BYTES = 30
_COMPRESSIONS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
_ENCRYPTED = 0x1 | 0x40 | 0x2000

_OTHER_FILES: tuple[tuple[bytes, str], ...] = (
    (
        b"\xd0\xcf\x11\xe0",
        "an old Excel file (.xls) or a password-protected workbook. Save it as .xlsx without a password",
    ),
    (b"PAR1", "a Parquet file. Specify the format `parquet`"),
    (b"%PDF", "a PDF document. Save the table as .xlsx"),
    (b"\x1f\x8b", "a gzip file. Decompress it first"),
)
_MARKUP = (b"<!doctype", b"<html", b"<?xml", b"<table")


class Archive:
    """An open archive whose directory has been checked."""

    def __init__(self, file: zipfile.ZipFile) -> None:
        self._file = file
        # `_check_parts` ensures that the names of parts are unique regardless of case.
        self._parts = {info.filename.lower(): info for info in file.infolist()}

    def __contains__(self, name: str) -> bool:
        return name.lower() in self._parts

    def chunks(self, name: str, *, bytes_max: int) -> Iterator[bytes]:
        """Yield the bytes of a part.

        Raises
        ------
        TooLarge
            If the part has more than bytes_max bytes, or its compression ratio indicates a zip bomb.
        InvalidInput
            If the part is missing or damaged.
        """
        info = self._parts.get(name.lower())
        if info is None:
            raise unreadable(
                "A part of the workbook is missing. Open the workbook in a spreadsheet "
                "program and save it again."
            )
        allowed = min(bytes_max, max(_ALWAYS_ALLOWED_BYTES, _RATIO_MAX * info.compress_size))
        n_bytes = 0
        with translated(), self._file.open(info) as part:
            while chunk := part.read(CHUNK_BYTES):
                n_bytes += len(chunk)
                if n_bytes > allowed:
                    raise TooLarge(
                        f"A part of the workbook is larger than {allowed:,} bytes when unpacked. "
                        "Upload fewer rows, or upload the table as Parquet or CSV."
                    )
                yield chunk

    def declared_bytes(self, name: str) -> int:
        """Return the declared size of a part, which is used only to report progress."""
        return max(1, self._parts[name.lower()].file_size)


@contextmanager
def open_archive(path: Path) -> Iterator[Archive]:
    """Open a file with unknown content as an archive.

    Raises
    ------
    InvalidInput
        If the file is empty (code empty_file) or is not a valid workbook (code unreadable_file).
    """
    with path.open("rb") as file:
        _check_kind(file.read(512))
        start = _check_end(file, path.stat().st_size)
        with translated():
            archive = zipfile.ZipFile(file)
        with archive:
            _check_parts(archive.infolist(), start)
            yield Archive(archive)


def unreadable(detail: str) -> InvalidInput:
    """Return the error for a file that is damaged or not a workbook."""
    return InvalidInput(detail, code="unreadable_file")


@contextmanager
def translated() -> Iterator[None]:
    """Translate zipfile and zlib errors about a damaged archive into `InvalidInput`."""
    try:
        yield
    except InvalidInput:
        raise
    except (
        *(zipfile.BadZipFile, zlib.error, struct.error, EOFError, NotImplementedError, RuntimeError),
        *(OverflowError, UnicodeDecodeError),
    ):
        raise _damaged() from None


def _damaged() -> InvalidInput:
    return unreadable("The file is damaged or truncated: it is not a complete ZIP archive. Upload it again.")


def _check_kind(start: bytes) -> None:
    if not start:
        raise InvalidInput("The file is empty. Upload a file with at least one row.", code="empty_file")
    for mark, kind in _OTHER_FILES:
        if start.startswith(mark):
            raise unreadable(f"The file is not .xlsx but {kind}.")
    if start.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(_MARKUP):
        raise unreadable(
            "The file is not .xlsx but HTML or XML. Open it in a spreadsheet program and save it as .xlsx."
        )
    if not start.startswith(b"PK"):
        raise unreadable(
            "The file is not .xlsx, because it is not a ZIP archive. "
            "Set `format` to the file's actual format, or correct its suffix."
        )


def _check_end(file: BinaryIO, size: int) -> int:
    """Check the size and part count of the directory, which zipfile does not limit. Return its position."""
    file.seek(max(0, size - 65_536 - _END.size))
    tail = file.read()
    position = tail.rfind(b"PK\5\6")
    if position < 0 or len(tail) - position < _END.size:
        raise _damaged()
    end = size - len(tail) + position
    *_, n_parts, n_bytes, start, _ = _END.unpack_from(tail, position)
    if tail[max(0, position - _LOCATOR64.size) :].startswith(b"PK\6\7"):
        with translated():
            n_parts, n_bytes, start = _read_end64(file, end)
    if n_parts == 0:
        raise unreadable(
            "The file is an empty ZIP archive. Save the workbook again in a spreadsheet program."
        )
    if n_parts > _PARTS_MAX or n_bytes > _DIRECTORY_BYTES_MAX:
        raise TooLarge(
            f"The workbook has more than {_PARTS_MAX:,} parts, or a directory larger than "
            f"{_DIRECTORY_BYTES_MAX:,} bytes. Save the table as CSV or Parquet."
        )
    if start + n_bytes > end:
        raise _damaged()
    return int(start)


def _read_end64(file: BinaryIO, end: int) -> tuple[int, int, int]:
    position = end - _LOCATOR64.size - _END64.size
    file.seek(max(0, position))
    record = file.read(_END64.size)
    _, _, stated, _ = _LOCATOR64.unpack(file.read(_LOCATOR64.size))
    # Some versions of zipfile use the declared position, and others use the computed position.
    if stated != position or not record.startswith(b"PK\6\6"):
        raise _damaged()
    n_parts, n_bytes, start = _END64.unpack(record)[-3:]
    return int(n_parts), int(n_bytes), int(start)


def _check_parts(parts: list[zipfile.ZipInfo], start: int) -> None:
    if not 0 < len(parts) <= _PARTS_MAX:
        raise _damaged()
    if any(_is_outside(info.orig_filename) for info in parts):
        raise unreadable(
            "The workbook contains parts whose names point outside the archive. Get an "
            "undamaged copy from its source."
        )
    if len({info.filename.lower() for info in parts}) < len(parts):
        raise unreadable(
            "The workbook contains several parts with the same name. Open it in a spreadsheet "
            "program and save it again."
        )
    if any(info.flag_bits & _ENCRYPTED for info in parts):
        raise unreadable(
            "The workbook is encrypted. Open it in a spreadsheet program and save it without a password."
        )
    if any(info.compress_type not in _COMPRESSIONS for info in parts):
        raise unreadable(
            "The workbook uses an unsupported compression method. Open it in a spreadsheet "
            "program and save it as .xlsx."
        )
    spans = sorted((info.header_offset, _end_of(info)) for info in parts)
    if spans[0][0] < 0 or spans[-1][1] > start or any(a[1] > b[0] for a, b in pairwise(spans)):
        raise unreadable(
            "Parts of the workbook overlap, so it is damaged or malicious. Get an undamaged "
            "copy from its source."
        )


def _end_of(info: zipfile.ZipInfo) -> int:
    return info.header_offset + _LOCAL_HEADER_BYTES + len(info.orig_filename) + info.compress_size


def _is_outside(name: str) -> bool:
    return (
        name.startswith("/")
        or any(mark in name for mark in "\\\0:")
        or ".." in name.split("/")
        or posixpath.normpath(name) == "."
    )
