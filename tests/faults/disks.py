"""Small disks that tests fill. Only root can mount them."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from pathlib import Path

REFILL_SECONDS = 0.5


def mount_disk(folder: Path, size_mebibytes: int) -> bool:
    """Mount a small disk at a folder, and return whether this user is allowed to mount it."""
    folder.mkdir(parents=True, exist_ok=True)
    options = ["mount", "-t", "tmpfs", "-o", f"size={size_mebibytes}m,mode=0755", "tmpfs", str(folder)]
    return subprocess.run(options, capture_output=True, check=False).returncode == 0


def unmount_disk(folder: Path) -> None:
    """Detach a disk, even if a process still has a file open in it."""
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def keep_full(folder: Path, seconds: float, is_intact: Callable[[], bool]) -> None:
    """Keep a disk full for some seconds, then free the space.

    Fill the disk again whenever files on it are deleted. Meanwhile, check that a condition is true.
    """
    filler = folder / "filler"
    ends_at = time.monotonic() + seconds
    try:
        while time.monotonic() < ends_at:
            fill(filler)
            assert is_intact()
            time.sleep(REFILL_SECONDS)
    finally:
        filler.unlink()


def fill(path: Path) -> None:
    """Append to a file until the disk is full."""
    with path.open("ab", buffering=0) as file:
        for chunk in (1 << 20, 1 << 12, 1):
            try:
                while file.write(b"\0" * chunk) == chunk:
                    pass
            except OSError:
                continue
