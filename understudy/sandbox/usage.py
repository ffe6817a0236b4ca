"""Limits of a run that the kernel does not enforce: the size and number of all its files together."""

from __future__ import annotations

import os
import time
from pathlib import Path

from understudy.sandbox import confinement
from understudy.sandbox.messages import SandboxLimits

# Minimum time in seconds between two measurements, and minimum ratio of this time to the duration of a
# measurement.
PAUSE_SECONDS = 0.25
PAUSES = 20
# A job writes at most a few hundred files and folders.
N_FILES_MAX = 100_000
DEPTH_MAX = 32
# Files on disk occupy blocks of this size (stat(2)).
BLOCK_BYTES = 512
DELETED = " (deleted)"


class _TooMuch(Exception):
    """Raised when the files of a run exceed a limit or cannot be measured."""


class Usage:
    """The files of a run: the files in its folder, and deleted files that its process still uses."""

    def __init__(self, folder: Path, limits: SandboxLimits) -> None:
        self._folder = folder
        self._limits = limits
        self._next = 0.0

    def is_exceeded(self, pid: int) -> bool:
        """Return whether the files of a run exceed a limit. Most calls measure nothing, to save time."""
        started = time.monotonic()
        if started < self._next:
            return False
        is_exceeded = self.measure(pid) > self._limits.folder_bytes
        ended = time.monotonic()
        self._next = ended + max(PAUSE_SECONDS, PAUSES * (ended - started))
        return is_exceeded

    def measure(self, pid: int) -> float:
        """Return the bytes on disk of the files of a run, or infinity if their number or depth is too large.

        Deleted files are counted while they are open. If a file is deleted and closed but still mapped into
        memory, its size cannot be measured and counts as infinite.
        """
        try:
            sizes = _sizes_below(self._folder)
            # The process may have ended, and systems other than Linux do not list the files of a process.
            if confinement.IS_LINUX and (Path("/proc") / str(pid) / "fd").exists():
                sizes |= self._deleted_sizes(pid, sizes)
        except _TooMuch:
            return float("inf")
        return float(sum(sizes.values()))

    def _deleted_sizes(self, pid: int, named: dict[tuple[int, int], int]) -> dict[tuple[int, int], int]:
        process = Path("/proc") / str(pid)
        mapped = self._deleted_mappings(process)
        sizes = _open_sizes(process / "fd", self._folder)
        inodes = {inode for _, inode in (*sizes, *named)}
        # The mappings are read again because the process may have mapped a file and closed its descriptor
        # between the first two readings.
        if (mapped & self._deleted_mappings(process)) - inodes:
            raise _TooMuch
        return sizes

    def _deleted_mappings(self, process: Path) -> set[int]:
        """Return the inodes of deleted files of the folder that the process has mapped into memory."""
        try:
            lines = (process / "maps").read_text(errors="replace").splitlines()
        except OSError:
            return set()
        start = f"{self._folder}/"
        found = [line.split(maxsplit=5) for line in lines if line.endswith(DELETED)]
        return {int(words[4]) for words in found if len(words) == 6 and words[5].startswith(start)}


def _sizes_below(folder: Path) -> dict[tuple[int, int], int]:
    """Return the size of each file and folder below a folder, by its device and inode."""
    sizes: dict[tuple[int, int], int] = {}
    folders = [(folder, 1)]
    while folders:
        current, depth = folders.pop()
        try:
            with os.scandir(current) as entries:
                for entry in entries:
                    _add(sizes, entry.stat(follow_symlinks=False))
                    if len(sizes) > N_FILES_MAX:
                        raise _TooMuch
                    if entry.is_dir(follow_symlinks=False):
                        folders.append((Path(entry.path), depth + 1))
        except FileNotFoundError:
            # The run has deleted the folder or a file in it in the meantime.
            continue
        except OSError:
            # A folder that cannot be read, or a path that is too long, hides files.
            raise _TooMuch from None
        if depth > DEPTH_MAX:
            raise _TooMuch
    return sizes


def _open_sizes(descriptors: Path, folder: Path) -> dict[tuple[int, int], int]:
    sizes: dict[tuple[int, int], int] = {}
    device = folder.stat().st_dev if folder.exists() else -1
    try:
        for descriptor in descriptors.iterdir():
            # The process may have closed the descriptor in the meantime.
            try:
                status = descriptor.stat()
            except OSError:
                continue
            if status.st_dev == device and status.st_nlink == 0:
                _add(sizes, status)
    except OSError:
        return sizes
    return sizes


def _add(sizes: dict[tuple[int, int], int], status: os.stat_result) -> None:
    sizes[status.st_dev, status.st_ino] = status.st_blocks * BLOCK_BYTES
