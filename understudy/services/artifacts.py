"""Stored files on their way to a caller."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from itertools import chain
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, BinaryIO

from understudy.db import artifacts
from understudy.errors import InvalidInput, NotFound, TooLarge, UnderstudyError
from understudy.parameters.read_options import FormatName
from understudy.resources import Resources
from understudy.tables.formats import FORMATS, write_table
from understudy.tables.formats import stream_table as stream
from understudy.tables.formats.scan import REJECTS_SCHEMA

if TYPE_CHECKING:
    from understudy.db.orm import Artifact


def open_artifact(resources: Resources, artifact: Artifact) -> BinaryIO:
    """Open a stored file for reading.

    Raises
    ------
    NotFound
        If it was deleted meanwhile.
    UnderstudyError
        With the code `artifact_corrupt`, if its row is there and its bytes are not, or not as many.
    """
    key = artifact.storage_key
    try:
        if resources.store.size(key) == artifact.size_bytes:
            return resources.store.open(key)
    except NotFound:
        pass
    with resources.sessions() as session:
        artifacts.get(session, artifact.project_id, artifact.job_id, artifact.role)
    raise _corrupt("is missing or not as long as it was written")


def check_download(format_name: FormatName, n_rows: int, n_columns: int) -> None:
    """Refuse a table that no file of the format holds, before anything of it is made.

    Raises
    ------
    TooLarge
        With the limit.
    """
    if format_name == "parquet":
        return
    limits = FORMATS[format_name].write_limits
    if limits is not None:
        limits.check(n_rows, n_columns)


def stream_table(
    resources: Resources, artifact: Artifact, format_name: FormatName, *, without_formulas: bool = False
) -> Iterator[bytes]:
    """Return a stored table in another format, in pieces; raises as `open_artifact`, and at once.

    Raises
    ------
    TooLarge
        If a text of the table is longer than the format holds.
    """
    open_artifact(resources, artifact).close()
    chunks = _converted(resources, artifact.storage_key, format_name, without_formulas=without_formulas)
    try:
        # Looked at before the answer begins: afterwards nothing but a broken connection could tell.
        first = next(chunks)
    except TooLarge:
        # Not the stored file but the other format is at its end.
        raise
    except InvalidInput as error:
        raise _corrupt("cannot be read") from error
    return chain([first], chunks)


def stream_rejects(
    resources: Resources, artifact: Artifact | None, format_name: FormatName
) -> Iterator[bytes]:
    """Return the table of skipped rows in pieces; without a stored one, the empty table."""
    if artifact is not None:
        return stream_table(resources, artifact, format_name)
    with TemporaryDirectory(dir=resources.staging_folder, prefix="download-") as scratch:
        path = Path(scratch) / f"rejects.{format_name}"
        write_table(path, [], REJECTS_SCHEMA)
        return iter([path.read_bytes()])


def _corrupt(how: str) -> UnderstudyError:
    detail = f"The stored file {how}; it has to be restored from a backup."
    return UnderstudyError(detail, code="artifact_corrupt")


def _converted(
    resources: Resources, storage_key: str, format_name: FormatName, *, without_formulas: bool
) -> Iterator[bytes]:
    # Only a download needs the engine's formats; the API starts without them.
    with TemporaryDirectory(dir=resources.staging_folder, prefix="download-") as scratch:
        path = resources.store.local_path(storage_key, Path(scratch))
        made = stream(path, FORMATS[format_name], Path(scratch), without_formulas=without_formulas)
        with closing(made) as chunks:  # type: ignore[type-var] # it is a generator
            yield from chunks
