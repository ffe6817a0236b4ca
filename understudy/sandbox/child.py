"""The sandbox child, which confines itself, does the work, sends the outcome, and exits without cleanup."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from understudy.errors import Unavailable
from understudy.progress import Progress
from understudy.sandbox import confinement, failures
from understudy.sandbox.messages import MESSAGE_BYTES_MAX, Json, SandboxLimits, encode
from understudy.sandbox.walls import Walls, shut

Target = Callable[[Json, Path, Progress], Json]

PROGRESS_SECONDS = 0.2
STDERR = 2


@dataclass(frozen=True)
class ChildSetting:
    """The target, the walls and the readable libraries, which are the same for all children of a server."""

    target: Target
    walls: Walls
    libraries: Sequence[Path]


@dataclass(frozen=True)
class Start:
    """The descriptors and IDs that differ between the children of a server.

    Parameters
    ----------
    request, output, stderr : int
        Descriptors of the file with the request, and of the pipes for the outcome and for error messages.
    uid : int or None
        User ID that only this child has, or None if the server cannot run it as another user.
    server_pid : int
        Process ID of the server.
    """

    request: int
    output: int
    stderr: int
    uid: int | None
    server_pid: int


def run_child(setting: ChildSetting, start: Start) -> NoReturn:
    """Do the work described in the request, write its outcome to the pipe, and exit."""
    status = 1
    try:
        _leave_server(start)
        _do(setting, start)
        status = 0
    finally:
        # Neither the code of the server after the fork nor its exit handlers may run in the child.
        os._exit(status)


def _leave_server(start: Start) -> None:
    os.setsid()
    confinement.die_with_parent(start.server_pid)
    confinement.offer_to_oom_killer()
    signal.set_wakeup_fd(-1)
    for signal_number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(signal_number, signal.SIG_DFL)
    os.umask(0o077)
    os.dup2(start.stderr, STDERR)
    _close_all_but({0, 1, STDERR, start.request, start.output})


def _close_all_but(keep: set[int]) -> None:
    # Close the connections of other runs because an open copy would keep another run from ending.
    kept = sorted(keep)
    for low, high in zip(kept, [*kept[1:], os.sysconf("SC_OPEN_MAX")], strict=True):
        os.closerange(low + 1, high)


def _do(setting: ChildSetting, start: Start) -> None:
    try:
        with os.fdopen(start.request, encoding="utf-8") as file:
            folder = _confine(setting, start, json.loads(file.readline()))
            # The payload contains untrusted text, so it is parsed only after the process has confined itself.
            payload = json.loads(file.read())
        message = {"result": setting.target(payload, folder, ProgressWriter(start.output))}
        data = encode(message)
        if len(data) > MESSAGE_BYTES_MAX:
            raise ValueError(f"the result exceeds the maximum message size of {MESSAGE_BYTES_MAX} bytes")
    # This is the boundary of the process, so every exception is reported to the supervisor.
    except BaseException as error:
        data = encode({"error": failures.describe(error)})
    write_all(start.output, data)


def _confine(setting: ChildSetting, start: Start, header: Json) -> Path:
    """Apply the limits in the request's header to this process, and return the work folder.

    Raises
    ------
    Unavailable
        If the machine cannot apply the limits at the moment. The job is not the cause.
    """
    folder = Path(header["folder"])
    try:
        if start.uid is None:
            is_alone = confinement.count_alone()
        else:
            is_alone = True
            os.chown(folder, start.uid, start.uid, follow_symlinks=False)
            confinement.change_account(start.uid)
        # A change of credentials may reset the death signal.
        confinement.die_with_parent(start.server_pid)
        os.chdir(folder)
        # Temporary files of libraries go into the folder of the work and are deleted with it.
        os.environ["TMPDIR"] = os.environ["HOME"] = tempfile.tempdir = str(folder)
        confinement.limit_threads(is_alone=is_alone)
        confinement.apply_limits(SandboxLimits(**header["limits"]))
        shut(setting.walls, setting.libraries, [Path(path) for path in header["inputs"]], folder)
    except OSError as error:
        raise Unavailable("The sandbox could not confine the job's process. Retry the job later.") from error
    return folder


class ProgressWriter:
    """A `Progress` that sends at most five messages a second, and every change of phase."""

    def __init__(self, output: int) -> None:
        self._output = output
        self._phase = ""
        self._next = 0.0

    def __call__(
        self, phase: str, fraction: float, *, rows_done: int | None = None, rows_total: int | None = None
    ) -> None:
        """Send the progress of the work to the supervisor."""
        now = time.monotonic()
        if phase == self._phase and now < self._next:
            return
        self._phase, self._next = phase, now + PROGRESS_SECONDS
        fields = {"phase": phase, "fraction": fraction, "rows_done": rows_done, "rows_total": rows_total}
        present = {name: value for name, value in fields.items() if value is not None}
        write_all(self._output, encode({"progress": present}))


def write_all(descriptor: int, data: bytes) -> None:
    """Write all bytes to a pipe, which may accept only some of them at a time."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
