"""Slots that limit the number of jobs that all processes and threads of a worker run at once."""

from __future__ import annotations

import fcntl
import os
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


class JobSlots:
    """Slots shared by the process that created this object and the processes forked from it.

    A slot is a lock on one byte of an unnamed file. The kernel releases a process's locks when the process
    ends for any reason. These locks do not separate the threads of a process, so each process also records
    its own slots.
    """

    def __init__(self, n: int) -> None:
        self._n = n
        self._file, name = tempfile.mkstemp()
        Path(name).unlink()
        # The key is the process ID because a fork copies the record of its parent.
        self._records: dict[int, tuple[threading.Lock, set[int]]] = {}

    @contextmanager
    def taken(self) -> Iterator[bool]:
        """Hold a slot until the block ends. Yield False if none is free."""
        slot = self._take()
        try:
            yield slot is not None
        finally:
            if slot is not None:
                self._release(slot)

    def _record(self) -> tuple[threading.Lock, set[int]]:
        return self._records.setdefault(os.getpid(), (threading.Lock(), set()))

    def _take(self) -> int | None:
        lock, held = self._record()
        with lock:
            for slot in range(self._n):
                if slot not in held and self._lock(slot):
                    held.add(slot)
                    return slot
        return None

    def _lock(self, slot: int) -> bool:
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, slot)
        except (BlockingIOError, PermissionError):
            return False
        return True

    def _release(self, slot: int) -> None:
        lock, held = self._record()
        with lock:
            held.remove(slot)
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, slot)
