"""Folders for the temporary files of a process, which other processes remove once the process has ended.

A lock on the folder shows that its process is alive. The kernel releases the lock however the process ends.
"""

from __future__ import annotations

import fcntl
import os
import secrets
import shutil
import threading
import time
import weakref
from contextlib import suppress
from pathlib import Path

PREFIX = "process-"


class ProcessFolder:
    """A folder below a root, created and locked on first use. A forked process creates its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._creation = threading.Lock()
        self._finalizer: weakref.finalize[..., ProcessFolder] | None = None
        self._held: tuple[Path, int] | None = None

    @property
    def path(self) -> Path:
        """The folder of this process."""
        with self._creation:
            if self._held is None or self._held[1] != os.getpid():
                folder, handle = _create(self.root)
                self._held = (folder, os.getpid())
                self._finalizer = weakref.finalize(self, _remove, folder, handle, os.getpid())
            return self._held[0]

    def close(self) -> None:
        """Remove the folder and its files. The end of the process does the same, unless it is killed."""
        if self._finalizer is not None:
            self._finalizer()
        self._held = self._finalizer = None


def _remove(folder: Path, handle: int, pid: int) -> None:
    # A fork inherits the object and the handle, but not the folder.
    if pid == os.getpid():
        shutil.rmtree(folder, ignore_errors=True)
        os.close(handle)


def remove_abandoned(root: Path, age_seconds: float = float("inf")) -> None:
    """Remove the folders of processes that have ended, and any other entries older than `age_seconds`.

    The age also applies to the files in the folders of living processes.
    """
    for path in _entries(root):
        if not path.name.startswith(PREFIX):
            _remove_if_older(path, age_seconds)
        elif not _remove_if_unlocked(path):
            for entry in _entries(path):
                _remove_if_older(entry, age_seconds)


def _create(root: Path) -> tuple[Path, int]:
    while True:
        folder = root / f"{PREFIX}{os.getpid()}-{secrets.token_hex(8)}"
        folder.mkdir(mode=0o700)
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
        if _lock(handle) and folder.exists():
            return folder, handle
        # Another process is removing the folder, which was not locked yet.
        os.close(handle)


def _lock(handle: int) -> bool:
    """Lock a folder, and return False if another process has locked it."""
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        # The file system has no locks. `remove_abandoned` then uses the age of the entries.
        return True
    return True


def _entries(folder: Path) -> list[Path]:
    try:
        return list(folder.iterdir())
    except OSError:
        return []


def _remove_if_unlocked(folder: Path) -> bool:
    """Remove a folder and return True, unless its process is alive or may be alive."""
    try:
        handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return not folder.exists()
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        shutil.rmtree(folder, ignore_errors=True)
    except OSError:
        return False
    finally:
        os.close(handle)
    return True


def _remove_if_older(path: Path, age_seconds: float) -> None:
    # Nothing remains to be done if the request that wrote the file has just ended.
    with suppress(FileNotFoundError):
        if path.stat().st_mtime >= time.time() - age_seconds:
            return
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink()
