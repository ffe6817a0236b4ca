"""Reading and conversion of stored files for callers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO

from understudy.db import artifacts
from understudy.errors import InvalidInput, NotFound, TooLarge
from understudy.parameters.read_options import FormatName
from understudy.resources import Resources
from understudy.services.integrity import check_digest, corrupt
from understudy.tables.formats import FORMATS, write_table
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


def stream_table(
    resources: Resources, artifact: Artifact, format_name: FormatName, *, without_formulas: bool = False
) -> Iterator[bytes]:
    """Return the chunks of a stored table in another format.

    All errors, including those of `open_artifact`, are raised by the call and not by the iterator.

    Raises
    ------
    TooLarge
        If a text of the table is longer than the format allows.
    """
    open_artifact(resources, artifact).close()
    chunks = _converted(resources, artifact.storage_key, format_name, without_formulas=without_formulas)
    try:
        # The first chunk is read before the response starts. After that, an error could only close the
        # connection.
        first = next(chunks)
    except TooLarge:
        # The limit belongs to the requested format, so the error does not mean that the stored file is
        # corrupt.
        raise
    except InvalidInput as error:
        raise corrupt("cannot be read") from error
    return chain([first], chunks)


def stream_rejects(
    resources: Resources, artifact: Artifact | None, format_name: FormatName
) -> Iterator[bytes]:
    """Return the chunks of the table of skipped rows, which is empty if no file is stored."""
    if artifact is not None:
        return stream_table(resources, artifact, format_name)
    with TemporaryDirectory(dir=resources.staging_folder, prefix="download-") as scratch:
        path = Path(scratch) / f"rejects.{format_name}"
        write_table(path, [], REJECTS_SCHEMA)
        return iter([path.read_bytes()])


def _converted(
    resources: Resources, storage_key: str, format_name: FormatName, *, without_formulas: bool
) -> Iterator[bytes]:
    # Only downloads need the format modules of the engine, so the API does not load them at startup.
    with TemporaryDirectory(dir=resources.staging_folder, prefix="download-") as scratch:
        path = resources.store.local_path(storage_key, Path(scratch))
        converted = stream(path, FORMATS[format_name], Path(scratch), without_formulas=without_formulas)
        with closing(converted) as chunks:  # type: ignore[type-var] # it is a generator
            yield from chunks
