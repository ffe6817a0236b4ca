"""The data folder of an embedded stack, and the lock that lets only one stack use it at a time."""

from __future__ import annotations

import fcntl
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from understudy.errors import Conflict, Unavailable


@dataclass
class DataFolder:
    """The files of a stack. `docs/how-to/embedded.md` lists them."""

    path: Path
    _lock: IO[str] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.path = self.path.absolute()

    @property
    def logs(self) -> Path:
        """The folder with the log of each part."""
        return self.path / "logs"

    @property
    def api_key_file(self) -> Path:
        """The file with the key of the first project, which only its owner can read."""
        return self.path / "api-key"

    @property
    def url_file(self) -> Path:
        """The file with the address of the API while the stack runs."""
        return self.path / "url"

    def make(self) -> None:
        """Create the folders.

        Raises
        ------
        Unavailable
            If the folder cannot be created. The message contains the setting to change.
        """
        # Other users must be able to traverse the folder because Postgres runs as another user if the stack
        # runs as root.
        try:
            self.path.mkdir(mode=0o711, parents=True, exist_ok=True)
            self.logs.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Unavailable(
                f"The data folder {self.path} cannot be created ({error.strerror}). Set UNDERSTUDY_DATA_DIR "
                "to a folder that you can write to.",
                code="configuration",
            ) from error

    def lock(self) -> None:
        """Lock the folder for this process until it ends.

        Raises
        ------
        Conflict
            If a stack already runs in the folder. The message contains its process ID and address.
        """
        file = (self.path / "lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            file.close()
            raise Conflict(
                f"A stack already runs in {self.path} (process {owner}, {self.url() or 'starting'}). Use it, "
                "stop it, or choose another folder with --data-dir."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._lock = file

    def unlock(self) -> None:
        """Release the folder if this process has locked it."""
        if self._lock is not None:
            self.url_file.unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def is_locked(self) -> bool:
        """Return whether another process runs a stack in this folder."""
        if not (self.path / "lock").exists():
            return False
        with (self.path / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def url(self) -> str | None:
        """Return the address of the stack in this folder, which may be stale if the stack was killed."""
        return self.url_file.read_text().strip() if self.url_file.exists() else None

    def secret_key(self) -> str:
        """Return the installation's secret, which is created on the first call."""
        file = self.path / "secret-key"
        if not file.exists():
            write_private(file, secrets.token_urlsafe(48))
        return file.read_text().strip()


def write_private(file: Path, text: str) -> None:
    """Write a file atomically. Only its owner can read it."""
    partial = file.with_name(file.name + ".partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text + "\n")
        output.flush()
        os.fsync(output.fileno())
    partial.rename(file)
