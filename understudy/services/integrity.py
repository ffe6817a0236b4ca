"""Comparison of stored files with the digests that were computed when they were stored."""

from __future__ import annotations

import hashlib
import io
import os
import threading
import time
from collections import OrderedDict
from collections.abc import Iterator
from contextlib import contextmanager
from typing import BinaryIO

from understudy.errors import UnderstudyError

CHUNK_BYTES = 1 << 20
# A download holds two of these chunks in memory, even if its client has stalled.
SENT_CHUNK_BYTES = 1 << 17
# Time during which an unchanged file is not read again. Otherwise each part of a download in ranges would
# read the whole file.
TRUSTED_SECONDS = 60.0
N_TRUSTED_MAX = 1_000

# For an open file, its identity and the time of its last change, which no call can set back. For an object in
# an object store, its version.
_Version = tuple[str | int, ...]
_Content = tuple[_Version, bytes]
_trusted: OrderedDict[_Content, float] = OrderedDict()
# The files that are being read, each with a lock and the number of threads that need it.
_reading: dict[_Content, tuple[threading.Lock, int]] = {}
_lock = threading.Lock()


def corrupt(how: str) -> UnderstudyError:
    """Return the error for a stored file that is missing or damaged."""
    detail = f"The stored file {how}. Ask your administrator to restore it from a backup."
    return UnderstudyError(detail, code="artifact_corrupt")


def check_digest(file: BinaryIO, sha256: bytes) -> None:
    """Check that a file has the given digest, and leave its position at the start.

    If several threads check the same file, only one of them reads it.

    Raises
    ------
    UnderstudyError
        With the code `artifact_corrupt`, if the digest differs.
    """
    version = _version(file)
    if version is None:
        _compare(file, sha256)
        return
    content = version, sha256
    with _alone(content):
        if not _is_trusted(content):
            _compare(file, sha256)
            _trust(content)


def is_trusted(file: BinaryIO, sha256: bytes) -> bool:
    """Return whether an open file was compared with this digest recently and is trusted without a check."""
    version = _version(file)
    return version is not None and _is_trusted((version, sha256))


def _compare(file: BinaryIO, sha256: bytes) -> None:
    digest = hashlib.sha256()
    while chunk := file.read(CHUNK_BYTES):
        digest.update(chunk)
    file.seek(0)
    if digest.digest() != sha256:
        raise corrupt("does not match its checksum")


@contextmanager
def _alone(content: _Content) -> Iterator[None]:
    """Let only one thread at a time read a file, so that the others can rely on its result."""
    with _lock:
        reading, n_threads = _reading.get(content, (threading.Lock(), 0))
        _reading[content] = reading, n_threads + 1
    try:
        with reading:
            yield
    finally:
        with _lock:
            reading, n_threads = _reading[content]
            if n_threads == 1:
                del _reading[content]
            else:
                _reading[content] = reading, n_threads - 1


def read_checked(file: BinaryIO, sha256: bytes) -> Iterator[bytes]:
    """Yield the chunks of a file, and the last one only if the whole file has the given digest.

    Raises
    ------
    UnderstudyError
        With the code `artifact_corrupt`, before the last chunk, if the digest differs.
    """
    digest = hashlib.sha256()
    held_back = b""
    while chunk := file.read(SENT_CHUNK_BYTES):
        if held_back:
            yield held_back
        digest.update(chunk)
        held_back = chunk
    if digest.digest() != sha256:
        raise corrupt("does not match its checksum")
    if held_back:
        yield held_back


def _version(file: BinaryIO) -> _Version | None:
    version: _Version | None = getattr(file, "content_version", None)
    if version is not None:
        return version
    try:
        status = os.fstat(file.fileno())
    except (OSError, io.UnsupportedOperation):
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_ctime_ns


def _is_trusted(key: tuple[_Version, bytes]) -> bool:
    with _lock:
        return time.monotonic() < _trusted.get(key, 0.0)


def _trust(key: tuple[_Version, bytes]) -> None:
    with _lock:
        _trusted[key] = time.monotonic() + TRUSTED_SECONDS
        while len(_trusted) > N_TRUSTED_MAX:
            _trusted.popitem(last=False)
