"""Receive the body of an upload, and stream it to the staging folder up to a size limit.

Each file is written once, to the store's file system, and is counted and hashed as it arrives.
"""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass

from fastapi import Request
from python_multipart.multipart import parse_options_header
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from app.digests import check_digests, read_digests
from app.multipart import OVERHEAD_BYTES, MultipartReader, malformed, media_type_of
from app.staging import StagedFile, Staging
from understudy.errors import InvalidInput, TooLarge, UnderstudyError
from understudy.resources import Resources


@dataclass
class Upload:
    """Fully received files and the form fields that were sent with them."""

    files: list[StagedFile]
    fields: dict[str, str]

    @property
    def sha256(self) -> bytes:
        """A single SHA-256 over all files."""
        return hashlib.sha256(b"".join(file.sha256.digest() for file in self.files)).digest()


@asynccontextmanager
async def received_upload(request: Request, resources: Resources) -> AsyncIterator[Upload]:
    """Receive one file or a form of several files. On exit, delete the files that were not moved elsewhere.

    Raises
    ------
    InvalidInput
        If the body or a file is empty, malformed or incomplete, the media type is not supported, or the
        digest does not match.
    TooLarge
        If the files are larger than `upload_bytes_max` in total.
    StorageFull
        If there is no space left.
    """
    bytes_max = resources.limits.upload_bytes_max
    media_type, boundary = _body_form(request)
    length_max = bytes_max + (OVERHEAD_BYTES if boundary else 0)
    _check_length(request, length_max, bytes_max)
    body = Body(request, length_max, lambda: _too_large(bytes_max))
    staging = Staging(resources.staging_folder, bytes_max, lambda: _too_large(bytes_max))
    try:
        if boundary:
            fields = await _receive_form(body, staging, boundary)
        else:
            fields = {}
            staging.begin(None, media_type)
            await _receive_file(body, staging)
        check_digests(body.expected, body.sha256.digest())
        _check_not_empty(staging.files)
        yield Upload(staging.files, fields)
    finally:
        staging.discard()


@asynccontextmanager
async def received_part(request: Request, resources: Resources, size_bytes: int) -> AsyncIterator[StagedFile]:
    """Receive one part of known size. On exit, delete the part unless it was moved elsewhere.

    Raises
    ------
    InvalidInput
        If the part is incomplete, or its size or digest differs from the expected one.
    StorageFull
        If there is no space left.
    """
    length = request.headers.get("content-length", str(size_bytes))
    if length.isdecimal() and int(length) != size_bytes:
        raise _other_size(size_bytes)
    body = Body(request, size_bytes, lambda: _other_size(size_bytes))
    staging = Staging(resources.staging_folder, size_bytes, lambda: _other_size(size_bytes))
    staging.begin()
    try:
        await _receive_file(body, staging)
        if staging.size_bytes != size_bytes:
            raise _other_size(size_bytes)
        check_digests(body.expected, body.sha256.digest())
        yield staging.files[0]
    finally:
        staging.discard()


class Body:
    """A request body that is counted and, if a header declares its digest, hashed as it arrives."""

    def __init__(self, request: Request, length_max: int, too_large: Callable[[], UnderstudyError]) -> None:
        self.expected = read_digests(request.headers)
        self.sha256 = hashlib.sha256()
        self._request = request
        self._length_max = length_max
        self._too_large = too_large

    async def chunks(self) -> AsyncIterator[bytes]:
        """Yield the chunks of the body, and raise if it exceeds the limit or differs from Content-Length."""
        n_bytes = 0
        try:
            async for chunk in self._request.stream():
                n_bytes += len(chunk)
                if n_bytes > self._length_max:
                    raise self._too_large()
                if self.expected:
                    self.sha256.update(chunk)
                yield chunk
        except ClientDisconnect as error:
            raise _incomplete(f"The connection was closed after {n_bytes} bytes of the body") from error
        length = self._request.headers.get("content-length")
        if length is not None and length.isdecimal() and int(length) != n_bytes:
            raise _incomplete(f"The body has {n_bytes} bytes, but Content-Length is {length}")


def _body_form(request: Request) -> tuple[str | None, bytes | None]:
    """Return the media type of a single file, or the boundary of a multipart body."""
    form, options = parse_options_header(request.headers.get("content-type"))
    if form == b"multipart/form-data":
        if not options.get(b"boundary"):
            raise malformed("Content-Type is multipart/form-data but contains no boundary. Add the boundary.")
        return None, options[b"boundary"]
    if form.startswith(b"multipart/") or form in (b"application/x-www-form-urlencoded", b"application/json"):
        raise InvalidInput(
            f"The content type {form.decode('latin-1')[:100]!r} is not supported. Send multipart/form-data "
            f"with the field `file`, or a single file with the content type of its format (text/csv, …).",
            code="unsupported_media_type",
        )
    return media_type_of(form.decode("latin-1")), None


def _check_length(request: Request, length_max: int, bytes_max: int) -> None:
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > length_max:
        raise _too_large(bytes_max)


async def _receive_file(body: Body, staging: Staging) -> None:
    async for chunk in body.chunks():
        staging.take(chunk)
        if staging.is_due:
            await run_in_threadpool(staging.write)
    await run_in_threadpool(staging.finish)


async def _receive_form(body: Body, staging: Staging, boundary: bytes) -> dict[str, str]:
    reader = MultipartReader(boundary, staging)
    async for chunk in body.chunks():
        reader.feed(chunk)
        if staging.is_due:
            await run_in_threadpool(staging.write)
    if not reader.is_complete:
        raise _incomplete("The multipart body ends before its closing boundary")
    if not reader.n_files:
        raise malformed("The form contains no file. Send one in the field `file`, with a file name.")
    await run_in_threadpool(staging.finish)
    return reader.fields


def _check_not_empty(files: list[StagedFile]) -> None:
    for number, file in enumerate(files, 1):
        if file.size_bytes == 0:
            place = "The file" if len(files) == 1 else f"File {number} of {len(files)}"
            raise InvalidInput(f"{place} is empty. Send a table with a header and rows.", code="empty_file")


def _incomplete(fault: str) -> InvalidInput:
    """Return the error for an incomplete body."""
    return InvalidInput(f"{fault}, so nothing was stored. Send the request again.", code="incomplete_body")


def _too_large(bytes_max: int) -> TooLarge:
    """Return the error for an upload over the limit."""
    return TooLarge(
        f"The upload is larger than upload_bytes_max, which is {bytes_max} bytes. Send Parquet instead of"
        " CSV, send fewer rows, or ask your administrator to raise UNDERSTUDY_UPLOAD_BYTES_MAX.",
        code="upload_too_large",
    )


def _other_size(size_bytes: int) -> InvalidInput:
    return InvalidInput(
        f"The part was not stored, because it must have exactly {size_bytes} bytes: the part_bytes of the"
        " upload or, for the last part of a file, the remaining bytes. Send the part again with this size.",
        code="part_size_mismatch",
    )
