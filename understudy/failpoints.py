"""Named points in the code at which tests inject faults (``tests/faults``).

Without the environment variable `UNDERSTUDY_FAILPOINTS`, `failpoint` is a function that does nothing. The
variable is the path of a folder. A test arms a point by writing a file with the point's name into the folder,
and the first process that reaches the point removes the file and performs the action in it.

The variable is not a setting, because no installation needs it. If the variable is set, a process starts only
if the folder belongs to its own user and no other user can access the folder.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import signal
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from understudy.errors import Unavailable, UnderstudyError

VARIABLE = "UNDERSTUDY_FAILPOINTS"
# Suffix of the file that marks a point as reached. The file contains the ID of the process that reached it.
REACHED = ".reached"
HOLD_SECONDS_MAX = 60.0

Drop = Callable[[], object]


def _do_nothing(name: str, drop: Drop | None = None) -> None:
    """Do nothing because the process was started without failpoints."""


class Failpoints:
    """The failpoints of a folder.

    Each file contains JSON with the fields `action`, `hit` (the number of the hit that triggers the action)
    and `seconds` (the duration of the action `sleep`).
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._actions: dict[str, Callable[[dict[str, Any]], None]] = {
            "kill": lambda _: os.kill(os.getpid(), signal.SIGKILL),
            # Another thread could handle a signal to the process, and this thread would continue until then.
            "stop": lambda _: signal.pthread_kill(threading.get_ident(), signal.SIGSTOP),
            "sleep": lambda order: time.sleep(order["seconds"]),
            "hold": lambda order: self._hold(order["name"]),
            "raise": lambda _: _raise(Unavailable("A failpoint interrupted the call. Repeat the call.")),
            "enospc": lambda _: _raise(OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))),
            "eio": lambda _: _raise(OSError(errno.EIO, os.strerror(errno.EIO))),
        }

    def reach(self, name: str, drop: Drop | None = None) -> None:
        """Perform the action of a point, if the point is armed and this is the chosen hit."""
        if not (self.folder / name).exists():
            return
        order = self._take(name)
        if order is None:
            return
        if order["action"] == "drop":
            assert drop is not None, f"{name} has no connection to drop"
            drop()
        else:
            self._actions[order["action"]]({**order, "name": name})

    def _take(self, name: str) -> dict[str, Any] | None:
        """Disarm a point and return the content of its file, or return None if a later hit is chosen."""
        path = self.folder / name
        with self._locked():
            if not path.exists():
                return None
            order: dict[str, Any] = json.loads(path.read_text())
            if order.get("hit", 1) > 1:
                path.write_text(json.dumps({**order, "hit": order["hit"] - 1}))
                return None
            path.unlink()
            path.with_name(name + REACHED).write_text(str(os.getpid()))
        return order

    def _hold(self, name: str) -> None:
        """Wait until the test deletes the file that shows that the point was reached."""
        end = time.monotonic() + HOLD_SECONDS_MAX
        while (self.folder / (name + REACHED)).exists() and time.monotonic() < end:
            time.sleep(0.01)

    @contextmanager
    def _locked(self) -> Iterator[None]:
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)


def _raise(error: Exception) -> None:
    raise error


def open_failpoints(folder: Path) -> Failpoints:
    """Return the failpoints of a folder.

    Raises
    ------
    UnderstudyError
        With the code `configuration`, if another user could arm failpoints in the folder.
    """
    status = folder.stat() if folder.is_dir() else None
    if status is None or status.st_uid != os.geteuid() or stat.S_IMODE(status.st_mode) & 0o077:
        raise UnderstudyError(
            f"{VARIABLE} is not the path of a folder that only the user of this process can access. Unset the"
            " variable, which is only for tests.",
            code="configuration",
        )
    return Failpoints(folder)


ARE_ACTIVE = bool(os.environ.get(VARIABLE))
# The variable is read once, so that a process that was started without failpoints can never reach one.
failpoint: Callable[..., None] = (
    open_failpoints(Path(os.environ[VARIABLE])).reach if ARE_ACTIVE else _do_nothing
)
