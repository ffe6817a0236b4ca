"""The child's side: confines itself, does the work, says how it went, and leaves without cleaning up."""

from __future__ import annotations

import json
import os
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

from understudy.progress import Progress
from understudy.sandbox import confinement, failures
from understudy.sandbox.messages import MESSAGE_BYTES_MAX, Json, SandboxLimits, encode

Target = Callable[[Json, Path, Progress], Json]

PROGRESS_SECONDS = 0.2
STDERR = 2


def run_child(target: Target, request: int, output: int, stderr: int, server_pid: int) -> NoReturn:
    """Do the work that is described in the file `request`, write what becomes of it to `output`, and exit."""
    status = 1
    try:
        _confine(stderr, keep={request, output}, server_pid=server_pid)
        _do(target, request, output)
        status = 0
    finally:
        # Whatever happens, the server's code after the fork must not run twice, nor its exit handlers.
        os._exit(status)


def _confine(stderr: int, *, keep: set[int], server_pid: int) -> None:
    os.setsid()
    confinement.die_with_parent(server_pid)
    confinement.offer_to_oom_killer()
    signal.set_wakeup_fd(-1)
    for signal_number in (signal.SIGTERM, signal.SIGINT, signal.SIGCHLD):
        signal.signal(signal_number, signal.SIG_DFL)
    os.umask(0o077)
    os.dup2(stderr, STDERR)
    _close_all_but({0, 1, STDERR, *keep})


def _close_all_but(keep: set[int]) -> None:
    # The connections of other runs: to hold one open would keep its run alive.
    kept = sorted(keep)
    for low, high in zip(kept, [*kept[1:], os.sysconf("SC_OPEN_MAX")], strict=True):
        os.closerange(low + 1, high)


def _do(target: Target, request: int, output: int) -> None:
    try:
        with open(request, encoding="utf-8") as file:
            asked = json.load(file)
        folder = Path(asked["folder"])
        os.chdir(folder)
        # Libraries spill beside the work's own files, which are removed with it.
        os.environ["TMPDIR"] = tempfile.tempdir = str(folder)
        confinement.apply_limits(SandboxLimits(**asked["limits"]))
        message = {"result": target(asked["payload"], folder, ProgressWriter(output))}
        data = encode(message)
        if len(data) > MESSAGE_BYTES_MAX:
            raise ValueError("the result is larger than a message may be")
    # Every end of the work is told to the supervisor; this is the boundary of the process.
    except BaseException as error:
        code, detail = failures.describe(error)
        data = encode({"error": {"code": code, "detail": detail}})
    write_all(output, data)


class ProgressWriter:
    """A `Progress` that passes on a few messages a second; changes of phase always."""

    def __init__(self, output: int) -> None:
        self._output = output
        self._phase = ""
        self._next = 0.0

    def __call__(
        self, phase: str, fraction: float, *, rows_done: int | None = None, rows_total: int | None = None
    ) -> None:
        """Tell the supervisor how far the work is."""
        now = time.monotonic()
        if phase == self._phase and now < self._next:
            return
        self._phase, self._next = phase, now + PROGRESS_SECONDS
        told = {"phase": phase, "fraction": fraction, "rows_done": rows_done, "rows_total": rows_total}
        known = {name: value for name, value in told.items() if value is not None}
        write_all(self._output, encode({"progress": known}))


def write_all(descriptor: int, data: bytes) -> None:
    """Write to a pipe, which takes what it has room for."""
    view = memoryview(data)
    while view:
        view = view[os.write(descriptor, view) :]
