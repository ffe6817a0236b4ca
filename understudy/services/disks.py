"""Check of the disks that jobs write to. A worker claims no jobs while a disk is full or not writable."""

from __future__ import annotations

import os
import tempfile
from contextlib import suppress
from pathlib import Path

from understudy.errors import Unavailable
from understudy.resources import Resources
from understudy.storage.local import LocalStore
from understudy.storage.space import NO_SPACE, check_space


def free_bytes(resources: Resources) -> dict[str, int]:
    """Return the free space of the folders that jobs write to, by their purpose. Skip missing folders."""
    folders = {"scratch": resources.scratch_folder, "temporary": Path(tempfile.gettempdir())}
    if isinstance(resources.store, LocalStore):
        folders["blobs"] = resources.store.root
    free = {}
    for name, folder in folders.items():
        with suppress(OSError):
            disk = os.statvfs(folder)
            free[name] = disk.f_bavail * disk.f_frsize
    return free


def find_disk_problem(resources: Resources) -> str | None:
    """Return the reason why jobs cannot write their files, or None if they can."""
    try:
        resources.store.check_writable()
    except Unavailable as error:
        return error.detail
    for folder in (resources.scratch_folder, Path(tempfile.gettempdir())):
        try:
            check_space(folder)
        except OSError as error:
            if error.errno in NO_SPACE:
                return f"The disk of {folder} is full. Free some disk space."
            return f"The folder {folder} is not writable: {os.strerror(error.errno or 0)}. Check the disk."
    return None
