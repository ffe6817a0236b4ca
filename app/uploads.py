"""Receives an upload: one file of any size, streamed to the staging folder, counted and hashed on its way.

It is written once, on the store's file system, and no further than the limit.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from app.multipart import OVERHEAD_BYTES, MultipartReader, malformed, media_type_of
from understudy.errors import InvalidInput, StorageFull, TooLarge
from understudy.ids import new_id

FLUSH_BYTES = 1 << 20


@dataclass
class Upload:
    """A file that has arrived completely, and what came along with it."""

    source: Path
    sha256: bytes
    size_bytes: int
    filename: str | None
    media_type: str | None
    fields: dict[str, str]


class StagedFile:
    """A file in the staging folder that is written in large pieces and never grows over the limit."""

    def __init__(self, path: Path, *, bytes_max: int) -> None:
        self.path = path
        self.bytes_max = bytes_max
        self.size_bytes = 0
        self.sha256 = hashlib.sha256()
        self._pending = bytearray()
        self._file = path.open("wb")

    def add(self, data: bytes) -> None:
        """Take some bytes; they are written by the next `write`."""
        self.size_bytes += len(data)
        if self.size_bytes > self.bytes_max:
            raise _too_large(self.bytes_max)
        self._pending += data

    @property
    def is_due(self) -> bool:
        """Whether enough has come together for a write."""
        return len(self._pending) >= FLUSH_BYTES

    def write(self) -> None:
        """Write what was taken."""
        pending, self._pending = self._pending, bytearray()
        self.sha256.update(pending)
        with _telling_full_disk():
            self._file.write(pending)

    def close(self) -> None:
        """Close the file; what was not written is dropped."""
        with _telling_full_disk():
            self._file.close()


@asynccontextmanager
async def received_upload(request: Request, folder: Path, *, bytes_max: int) -> AsyncIterator[Upload]:
    """Receive the body of a request; on leaving, what was staged and not moved elsewhere is removed.

    Raises
    ------
    InvalidInput
        If the body is empty, malformed, ends too early, or is not in a form that can be taken.
    TooLarge
        If the file is larger than `bytes_max`.
    StorageFull
        If there is no space for it.
    """
    media_type, boundary = _body_form(request)
    _check_length(request, bytes_max + (OVERHEAD_BYTES if boundary else 0), bytes_max)
    path = folder / f"upload-{new_id().hex}"
    with _telling_full_disk():
        staged = StagedFile(path, bytes_max=bytes_max)
    try:
        if boundary:
            upload = await _receive_multipart(request, staged, boundary)
        else:
            upload = await _receive_raw(request, staged, media_type)
        if upload.size_bytes == 0:
            raise InvalidInput(
                "The file holds no bytes; send a table with a header and rows.", code="empty_file"
            )
        yield upload
    finally:
        staged.close()
        path.unlink(missing_ok=True)


def _body_form(request: Request) -> tuple[str | None, bytes | None]:
    """Return the media type of a raw body, or the boundary of a multipart one."""
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise InvalidInput(
            "The body is compressed (Content-Encoding). Leave that header out: the first bytes of a file"
            " tell that it is compressed by gzip or zstd.",
            code="unsupported_media_type",
        )
    form, options = parse_options_header(request.headers.get("content-type"))
    if form == b"multipart/form-data":
        if not options.get(b"boundary"):
            raise malformed("Content-Type is multipart/form-data but names no boundary.")
        return None, options[b"boundary"]
    if form.startswith(b"multipart/") or form in (b"application/x-www-form-urlencoded", b"application/json"):
        raise InvalidInput(
            f"A body of type {form.decode('latin-1')[:100]!r} is no table. Send multipart/form-data with the"
            " field `file`, or the bare file as text/csv, application/x-ndjson,"
            " application/vnd.apache.parquet or application/vnd.apache.arrow.file.",
            code="unsupported_media_type",
        )
    return media_type_of(form.decode("latin-1")), None


def _check_length(request: Request, length_max: int, bytes_max: int) -> None:
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > length_max:
        raise _too_large(bytes_max)


async def _receive_raw(request: Request, staged: StagedFile, media_type: str | None) -> Upload:
    async for chunk in _chunks(request):
        staged.add(chunk)
        if staged.is_due:
            await run_in_threadpool(staged.write)
    await run_in_threadpool(_finish, staged)
    return Upload(staged.path, staged.sha256.digest(), staged.size_bytes, None, media_type, {})


async def _receive_multipart(request: Request, staged: StagedFile, boundary: bytes) -> Upload:
    reader = MultipartReader(boundary, staged.add)
    async for chunk in _chunks(request):
        reader.feed(chunk)
        if staged.is_due:
            await run_in_threadpool(staged.write)
    if not reader.is_complete:
        raise _incomplete("The multipart body ends before its closing boundary.")
    if not reader.has_file:
        raise malformed("The form has no file; send it in the field `file`, with a file name.")
    await run_in_threadpool(_finish, staged)
    return Upload(
        source=staged.path,
        sha256=staged.sha256.digest(),
        size_bytes=staged.size_bytes,
        filename=reader.filename,
        media_type=reader.media_type,
        fields=reader.fields,
    )


async def _chunks(request: Request) -> AsyncIterator[bytes]:
    """Yield the body's pieces; raise unless as many bytes came as Content-Length said."""
    n_bytes = 0
    try:
        async for chunk in request.stream():
            n_bytes += len(chunk)
            yield chunk
    except ClientDisconnect as error:
        raise _incomplete(f"The connection ended after {n_bytes} bytes of the body.") from error
    length = request.headers.get("content-length")
    if length is not None and length.isdecimal() and int(length) != n_bytes:
        raise _incomplete(f"The body has {n_bytes} bytes, but Content-Length says {length}.")


def _finish(staged: StagedFile) -> None:
    staged.write()
    staged.close()


def _incomplete(detail: str) -> InvalidInput:
    """Return the error of a body that ended too early."""
    return InvalidInput(f"{detail} Nothing was kept; send it again.", code="incomplete_body")


def _too_large(bytes_max: int) -> TooLarge:
    """Return the error of an upload over the limit."""
    return TooLarge(
        f"The file is larger than upload_bytes_max, {bytes_max} bytes. Send Parquet instead of CSV, or fewer"
        " rows, or have the limit raised (UNDERSTUDY_UPLOAD_BYTES_MAX).",
        code="upload_too_large",
    )


@contextmanager
def _telling_full_disk() -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(
                "There is no space left to receive the file; nothing was kept of it."
            ) from error
        raise
