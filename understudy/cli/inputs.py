"""Files that commands read."""

from __future__ import annotations

from pathlib import Path

from understudy.errors import NotFound


def existing_file(path: Path) -> Path:
    """Return the path of a file that exists.

    Raises
    ------
    NotFound
        If it does not exist, or is a folder.
    """
    if not path.is_file():
        raise NotFound(f"There is no file {path}.")
    return path
