"""Functions that start real workers, find their processes in /proc, and kill or freeze these processes."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from understudy.errors import Unavailable

# A generous time limit in seconds for a quiet machine. A test reaches it only if a process hangs.
ENOUGH_SECONDS = 60.0
# The pause between two checks of a condition grows with the time waited, up to a maximum.
PAUSE_SECONDS = 0.02
PAUSE_FRACTION = 0.02
PAUSE_SECONDS_MAX = 0.2


def until(condition: Callable[[], object], what: str = "condition") -> None:
    """Wait until the condition is true. Fail after a generous time limit, which grows with the load.

    While the database does not respond, the condition counts as false.
    """
    began = time.monotonic()
    while not is_true(condition):
        waited = time.monotonic() - began
        # The load is measured only after the limit for a quiet machine.
        if waited > ENOUGH_SECONDS:
            assert waited < ENOUGH_SECONDS * slowness(), f"timeout after {waited:.0f} s: {what}"
        time.sleep(min(PAUSE_SECONDS_MAX, PAUSE_SECONDS + waited * PAUSE_FRACTION))


def slowness() -> float:
    """Return the factor by which this machine is slower than a quiet one, at least 1.

    The factor is the wall time of a busy loop divided by its CPU time, which grows with the number of other
    processes that compete for the cores.
    """
    wall, cpu = time.perf_counter(), time.thread_time()
    while time.thread_time() - cpu < 0.1:
        pass
    return max(1.0, (time.perf_counter() - wall) / 0.1)


def is_true(condition: Callable[[], object]) -> bool:
    """Return whether a condition is true, or False if the database does not respond."""
    try:
        return bool(condition())
    except Unavailable:
        return False


class WorkerProcess:
    """A worker with its pool processes, its sandbox server and the processes that the server forks."""

    def __init__(self, environment: Mapping[str, str], log: Path) -> None:
        self.environment = dict(environment)
        self._log = log.open("ab")
        self._main = subprocess.Popen(
            [sys.executable, "-P", "-m", "workers"],
            env={**os.environ, **environment},
            stdin=subprocess.DEVNULL,
            stdout=self._log,
            stderr=self._log,
            start_new_session=True,
        )
        self.pid = self._main.pid

    def server_pid(self) -> int:
        """Return the PID of the warm parent."""
        servers = [pid for pid in children_of(self.pid) if b"understudy.sandbox.server" in command_of(pid)]
        assert len(servers) == 1, servers
        return servers[0]

    def pool_pids(self) -> list[int]:
        """Return the PIDs of the pool processes."""
        return [pid for pid in children_of(self.pid) if b"sandbox.server" not in command_of(pid)]

    def work_pids(self) -> list[int]:
        """Return the PIDs of the processes that run work."""
        children = children_of(self.server_pid())
        # The child process that warms up the kernels does not create a process group.
        return [pid for pid in children if _group_of(pid) == pid]

    def tree(self) -> list[int]:
        """Return the PIDs of all processes of the worker, parents first."""
        children: dict[int | None, list[int]] = {}
        for pid in map(int, filter(str.isdecimal, _names_in_proc())):
            children.setdefault(_parent_of(pid), []).append(pid)
        pids = [self.pid]
        for pid in pids:
            pids += children.get(pid, [])
        return pids

    def kill(self) -> None:
        """Kill all processes of the worker at once."""
        send(self.tree(), signal.SIGKILL)
        self.wait()

    def kill_main(self) -> None:
        """Kill the main process and wait until all other processes have ended."""
        tree = self.tree()
        self._main.kill()
        until(lambda: not any(is_alive(pid) for pid in tree[1:]), "orphans end")
        self.wait()

    def freeze(self) -> list[int]:
        """Freeze all processes of the worker and return their PIDs."""
        tree = self.tree()
        send(tree, signal.SIGSTOP)
        return tree

    def stop(self) -> int:
        """Tell the worker to stop, and return its exit status."""
        self._main.terminate()
        return self.wait()

    def is_running(self) -> bool:
        """Return whether the main process is running."""
        return self._main.poll() is None

    def wait(self) -> int:
        """Wait until the worker has ended, and return its exit status."""
        try:
            until(lambda: self._main.poll() is not None, "the worker ends")
            return self._main.wait()
        finally:
            self._log.close()


def send(pids: list[int], signal_number: int) -> None:
    """Send a signal to processes, and ignore those that have ended."""
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal_number)


def children_of(parent: int) -> list[int]:
    """Return the PIDs of the running children of a process."""
    return [pid for pid in map(int, filter(str.isdecimal, _names_in_proc())) if _parent_of(pid) == parent]


def is_alive(pid: int) -> bool:
    """Return whether a process exists and is not a zombie."""
    return _parent_of(pid) is not None


def command_of(pid: int) -> bytes:
    """Return the command line of a process, or an empty value if the process has ended."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except (FileNotFoundError, ProcessLookupError):
        return b""


def _names_in_proc() -> list[str]:
    return [path.name for path in Path("/proc").iterdir()]


def _parent_of(pid: int) -> int | None:
    state, parent, _ = _stat_of(pid)
    return None if state in "ZX" else int(parent)


def _group_of(pid: int) -> int:
    return int(_stat_of(pid)[2])


def _stat_of(pid: int) -> list[str]:
    """Return the state, parent and process group of a process. The state is X if the process has ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()[:3]
    except (FileNotFoundError, ProcessLookupError):
        return ["X", "0", "0"]
