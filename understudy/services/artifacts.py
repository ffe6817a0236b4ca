"""Reading and conversion of stored files for callers."""

from __future__ import annotations

from collections.abc import Generator, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Event
from typing import TYPE_CHECKING, BinaryIO

import pyarrow as pa

from understudy.db import artifacts
from understudy.errors import InvalidInput, NotFound, TooLarge, UnderstudyError
from understudy.parameters.read_options import FormatName
from understudy.resources import Resources
from understudy.services.integrity import check_digest, corrupt
from understudy.storage.space import translating_full_disk
from understudy.tables.formats import FORMATS, CsvOutput, join_parts, write_table
from understudy.tables.formats import stream_parts as stream
from understudy.tables.formats.scan import REJECTS_SCHEMA

if TYPE_CHECKING:
    from understudy.db.orm import Artifact

NOT_READ = "The disk is full, so the file was not read. Free some disk space and repeat the request."


@contextmanager
def scratch_folder(resources: Resources, prefix: str) -> Iterator[Path]:
    """Yield a temporary folder for the files of a request, and remove it at the end.

    Raises
    ------
    StorageFull
        If the disk is full.
    """
    with (
        translating_full_disk(NOT_READ),
        TemporaryDirectory(dir=resources.staging_folder, prefix=prefix) as folder,
    ):
        yield Path(folder)


def open_artifact(resources: Resources, artifact: Artifact, *, is_checked_later: bool = False) -> BinaryIO:
    """Open a stored file for reading, and check that its content has not changed.

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
    raise _lost(resources, artifact)


def find_presigned_url(resources: Resources, artifact: Artifact, filename: str) -> str | None:
    """Return a URL of the object store for a download, or None if the API sends the file itself."""
    seconds = resources.settings.presigned_download_seconds
    if not seconds:
        return None
    return resources.store.presigned_url(artifact.storage_key, filename=filename, seconds=seconds)


@contextmanager
def local_copy(resources: Resources, artifact: Artifact, scratch: Path) -> Iterator[Path]:
    """Yield the path of a file with the content of a stored file, after comparing the digest.

    Raises
    ------
    NotFound, UnderstudyError
        Under the same conditions as `open_artifact`.
    """
    with ExitStack() as copies:
        try:
            path = copies.enter_context(resources.store.local_copy(artifact.storage_key, scratch))
        except NotFound:
            raise _lost(resources, artifact) from None
        if path.stat().st_size != artifact.size_bytes:
            raise _lost(resources, artifact)
        with path.open("rb") as file:
            check_digest(file, artifact.sha256)
        yield path


@contextmanager
def local_table(resources: Resources, parts: Sequence[Artifact], scratch: Path) -> Iterator[Path]:
    """Yield the path of a Parquet file with the rows from all parts of a table, after checking their digests.

    Raises
    ------
    NotFound, UnderstudyError
        Under the same conditions as `open_artifact`.
    """
    copies = [local_copy(resources, part, scratch) for part in parts]
    if len(copies) == 1:
        with copies[0] as path:
            yield path
        return
    joined = scratch / "joined.parquet"
    join_parts(copies, joined, scratch)
    yield joined


def _lost(resources: Resources, artifact: Artifact) -> UnderstudyError:
    """Return the error for a file with lost content, or raise `NotFound` if its row was deleted."""
    with resources.sessions() as session:
        artifacts.get(session, artifact.project_id, artifact.job_id, artifact.role)
    return corrupt("is missing or has the wrong size")


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
    parts : sequence of Artifact
        The Parquet files with the rows of the table, in order.
    has_left : Event
        Event that ends the conversion. It is set when the client no longer waits for the file.
    """

    resources: Resources
    parts: Sequence[Artifact]
    has_left: Event = field(default_factory=Event)
    without_formulas: bool = False
    with_style: bool = True


class ConversionEnded(Exception):
    """Raised inside a conversion when the client no longer waits for the file."""


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
        # Without this call, Arrow would keep the memory of ended conversions for later ones.
        pa.default_memory_pool().release_unused()


def stream_table(table: StoredTable, format_name: FormatName) -> TableChunks:
    """Return the chunks of a stored table in another format. The caller must close the iterator.

    All errors, including the errors of `open_artifact`, are raised by the call and not by the iterator.

    Raises
    ------
    TooLarge
        If a text in the table is longer than the format allows.
    StorageFull
        If the disk is full.
    """
    try:
        return TableChunks(_converted(table, format_name))
    except TooLarge:
        # The limit belongs to the requested format, so the error does not mean that the stored file is
        # corrupt.
        raise
    except InvalidInput as error:
        raise corrupt("cannot be read") from error


def empty_rejects(resources: Resources, format_name: FormatName) -> bytes:
    """Return an empty table of skipped rows, for a table without skipped rows."""
    with scratch_folder(resources, "download-") as scratch:
        path = scratch / f"rejects.{format_name}"
        write_table(path, [], REJECTS_SCHEMA)
        return path.read_bytes()


def _converted(table: StoredTable, format_name: FormatName) -> Generator[bytes]:
    def check_client(*_: object, **__: object) -> None:
        if table.has_left.is_set():
            raise ConversionEnded

    # Only downloads need the format modules of the engine, so the API does not load them at startup.
    with scratch_folder(table.resources, "download-") as scratch:
        yield from stream(
            [local_copy(table.resources, part, scratch) for part in table.parts],
            FORMATS[format_name],
            scratch,
            output=CsvOutput(without_formulas=table.without_formulas, with_style=table.with_style),
            progress=check_client,
        )
