"""Remove folders that were filled by a job's process, which may be hostile."""

from __future__ import annotations

import os
import secrets
import stat
from itertools import count
from pathlib import Path


def remove_folder(folder: Path) -> None:
    """Delete a folder and everything below it, however deep, without following links.

    Unlike `shutil.rmtree`, this function needs neither recursion nor open files for a deep folder, and it
    also removes folders without permissions. No other process may change the folder in the meantime.

    Raises
    ------
    OSError
        If something cannot be deleted. A folder that does not exist is not an error.
    """
    try:
        top = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except FileNotFoundError:
        return
    try:
        prefix, numbers = f".removed-{secrets.token_hex(8)}-", count()
        while names := os.listdir(top):  # noqa: PTH208 (a descriptor, not a path)
            for name in names:
                if _is_folder(name, top):
                    _empty(name, top, prefix, numbers)
                    os.rmdir(name, dir_fd=top)
                else:
                    os.unlink(name, dir_fd=top)
    finally:
        os.close(top)
    folder.rmdir()


def _empty(name: str, top: int, prefix: str, numbers: count[int]) -> None:
    """Delete the files in a subfolder of `top`, and move its own subfolders to `top`."""
    os.chmod(name, stat.S_IRWXU, dir_fd=top)
    inner = os.open(name, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=top)
    try:
        for own in os.listdir(inner):  # noqa: PTH208 (a descriptor, not a path)
            if _is_folder(own, inner):
                # A folder without write permission cannot be moved.
                os.chmod(own, stat.S_IRWXU, dir_fd=inner)
                os.rename(own, f"{prefix}{next(numbers)}", src_dir_fd=inner, dst_dir_fd=top)
            else:
                os.unlink(own, dir_fd=inner)
    finally:
        os.close(inner)


def _is_folder(name: str, parent: int) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=parent, follow_symlinks=False).st_mode)
