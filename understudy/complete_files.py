"""Atomic writing of files. A file gets its name only when it is complete."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from understudy.errors import InvalidInput, NotFound, StorageFull


@contextmanager
def complete_or_absent(path: Path) -> Iterator[Path]:
    """Yield a temporary path next to `path`, and rename it to `path` when the block succeeds.

    Raises
    ------
    NotFound
        If the folder does not exist.
    InvalidInput
        If the file cannot be written.
    StorageFull
        If the disk is full.
    """
    if not path.parent.is_dir():
        raise NotFound(f"The folder {path.parent} does not exist. Create it, or choose another folder.")
    # The temporary name ends with the original one because its suffixes determine the format.
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(
                f"There is no space left to write {path}. Free some disk space, or choose another disk."
            ) from error
        raise InvalidInput(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        partial.unlink(missing_ok=True)
