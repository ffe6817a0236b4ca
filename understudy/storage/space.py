"""A full disk, told as what it is."""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from understudy.errors import StorageFull

NO_SPACE = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def telling_full_disk() -> Iterator[None]:
    """Raise `StorageFull` when a file that is being staged finds no space."""
    try:
        yield
    except OSError as error:
        if error.errno in NO_SPACE:
            raise StorageFull(
                "There is no space left to receive the file; nothing was kept of it."
            ) from error
        raise
