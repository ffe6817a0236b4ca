"""Blobs in the memory of the process, for tests and experiments."""

from __future__ import annotations

import io
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from threading import Lock
from typing import BinaryIO

from understudy.errors import Conflict
from understudy.storage.base import check_key, missing


class MemoryStore:
    """A store that loses its content when the process ends."""

    def __init__(self) -> None:
        self._blobs: dict[str, bytes] = {}
        self._lock = Lock()

    def put_file(self, key: str, path: Path) -> None:
        """Move a file into the store under the key."""
        check_key(key)
        with self._lock:
            if key in self._blobs:
                raise Conflict(
                    f"The blob {key!r} already exists, and blobs are never overwritten. Use another key."
                )
            self._blobs[key] = path.read_bytes()
        path.unlink()

    def open(self, key: str) -> BinaryIO:
        """Open a blob for reading."""
        return io.BytesIO(self._get(key))

    def size(self, key: str) -> int:
        """Return the size of a blob in bytes."""
        return len(self._get(key))

    def open_range(self, key: str, start: int, end: int) -> BinaryIO:
        """Open a range of a blob for reading."""
        return io.BytesIO(self._get(key)[start:end])

    @contextmanager
    def local_copy(self, key: str, scratch: Path) -> Iterator[Path]:
        """Copy the blob to a file in `scratch` and yield its path."""
        path = scratch / f"{secrets.token_hex(8)}-{check_key(key).replace('/', '-')}"
        path.write_bytes(self._get(key))
        try:
            yield path
        finally:
            path.unlink(missing_ok=True)

    def delete(self, key: str) -> None:
        """Delete a blob."""
        with self._lock:
            self._blobs.pop(check_key(key), None)

    def delete_partial(self, prefix: str, age: timedelta) -> None:
        """Do nothing because a blob is stored in one step."""

    def keys(self, prefix: str, *, after: str = "") -> Iterator[str]:
        """Yield the keys that begin with the prefix, in ascending order."""
        yield from sorted(key for key in list(self._blobs) if key.startswith(prefix) and key > after)

    def check_writable(self) -> None:
        """Do nothing because memory is always writable."""

    def presigned_url(self, key: str, *, filename: str, seconds: int) -> None:
        """Return None because memory has no URLs."""

    def _get(self, key: str) -> bytes:
        try:
            return self._blobs[check_key(key)]
        except KeyError as error:
            raise missing(key) from error
