"""Conditional requests, and responses from stored files with ETag, Range and HEAD."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass
from threading import Event
from typing import BinaryIO

from fastapi import Request, Response

from app.downloads import CheckedDownload, Download
from app.error_handlers import problem_response
from app.head_requests import is_head
from understudy.errors import InvalidInput
from understudy.services.integrity import check_digest, is_trusted, read_checked

# A download that stalls early, with full send buffers, occupies only one small chunk of memory. Later chunks
# are larger because each chunk costs a thread switch.
FIRST_CHUNK_BYTES = 1 << 16
FIRST_BYTES = 4 << 20
CHUNK_BYTES = 1 << 18
# The digest of a larger file is compared while the file is sent. Reading this many bytes takes about 0.2 s.
CHECKED_FIRST_BYTES_MAX = 256 << 20
# Only a limited number of larger files is compared at a time. Reading this many bytes takes about 10 ms.
CHECKED_FREELY_BYTES_MAX = 8 << 20
BINARY = "application/octet-stream"
ONE_RANGE = re.compile(r"bytes=(\d{0,19})-(\d{0,19})")


@dataclass(frozen=True)
class StoredContent:
    """A file in the store, with its ETag and the file name for the download.

    Parameters
    ----------
    open : callable
        Function that opens the file. If its argument is False, the function also compares the digest.
    """

    open: Callable[[bool], BinaryIO]
    sha256: bytes
    size_bytes: int
    etag: str
    filename: str
    media_type: str


def not_modified(etag: str) -> Response:
    """Return the 304 response for a caller that has the current version."""
    return Response(status_code=304, headers={"ETag": etag})


def redirect(url: str, etag: str, sha256: bytes) -> Response:
    """Return a redirect to a presigned URL. The client can compare the file with the digest."""
    digest = base64.b64encode(sha256).decode()
    headers = {
        "Location": url,
        "ETag": etag,
        "Repr-Digest": f"sha-256=:{digest}:",
        # A cached redirect would outlive the URL.
        "Cache-Control": "no-store",
    }
    return Response(status_code=307, headers=headers)


def send_stored(request: Request, content: StoredContent) -> Response:
    """Return a response with the file or the requested range.

    A request for several ranges gets the whole file. The content is compared with its digest before the
    response starts. For a large file that is requested as a whole, the comparison would take too long, so it
    takes place while the file is sent, and the last chunk is sent only if the digest is correct. A HEAD
    request compares only the size.
    """
    span = _span(request, content)
    start, end = span or (0, content.size_bytes)
    if span and start >= end:
        return _range_not_satisfiable(request, content.size_bytes)
    is_whole = span is None and not is_head(request)
    is_checked_later = is_whole and content.size_bytes > CHECKED_FIRST_BYTES_MAX
    headers = {
        "ETag": content.etag,
        "Accept-Ranges": "bytes",
        "Content-Length": str(end - start),
        "Content-Type": content.media_type,
        "Content-Disposition": f'attachment; filename="{content.filename}"',
    }
    if span:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{content.size_bytes}"
    status = 206 if span else 200
    if is_head(request):
        content.open(True).close()
        return Response(status_code=status, headers=headers)

    def open_chunks(_: Event) -> Generator[bytes]:
        file = content.open(is_checked_later)
        return _read_checked(file, content.sha256) if is_checked_later else _read(file, start, end)

    def open_file(_: Event) -> StoredChunks:
        return StoredChunks(content.open(True), content.sha256, start, end)

    if is_checked_later or content.size_bytes <= CHECKED_FREELY_BYTES_MAX:
        return Download(open_chunks, status, headers)
    return CheckedDownload(open_file, status, headers)


class StoredChunks:
    """The bytes of a stored file from a start position to an exclusive end position."""

    def __init__(self, file: BinaryIO, sha256: bytes, start: int, end: int) -> None:
        self._file = file
        self._sha256 = sha256
        self._chunks = _read(file, start, end)

    def __iter__(self) -> Iterator[bytes]:
        return self._chunks

    def __next__(self) -> bytes:
        """Return the next chunk."""
        return next(self._chunks)

    def is_checked(self) -> bool:
        """Return whether the file has been compared with its digest recently."""
        return is_trusted(self._file, self._sha256)

    def check(self) -> None:
        """Compare the file with its digest, and raise an error if they differ."""
        check_digest(self._file, self._sha256)

    def close(self) -> None:
        """Close the file."""
        self._chunks.close()
        self._file.close()


def _span(request: Request, content: StoredContent) -> tuple[int, int] | None:
    """Return the start and the exclusive end of the requested range, or None for the whole file."""
    match = ONE_RANGE.fullmatch(request.headers.get("range", ""))
    if match is None or match[0] == "bytes=-" or not _if_range_holds(request, content.etag):
        return None
    size = content.size_bytes
    if match[1]:
        start, end = int(match[1]), int(match[2]) + 1 if match[2] else size
    else:
        start, end = max(size - int(match[2]), 0), size
    if match[1] and match[2] and end <= start:
        return None
    return start, min(end, size)


def _range_not_satisfiable(request: Request, size: int) -> Response:
    error = InvalidInput(
        f"The requested range starts after the end of the file. Request a range within its {size} bytes.",
        code="range_not_satisfiable",
    )
    return problem_response(request.scope, error, headers={"Content-Range": f"bytes */{size}"})


def _if_range_holds(request: Request, etag: str) -> bool:
    return request.headers.get("if-range", etag) == etag


def _read_checked(file: BinaryIO, sha256: bytes) -> Generator[bytes]:
    with file:
        yield from read_checked(file, sha256)


def _read(file: BinaryIO, start: int, end: int) -> Generator[bytes]:
    with file:
        file.seek(start)
        position = start
        while position < end:
            n_bytes = FIRST_CHUNK_BYTES if position < start + FIRST_BYTES else CHUNK_BYTES
            chunk = file.read(min(n_bytes, end - position))
            if not chunk:
                return
            position += len(chunk)
            yield chunk
