"""Reading and conversion of stored files for callers."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa

from understudy.db import artifacts
from understudy.errors import InvalidInput, NotFound, TooLarge
from understudy.parameters.read_options import FormatName
from understudy.resources import Resources
from understudy.services.integrity import check_digest, corrupt
from understudy.tables.formats import FORMATS, CsvOutput, write_table
from understudy.tables.formats import stream_table as stream
from understudy.tables.formats.scan import REJECTS_SCHEMA

if TYPE_CHECKING:
    from understudy.db.orm import Artifact


def open_artifact(resources: Resources, artifact: Artifact, *, is_checked_later: bool = False) -> BinaryIO:
    """Open a stored file for reading, and check that its content is as it was stored.

    Parameters
    ----------
    is_checked_later : bool
        Whether the caller compares the digest itself, so that only the size is checked here.

    Raises
    ------
    NotFound
        If the file has been deleted.
    UnderstudyError
        With the code `artifact_corrupt`, if the row exists but the file is missing or has a different size or
        content.
    """
    key = artifact.storage_key
    try:
        if resources.store.size(key) == artifact.size_bytes:
            file = resources.store.open(key)
            if not is_checked_later:
                with closing_on_error(file):
                    check_digest(file, artifact.sha256)
            return file
    except NotFound:
        pass
    with resources.sessions() as session:
        artifacts.get(session, artifact.project_id, artifact.job_id, artifact.role)
    raise corrupt("is missing or has the wrong size")


@contextmanager
def closing_on_error(file: BinaryIO) -> Iterator[None]:
    """Close a file if the block raises an exception."""
    try:
        yield
    except BaseException:
        file.close()
        raise


def check_download(format_name: FormatName, n_rows: int, n_columns: int) -> None:
    """Check, before the conversion starts, that a table fits into a file of the requested format.

    Raises
    ------
    TooLarge
        If the table exceeds a limit of the format.
    """
    if format_name == "parquet":
        return
    limits = FORMATS[format_name].write_limits
    if limits is not None:
        limits.check(n_rows, n_columns)


@dataclass(frozen=True)
class StoredTable:
    """A table in the store that is converted for a download.

    Parameters
    ----------
    has_left : Event
        Event that ends the conversion. It is set when the client no longer waits for the file.
    """

    resources: Resources
    artifact: Artifact
    has_left: Event = field(default_factory=Event)
    without_formulas: bool = False
    with_style: bool = True


class ConversionEnded(Exception):
    """Raised inside a conversion whose client no longer waits for the file."""


class TableChunks(Iterator[bytes]):
    """The chunks of a converted table. `close` ends the conversion and removes its files."""

    def __init__(self, chunks: Generator[bytes]) -> None:
        # The first chunk is read before the response starts. After that, an error could only close the
        # connection.
        self._first: bytes | None = next(chunks)
        self._chunks = chunks

    def __next__(self) -> bytes:
        """Return the next chunk."""
        if self._first is not None:
            first, self._first = self._first, None
            return first
        return next(self._chunks)

    def close(self) -> None:
        """End the conversion and remove its files."""
        self._chunks.close()
        # Arrow would keep the memory of ended conversions for later ones.
        pa.default_memory_pool().release_unused()


def stream_table(table: StoredTable, format_name: FormatName) -> TableChunks:
    """Return the chunks of a stored table in another format. The caller must close the iterator.

    All errors, including those of `open_artifact`, are raised by the call and not by the iterator.

    Raises
    ------
    TooLarge
        If a text of the table is longer than the format allows.
    """
    open_artifact(table.resources, table.artifact).close()
    try:
        return TableChunks(_converted(table, format_name))
    except TooLarge:
        # The limit belongs to the requested format, so the error does not mean that the stored file is
        # corrupt.
        raise
    except InvalidInput as error:
        raise corrupt("cannot be read") from error


def empty_rejects(resources: Resources, format_name: FormatName) -> bytes:
    """Return the table of skipped rows of a table without skipped rows."""
    with TemporaryDirectory(dir=resources.staging_folder, prefix="download-") as scratch:
        path = Path(scratch) / f"rejects.{format_name}"
        write_table(path, [], REJECTS_SCHEMA)
        return path.read_bytes()


def _converted(table: StoredTable, format_name: FormatName) -> Generator[bytes]:
    def check_client(*_: object, **__: object) -> None:
        if table.has_left.is_set():
            raise ConversionEnded

    # Only downloads need the format modules of the engine, so the API does not load them at startup.
    folder = table.resources.staging_folder
    with TemporaryDirectory(dir=folder, prefix="download-") as scratch:
        path = table.resources.store.local_path(table.artifact.storage_key, Path(scratch))
        yield from stream(
            path,
            FORMATS[format_name],
            Path(scratch),
            output=CsvOutput(without_formulas=table.without_formulas, with_style=table.with_style),
            progress=check_client,
        )
