"""The folder in which one embedded stack keeps everything, and the lock that one stack at a time holds."""

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
    """The files of a stack by name; see `docs/how-to/embedded.md`."""

    path: Path
    _lock: IO[str] | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self.path = self.path.absolute()

    @property
    def logs(self) -> Path:
        """The folder with one log for each part."""
        return self.path / "logs"

    @property
    def api_key_file(self) -> Path:
        """The key of the first project, for the owner's eyes only."""
        return self.path / "api-key"

    @property
    def url_file(self) -> Path:
        """The address of the API while the stack runs."""
        return self.path / "url"

    def make(self) -> None:
        """Make the folders.

        Raises
        ------
        Unavailable
            If that is not allowed; says which setting to change.
        """
        # Others may pass through it: Postgres, where we are root, works as another user.
        try:
            self.path.mkdir(mode=0o711, parents=True, exist_ok=True)
            self.logs.mkdir(mode=0o700, exist_ok=True)
        except OSError as error:
            raise Unavailable(
                f"The data folder {self.path} cannot be made ({error.strerror}): set UNDERSTUDY_DATA_DIR "
                "to a folder of your own.",
                code="configuration",
            ) from error

    def lock(self) -> None:
        """Hold the folder for this process until it ends.

        Raises
        ------
        Conflict
            If a stack runs in it; says which.
        """
        file = (self.path / "lock").open("a+")
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            owner = file.read().strip() or "unknown"
            file.close()
            raise Conflict(
                f"A stack runs in {self.path} already (process {owner}, {self.url() or 'starting'}): use it, "
                "stop it, or give this one another folder with --data-dir."
            ) from None
        file.truncate(0)
        file.write(str(os.getpid()))
        file.flush()
        self._lock = file

    def unlock(self) -> None:
        """Let another stack have the folder, if it is ours."""
        if self._lock is not None:
            self.url_file.unlink(missing_ok=True)
            self._lock.close()
            self._lock = None

    def is_locked(self) -> bool:
        """Say whether another process runs a stack in this folder."""
        if not (self.path / "lock").exists():
            return False
        with (self.path / "lock").open("a+") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    def url(self) -> str | None:
        """Return the address of the stack that runs here, or ran until it was killed."""
        return self.url_file.read_text().strip() if self.url_file.exists() else None

    def secret_key(self) -> str:
        """Return the installation's secret, made once."""
        file = self.path / "secret-key"
        if not file.exists():
            write_private(file, secrets.token_urlsafe(48))
        return file.read_text().strip()


def write_private(file: Path, text: str) -> None:
    """Write a file that only its owner can read, all of it or nothing."""
    partial = file.with_name(file.name + ".partial")
    partial.unlink(missing_ok=True)
    with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text + "\n")
        output.flush()
        os.fsync(output.fileno())
    partial.rename(file)
