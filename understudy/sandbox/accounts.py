"""User IDs for sandbox runs, so that each run on a machine has its own ID.

A lock on a file reserves an ID. When a sandbox server ends, all its runs end and the kernel releases their
locks. All workers on a machine share one lock folder. Containers have separate lock folders, so the search
begins at a random ID. If two runs nevertheless have the same ID, they share only the thread limit, because
other mechanisms isolate them.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pwd
import secrets
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

# No distribution assigns these user IDs, and containers with 65,536 IDs contain them.
UIDS = range(64_200, 65_200)
# Possible parent folders for root's lock folder. The first one that exists and is writable is used.
PARENTS = (Path("/run"), Path("/tmp"))  # noqa: S108 - the folder is created with a check of its owner
FOLDER_NAME = "understudy-accounts"


@dataclass(frozen=True)
class Account:
    """A reserved user ID, and the descriptor that holds its lock."""

    uid: int
    lock: int

    def release(self) -> None:
        """Release the ID for other runs. Call this method after the last process with the ID has ended."""
        os.close(self.lock)


class Accounts:
    """The user IDs that the runs of a server may use.

    Parameters
    ----------
    folder : Path
        Folder with the locks, which only root can write to.
    uids : sequence of int
        User IDs to choose from.
    """

    def __init__(self, folder: Path, uids: Sequence[int]) -> None:
        self._folder = folder
        self._uids = uids

    def take(self) -> Account:
        """Reserve an ID that no run on this machine uses.

        Raises
        ------
        OSError
            If every ID is in use, or the lock cannot be taken.
        """
        for uid in self._in_random_order():
            lock = os.open(self._folder / str(uid), os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(lock)
            else:
                return Account(uid, lock)
        raise OSError("Every user ID for runs of the sandbox is in use.")

    def _in_random_order(self) -> Iterator[int]:
        start = secrets.randbelow(len(self._uids))
        yield from self._uids[start:]
        yield from self._uids[:start]


def find_accounts(parents: Sequence[Path] = PARENTS) -> Accounts | None:
    """Return the user IDs for runs, or None if there are none or there is no folder for their locks."""
    folder = next((folder for parent in parents if (folder := _private_folder(parent)) is not None), None)
    uids = _free_uids()
    return Accounts(folder, uids) if folder is not None and uids else None


def _private_folder(parent: Path) -> Path | None:
    """Return the folder with the locks if it belongs to this account and no other account can write to it."""
    folder = parent / FOLDER_NAME
    try:
        with contextlib.suppress(FileExistsError):
            folder.mkdir(mode=0o700)
        status = folder.lstat()
    except OSError:
        return None
    is_private = status.st_uid == os.geteuid() and stat.S_IMODE(status.st_mode) == 0o700
    return folder if stat.S_ISDIR(status.st_mode) and is_private and os.access(folder, os.W_OK) else None


def _free_uids() -> list[int]:
    """Return the user IDs that no account has and that the user namespace of this process contains."""
    taken = {entry.pw_uid for entry in pwd.getpwall()}
    lines = Path("/proc/self/uid_map").read_text().splitlines()
    mapped = [
        range(int(first), int(first) + int(length)) for first, _, length in (line.split() for line in lines)
    ]
    return [uid for uid in UIDS if uid not in taken and any(uid in part for part in mapped)]
