"""Folders for Unix sockets. The kernel limits socket paths to about 100 bytes."""

from __future__ import annotations

import os
import stat
import tempfile
from pathlib import Path

SOCKET_PATH_BYTES_MAX = 100


def socket_folder(folder: Path, name: str, owner: tuple[int, int]) -> Path:
    """Return a folder of mode 0700 for a socket, and create it if it does not exist.

    The folder is inside the server's folder. If that path would be too long, it is a temporary folder, and
    its path is stored in the file `socket-folder`, so that later starts use it again.
    """
    inside = folder / "socket"
    if len(os.fsencode(inside / name)) <= SOCKET_PATH_BYTES_MAX:
        make_private(inside, owner)
        return inside
    note = folder / "socket-folder"
    if note.exists() and _is_private(Path(note.read_text()), owner):
        return Path(note.read_text())
    outside = Path(tempfile.mkdtemp(prefix="understudy-", dir="/tmp"))
    os.chown(outside, *owner)
    note.write_text(str(outside))
    return outside


def find_socket_folder(folder: Path, name: str) -> Path | None:
    """Return the folder that `socket_folder` created for a server, or None if it does not exist."""
    inside, note = folder / "socket", folder / "socket-folder"
    if len(os.fsencode(inside / name)) <= SOCKET_PATH_BYTES_MAX:
        return inside if inside.exists() else None
    return Path(note.read_text()) if note.exists() else None


def make_private(folder: Path, owner: tuple[int, int]) -> None:
    """Create a folder that only its owner can enter, or restrict an existing folder."""
    folder.mkdir(mode=0o700, exist_ok=True)
    folder.chmod(0o700)
    os.chown(folder, *owner)


def _is_private(folder: Path, owner: tuple[int, int]) -> bool:
    try:
        status = folder.lstat()
    except OSError:
        return False
    is_folder = stat.S_ISDIR(status.st_mode)
    return is_folder and stat.S_IMODE(status.st_mode) == 0o700 and status.st_uid == owner[0]
