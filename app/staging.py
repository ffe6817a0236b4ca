"""Staging of uploaded files.

Each file is hashed and written once, in large chunks, to the store's file system.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from understudy.errors import StorageFull, UnderstudyError
from understudy.failpoints import failpoint
from understudy.ids import new_id
from understudy.storage.space import translating_full_disk

FLUSH_BYTES = 1 << 20


class StagedFile:
    """A file in the staging folder with the name and media type that the client sent."""

    def __init__(self, path: Path, filename: str | None = None, media_type: str | None = None) -> None:
        self.path = path
        self.filename = filename
        self.media_type = media_type
        self.size_bytes = 0
        self.sha256 = hashlib.sha256()
        self._pending = bytearray()
        self._file = path.open("wb")

    def add(self, data: bytes) -> None:
        """Buffer bytes until the next `write`."""
        self.size_bytes += len(data)
        self._pending += data

    @property
    def is_due(self) -> bool:
        """Whether enough bytes are buffered for a write."""
        return len(self._pending) >= FLUSH_BYTES

    @property
    def is_closed(self) -> bool:
        """Whether the file is closed."""
        return self._file.closed

    def write(self) -> None:
        """Write the buffered bytes."""
        pending, self._pending = self._pending, bytearray()
        self.sha256.update(pending)
        with translating_full_disk():
            failpoint("upload.before_write")
            self._file.write(pending)
            failpoint("upload.after_write")

    def close(self) -> None:
        """Close the file and discard the buffered bytes."""
        with translating_full_disk():
            self._file.close()


class Staging:
    """The staged files of one request, with a limit on their total size.

    Parameters
    ----------
    too_large : callable
        Function that returns the error to raise if the files exceed the limit.
    """

    def __init__(self, folder: Path, bytes_max: int, too_large: Callable[[], UnderstudyError]) -> None:
        self.folder = folder
        self.bytes_max = bytes_max
        self.too_large = too_large
        self.size_bytes = 0
        self.files: list[StagedFile] = []

    def begin(self, filename: str | None = None, media_type: str | None = None) -> None:
        """Start the next file."""
        with translating_full_disk():
            path = self.folder / f"upload-{new_id().hex}"
            self.files.append(StagedFile(path, filename, media_type))

    def take(self, data: bytes) -> None:
        """Buffer bytes of the current file until the next `write`."""
        self.size_bytes += len(data)
        if self.size_bytes > self.bytes_max:
            raise self.too_large()
        self.files[-1].add(data)

    @property
    def is_due(self) -> bool:
        """Whether `write` has something to do: write buffered bytes, or close a file that has ended."""
        return bool(self.files) and (
            self.files[-1].is_due or (len(self.files) > 1 and not self.files[-2].is_closed)
        )

    def write(self) -> None:
        """Write the buffered bytes and close the files that have ended."""
        for file in reversed(self.files):
            if file.is_closed:
                break
            file.write()
            if file is not self.files[-1]:
                file.close()

    def finish(self) -> None:
        """Write and close all files."""
        self.write()
        if self.files:
            self.files[-1].close()

    def discard(self) -> None:
        """Close all files, and delete the files that were not moved elsewhere."""
        for file in self.files:
            file.path.unlink(missing_ok=True)
        for file in self.files:
            # On a full disk, buffered bytes cannot be written. The file is deleted anyway.
            with suppress(StorageFull):
                file.close()
