"""Decompress files of any format. The first bytes of a file, not its name, determine the codec."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import pyarrow as pa

from understudy.errors import InvalidInput, TooLarge
from understudy.tables.formats.canonical import atomic_path
from understudy.tables.formats.scan import MEBIBYTE, Reading, ReadLimits

Codec = Literal["gzip", "zstd", "bz2", "zip"]

CODECS: dict[str, Codec] = {".gz": "gzip", ".zst": "zstd", ".bz2": "bz2", ".zip": "zip"}
"""Codec for each compression suffix of a file name."""

_MARKS: tuple[tuple[bytes, Codec], ...] = (
    *((b"\x1f\x8b", "gzip"), (b"\x28\xb5\x2f\xfd", "zstd")),
    *((b"BZh", "bz2"), (b"PK\x03\x04", "zip")),
)
_OTHERS = ((b"\xfd7zXZ\x00", "xz"), (b"\x04\x22\x4d\x18", "LZ4"))
_START_BYTES = 200
_DOCUMENTS = (b"[Content_Types].xml", b"xl/", b"_rels/", b"mimetypeapplication/vnd.oasis")
# Smaller files are exempt from the ratio limit, because a file with a few thousand identical rows also has a
# high compression ratio.
_RATIO_FROM_BYTES = 64 * MEBIBYTE


def split_suffix(name: str) -> tuple[str, Codec | None]:
    """Return the name of a file without its compression suffix, and the codec."""
    for suffix, codec in CODECS.items():
        if name.lower().endswith(suffix):
            return name[: -len(suffix)], codec
    return name, None


def name_in_archive(path: Path) -> str | None:
    """Return the name of the only file in a ZIP archive, or None for any other file or archive."""
    try:
        with zipfile.ZipFile(path) as archive:
            return _only_member(archive).filename
    except (OSError, zipfile.BadZipFile, InvalidInput):
        return None


def plain_file(path: Path, reading: Reading, *, is_archive: bool = False) -> Path:
    """Return the path of an uncompressed file, or of a decompressed copy in the scratch folder.

    Parameters
    ----------
    is_archive : bool
        Whether files in this format are themselves ZIP archives, which are not unpacked here.

    Raises
    ------
    InvalidInput
        If the file is damaged or truncated, contains other data after its end, is compressed twice, or uses
        an unsupported codec (code unreadable_file).
    TooLarge
        If the decompressed file exceeds a limit.
    """
    codec = _codec(path)
    if codec is None or (codec == "zip" and is_archive):
        return path
    plain = reading.scratch / "plain"
    _decompress(path, plain, codec, reading)
    if _codec(plain) not in (None, "zip" if is_archive else None):
        raise _unreadable("The file is compressed twice. Compress it once, or upload it uncompressed.")
    return plain


def compress_file(source: Path, target: Path, codec: Codec) -> None:
    """Compress a file. The compressed file appears at its path only when it is complete."""
    if codec == "zip":
        with atomic_path(target) as part, zipfile.ZipFile(part, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.write(source, source.name)
        return
    with (
        source.open("rb") as file,
        atomic_path(target) as part,
        pa.OSFile(str(part), "wb") as sink,
        pa.CompressedOutputStream(sink, codec) as packed,
    ):
        while piece := file.read(MEBIBYTE):
            packed.write(piece)


def _codec(path: Path) -> Codec | None:
    with path.open("rb") as file:
        start = file.read(_START_BYTES)
    if start.startswith(b"PK") and any(mark in start for mark in _DOCUMENTS):
        # A workbook is a ZIP archive, but not a compressed table.
        return None
    for mark, name in _OTHERS:
        if start.startswith(mark):
            raise _unreadable(
                f"The file is compressed with {name}, which is not supported. Decompress it, or "
                "compress it with gzip or zstd instead."
            )
    return next((codec for mark, codec in _MARKS if start.startswith(mark)), None)


def _decompress(source: Path, target: Path, codec: Codec, reading: Reading) -> None:
    size = source.stat().st_size
    n_bytes = 0
    if codec == "zip":
        _unpack(source, target, reading)
        return
    with pa.OSFile(str(source), "rb") as packed, target.open("wb") as plain:
        for piece in _pieces(packed, codec):
            n_bytes += len(piece)
            _check_size(n_bytes, packed.tell(), reading.limits)
            plain.write(piece)
            reading.progress("decompressing", min(1.0, packed.tell() / size))


def _unpack(source: Path, target: Path, reading: Reading) -> None:
    """Extract the only file in a ZIP archive to a path."""
    n_bytes = 0
    size = source.stat().st_size
    try:
        with zipfile.ZipFile(source) as archive, target.open("wb") as plain:
            member = _only_member(archive)
            with archive.open(member) as packed:
                while piece := packed.read(MEBIBYTE):
                    n_bytes += len(piece)
                    _check_size(n_bytes, size, reading.limits)
                    plain.write(piece)
                    reading.progress("decompressing", min(1.0, n_bytes / max(1, member.file_size)))
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError):
        raise _unreadable(
            "The ZIP archive is damaged or encrypted, or it uses an unsupported compression method. Extract "
            "the table and upload it."
        ) from None


def _only_member(archive: zipfile.ZipFile) -> zipfile.ZipInfo:
    """Return the only file in an archive, ignoring hidden files that operating systems add."""
    members = [
        member
        for member in archive.infolist()
        if not member.is_dir()
        and not member.filename.startswith("__MACOSX/")
        and not member.filename.rpartition("/")[2].startswith(".")
    ]
    if len(members) != 1:
        raise _unreadable(
            f"The ZIP archive contains {len(members):,} files instead of one. Extract the table and upload "
            "it."
        )
    return members[0]


def _pieces(packed: pa.NativeFile, codec: Literal["gzip", "zstd", "bz2"]) -> Iterator[bytes]:
    """Yield the decompressed content of all members or frames, in order."""
    try:
        with pa.CompressedInputStream(packed, codec) as stream:
            while piece := stream.read(MEBIBYTE):
                yield piece
    except OSError as error:
        if error.errno is not None:
            raise
        raise _unreadable(
            f"The {codec} file is damaged, truncated or followed by other data. Compress the table again "
            f"and upload the new file."
        ) from None


def _check_size(n_bytes: int, n_packed: int, limits: ReadLimits) -> None:
    if n_bytes > limits.decompressed_bytes_max:
        raise TooLarge(
            f"The decompressed file is larger than {limits.decompressed_bytes_max:,} bytes. "
            "Use Parquet, or upload fewer rows."
        )
    if n_bytes > max(_RATIO_FROM_BYTES, limits.decompressed_ratio_max * n_packed):
        raise TooLarge(
            f"The decompressed file is more than {limits.decompressed_ratio_max:,} times as large as the "
            "upload. Upload it uncompressed or as Parquet."
        )


def _unreadable(detail: str) -> InvalidInput:
    return InvalidInput(detail, code="unreadable_file")
