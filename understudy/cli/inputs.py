"""Input files of commands."""

from __future__ import annotations

from pathlib import Path

from understudy.errors import NotFound


def existing_file(path: Path) -> Path:
    """Return the path if it is an existing file.

    Raises
    ------
    NotFound
        If it does not exist, or is a folder.
    """
    if not path.is_file():
        raise NotFound(f"The file {path} does not exist. Check the path.")
    return path
