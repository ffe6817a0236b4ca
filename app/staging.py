"""Files that arrive: written once, in large pieces, on the store's file system, counted and hashed."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

from understudy.errors import UnderstudyError
from understudy.ids import new_id
from understudy.storage.space import translating_full_disk

FLUSH_BYTES = 1 << 20


class StagedFile:
    """A file in the staging folder, and how its sender called it."""

    def __init__(self, path: Path, filename: str | None = None, media_type: str | None = None) -> None:
        self.path = path
        self.filename = filename
        self.media_type = media_type
        self.size_bytes = 0
        self.sha256 = hashlib.sha256()
        self._pending = bytearray()
        self._file = path.open("wb")

    def add(self, data: bytes) -> None:
        """Take some bytes; they are written by the next `write`."""
        self.size_bytes += len(data)
        self._pending += data

    @property
    def is_due(self) -> bool:
        """Whether enough has come together for a write."""
        return len(self._pending) >= FLUSH_BYTES

    @property
    def is_closed(self) -> bool:
        """Whether nothing more can be written."""
        return self._file.closed

    def write(self) -> None:
        """Write what was taken."""
        pending, self._pending = self._pending, bytearray()
        self.sha256.update(pending)
        with translating_full_disk():
            self._file.write(pending)

    def close(self) -> None:
        """Close the file; what was not written is dropped."""
        with translating_full_disk():
            self._file.close()


class Staging:
    """The files of one request, which together never grow over a limit.

    Parameters
    ----------
    too_large : callable
        Makes the error to raise when they do.
    """

    def __init__(self, folder: Path, bytes_max: int, too_large: Callable[[], UnderstudyError]) -> None:
        self.folder = folder
        self.bytes_max = bytes_max
        self.too_large = too_large
        self.size_bytes = 0
        self.files: list[StagedFile] = []

    def begin(self, filename: str | None = None, media_type: str | None = None) -> None:
        """Begin the next file."""
        with translating_full_disk():
            path = self.folder / f"upload-{new_id().hex}"
            self.files.append(StagedFile(path, filename, media_type))

    def take(self, data: bytes) -> None:
        """Take bytes of the file that was begun last; they are written by the next `write`."""
        self.size_bytes += len(data)
        if self.size_bytes > self.bytes_max:
            raise self.too_large()
        self.files[-1].add(data)

    @property
    def is_due(self) -> bool:
        """Whether a file has enough for a write, or has ended and is still open."""
        return bool(self.files) and (
            self.files[-1].is_due or (len(self.files) > 1 and not self.files[-2].is_closed)
        )

    def write(self) -> None:
        """Write what was taken, and close the files that have ended."""
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
        """Close all files, and remove those that were not moved elsewhere."""
        for file in self.files:
            file.close()
            file.path.unlink(missing_ok=True)
