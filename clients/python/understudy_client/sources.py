"""Files and tables to upload, as files on disk."""

from __future__ import annotations

import hashlib
import os
import re
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Protocol, cast, runtime_checkable

from understudy_client.frames import write_parquet

CHUNK_BYTES = 1 << 20


@runtime_checkable
class ArrowStreamable(Protocol):
    """A table with the Arrow PyCapsule interface, such as a pandas or polars DataFrame."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """Return a capsule with a stream of the table."""


PathName = str | os.PathLike[str]
Source = str | os.PathLike[str] | bytes | BinaryIO | Iterable[bytes] | ArrowStreamable


@dataclass(frozen=True)
class SourceFile:
    """A file to upload."""

    path: Path
    filename: str
    size_bytes: int
    sha256: str

    def read(self, start: int, length: int) -> bytes:
        """Return a range of the file.

        Raises
        ------
        ValueError
            If the file has become shorter.
        """
        with self.path.open("rb") as file:
            file.seek(start)
            content = file.read(length)
        if len(content) < length:
            raise ValueError(
                f"{self.path} became shorter during the upload. Upload it again once it no longer changes."
            )
        return content


def open_sources(
    source: Source | Mapping[str, Source], filename: str | None, files: ExitStack
) -> list[SourceFile]:
    """Return the files to upload. Tables and streams are written into temporary files first.

    Parameters
    ----------
    source : path, bytes, binary file, iterable of bytes, table, or mapping of these by table name
        Content to upload.
    filename : str, optional
        Name of the file, if the source has none. Its suffix, such as ``.csv``, determines the format.
    files : ExitStack
        Stack that deletes the temporary files.
    """
    if isinstance(source, Mapping):
        return [_open_named(name, member, files) for name, member in source.items()]
    return [_open(source, filename, files)]


def _open_named(name: str, source: Source, files: ExitStack) -> SourceFile:
    is_path = isinstance(source, str | os.PathLike)
    suffix = "".join(Path(cast("str", source)).suffixes) if is_path else ""
    if not is_path and not isinstance(source, ArrowStreamable):
        # The name of a table in a mapping can be a file name, such as `orders.csv`.
        return _open(source, name, files)
    return _open(source, name + suffix, files)


def _open(source: Source, filename: str | None, files: ExitStack) -> SourceFile:
    if isinstance(source, str | os.PathLike):
        path = Path(source)
        return _described(path, filename or path.name)
    if isinstance(source, ArrowStreamable):
        path = temporary_path(files)
        write_parquet(source, path)
        name = re.sub(r"\.parquet$", "", filename or "table")
        return _described(path, f"{name}.parquet")
    if filename is None or not Path(filename).suffix:
        raise ValueError(
            "A stream has no file name, so its format is unknown. Pass one, such as `filename='people.csv'`."
        )
    path = temporary_path(files)
    with path.open("wb") as output:
        for chunk in _chunks(source):
            output.write(chunk)
    return _described(path, filename)


def _chunks(source: bytes | BinaryIO | Iterable[bytes]) -> Iterator[bytes]:
    if isinstance(source, bytes | bytearray | memoryview):
        yield bytes(source)
    elif hasattr(source, "read"):
        while chunk := source.read(CHUNK_BYTES):
            if not isinstance(chunk, bytes):
                raise TypeError("The file was opened as text. Open it in the mode `rb`.")
            yield chunk
    else:
        yield from source


def _described(path: Path, filename: str) -> SourceFile:
    size_bytes = path.stat().st_size
    if size_bytes == 0:
        raise ValueError(f"{filename} is empty. Upload a file with rows.")
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return SourceFile(path, filename, size_bytes, digest)


def temporary_path(files: ExitStack) -> Path:
    """Return the path of a new temporary file, which the stack deletes."""
    folder = files.enter_context(tempfile.TemporaryDirectory(prefix="understudy-"))
    return Path(folder) / "table"
