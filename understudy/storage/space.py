"""Translation of errors caused by a full disk."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from understudy.errors import StorageFull

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def translating_full_disk() -> Iterator[None]:
    """Raise `StorageFull` if the disk is full while an upload is written to the staging folder."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_SPACE:
            raise StorageFull(
                "The disk is full, so the file was not stored. Free some disk space and upload the file "
                "again."
            ) from error
        raise
