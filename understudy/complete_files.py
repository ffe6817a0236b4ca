"""Files that are complete under their name, or not there."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from understudy.errors import InvalidInput, NotFound, StorageFull


@contextmanager
def complete_or_absent(path: Path) -> Iterator[Path]:
    """Give a name to write to, beside the path; it takes the path's name when the block succeeds.

    Raises
    ------
    NotFound
        If the folder does not exist.
    InvalidInput
        If it cannot be written there.
    StorageFull
        If the disk is full.
    """
    if not path.parent.is_dir():
        raise NotFound(f"The folder {path.parent} does not exist.")
    # The name stays at the end, since its suffixes say the format.
    partial = path.with_name(f".{os.getpid()}.{path.name}")
    try:
        yield partial
        partial.replace(path)
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise StorageFull(f"There is no space left to write {path}.") from error
        raise InvalidInput(f"{path} cannot be written: {error.strerror}.") from error
    finally:
        partial.unlink(missing_ok=True)
