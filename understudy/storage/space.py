"""Detect a full disk and translate the errors that it causes."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from understudy.errors import StorageFull

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})
# A disk with less free space than both limits counts as full because the files of a job would not fit. The
# fraction is for small disks.
FREE_BYTES_MIN = 64 << 20
FREE_FRACTION_MIN = 0.02
NOT_STORED = "The disk is full, so the file was not stored. Free some disk space and upload the file again."


def check_space(folder: Path) -> None:
    """Write and delete a small file.

    Raises
    ------
    OSError
        If the file cannot be written. The code is `ENOSPC` if the disk is nearly full.
    """
    with tempfile.NamedTemporaryFile(dir=folder) as file:
        file.write(b"understudy")
        file.flush()
        disk = os.fstatvfs(file.fileno())
    n_free = disk.f_bavail * disk.f_frsize
    # Some network file systems report no sizes.
    if disk.f_blocks and n_free < min(FREE_BYTES_MIN, FREE_FRACTION_MIN * disk.f_blocks * disk.f_frsize):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


@contextmanager
def translating_full_disk(detail: str = NOT_STORED) -> Iterator[None]:
    """Raise `StorageFull` if the disk is full while a request writes to the staging folder."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_SPACE:
            raise StorageFull(detail) from error
        raise
