"""The warm parent, which imports all modules once and forks a child for each run. Each worker has one server.

The server has only one thread, so that a fork never copies a lock that is held. The server reads neither data
nor parameters. A run receives three descriptors: a connection to the supervisor, the child's pipe to the
supervisor, and the file with the request. If a run's connection is closed, the server kills the run's whole
process group.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import os
import selectors
import signal
import socket
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from understudy.pandas_import import without_pandas
from understudy.sandbox import confinement, failures
from understudy.sandbox.accounts import Account
from understudy.sandbox.child import ChildSetting, Start, run_child
from understudy.sandbox.messages import KILL, TERMINATE, Json, encode
from understudy.sandbox.walls import Walls, find_walls, library_paths

N_DESCRIPTORS = 3
# Maximum size of a child's stderr output. The output stays in the pipe's buffer until the child has ended.
STDERR_BYTES_MAX = 64 << 10
PARENT_CHECK_SECONDS = 1.0


def main(arguments: Sequence[str]) -> None:
    """Serve until the supervisor has ended.

    Parameters
    ----------
    arguments : sequence of str
        Control socket descriptor, supervisor PID, target as ``module:function``, and modules and functions to
        preload.
    """
    control, supervisor_pid, target, *preload = arguments
    walls = find_walls()
    confinement.forbid_new_privileges()
    confinement.leave_network()
    confinement.die_with_parent(int(supervisor_pid))
    with without_pandas():
        for module in (name for name in preload if ":" not in name):
            importlib.import_module(module)
        warm_ups = [load(name) for name in preload if ":" in name]
        setting = ChildSetting(load(target), walls, library_paths())
        server = Server(socket.socket(fileno=int(control)), setting, warm_ups, int(supervisor_pid))
        # Only the worker's account can write the cache of compiled functions.
        server.start_warmer()
        drop_privileges(walls)
        share_pages()
        server.serve()


def drop_privileges(walls: Walls) -> None:
    """Drop the capabilities of root except those that the server needs to change the user IDs of runs."""
    if walls.accounts is None:
        confinement.drop_capabilities()
    else:
        confinement.keep_server_capabilities()


def load(name: str) -> Any:  # `Any` is a function with any signature.
    """Import the function with the name ``module:function`` and return it."""
    module, _, function = name.partition(":")
    return getattr(importlib.import_module(module), function)


def share_pages() -> None:
    """Exempt all current objects from garbage collection, so that children share their memory pages."""
    gc.collect()
    gc.freeze()


@dataclass
class Child:
    """A run that the server tracks."""

    pid: int
    connection: socket.socket
    stderr: int
    account: Account | None


class Server:
    """The server, which forks children, forwards signals to them, and reports when they end."""

    def __init__(
        self,
        control: socket.socket,
        setting: ChildSetting,
        warm_ups: Sequence[Callable[[], object]],
        supervisor_pid: int,
    ) -> None:
        self._control = control
        self._setting = setting
        self._warm_ups = warm_ups
        self._warmer_pid: int | None = None
        self._supervisor_pid = supervisor_pid
        self._children: dict[int, Child] = {}
        self._selector = selectors.DefaultSelector()
        self._wakeup, self._wakeup_writer = socket.socketpair()

    def serve(self) -> None:
        """Handle new runs and ended children until the supervisor has ended."""
        for end in (self._wakeup, self._wakeup_writer, self._control):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wakeup_writer.fileno(), warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        self._selector.register(self._control, selectors.EVENT_READ, None)
        self._selector.register(self._wakeup, selectors.EVENT_READ, None)
        # The warmer may have ended before the handler was set.
        self._reap_warmer()
        # Without a death signal from the kernel, regularly check whether the parent is still running.
        pause = None if confinement.IS_LINUX else PARENT_CHECK_SECONDS
        while os.getppid() == self._supervisor_pid:
            for key, _ in self._selector.select(pause):
                self._handle(key)
        self._kill_all()

    def _handle(self, key: selectors.SelectorKey) -> None:
        if key.fileobj is self._control:
            self._accept()
        elif key.fileobj is self._wakeup:
            with contextlib.suppress(BlockingIOError):
                self._wakeup.recv(4096)
            self._reap()
        else:
            self._obey(key.data)

    def _accept(self) -> None:
        with contextlib.suppress(BlockingIOError):
            _, descriptors, _, _ = socket.recv_fds(self._control, 16, N_DESCRIPTORS)
            if len(descriptors) == N_DESCRIPTORS:
                self._fork(*descriptors)
            else:
                # This process has too many open files to receive all descriptors.
                close_all(descriptors)

    def _fork(self, connection: int, output: int, request: int) -> None:
        opened: list[int] = []
        server_pid = os.getpid()
        try:
            account = self._take_account()
            if account is not None:
                opened.append(account.lock)
            stderr_reader, stderr_writer = os.pipe()
            opened += [stderr_reader, stderr_writer]
            # Output to a full pipe is lost, but does not block the child.
            os.set_blocking(stderr_writer, False)
            pid = os.fork()
        except OSError:
            # The run cannot start. The supervisor notices that because all descriptors are closed.
            close_all([connection, output, request, *opened])
            return
        if pid == 0:
            uid = None if account is None else account.uid
            run_child(self._setting, Start(request, output, stderr_writer, uid, server_pid))
        close_all([output, request, stderr_writer])
        child = Child(pid, socket.socket(fileno=connection), stderr_reader, account)
        child.connection.setblocking(False)
        self._children[pid] = child
        self._selector.register(child.connection, selectors.EVENT_READ, child)
        send(child.connection, {"pid": pid})

    def _take_account(self) -> Account | None:
        accounts = self._setting.walls.accounts
        return None if accounts is None else accounts.take()

    def _obey(self, child: Child) -> None:
        try:
            order = child.connection.recv(1)
        except BlockingIOError:
            return
        except OSError:
            order = b""
        if order == TERMINATE:
            signal_group(child.pid, signal.SIGTERM)
        elif order in (KILL, b""):
            signal_group(child.pid, signal.SIGKILL)
        if not order:
            self._selector.unregister(child.connection)

    def start_warmer(self) -> None:
        """Start a child that compiles functions and caches them on disk, which may take a minute."""
        server_pid = os.getpid()
        self._warmer_pid = os.fork()
        if self._warmer_pid == 0:
            status = 1
            try:
                confinement.drop_capabilities()
                confinement.die_with_parent(server_pid)
                self._warm_up()
                status = 0
            finally:
                os._exit(status)

    def _reap_warmer(self) -> None:
        if self._warmer_pid is None:
            return
        done, status = os.waitpid(self._warmer_pid, os.WNOHANG)
        if done:
            self._warmer_pid = None
            if status == 0:
                self._warm_up()
                share_pages()

    def _warm_up(self) -> None:
        for warm_up in self._warm_ups:
            warm_up()

    def _reap(self) -> None:
        self._reap_warmer()
        for pid in list(self._children):
            done, status, usage = os.wait4(pid, os.WNOHANG)
            if not done:
                continue
            child = self._children.pop(pid)
            # Kill orphans of the child. The ID of the group is not reused while a member is running.
            signal_group(pid, signal.SIGKILL, alone=False)
            unit = 1024 if confinement.IS_LINUX else 1
            report = {
                "status": os.waitstatus_to_exitcode(status),
                "peak_memory_bytes": usage.ru_maxrss * unit,
                "cpu_seconds": usage.ru_utime + usage.ru_stime,
                "out_of_memory": is_out_of_memory(child.stderr),
            }
            send(child.connection, report)
            with contextlib.suppress(KeyError, ValueError):
                self._selector.unregister(child.connection)
            child.connection.close()
            os.close(child.stderr)
            if child.account is not None:
                child.account.release()

    def _kill_all(self) -> None:
        for pid in self._children:
            signal_group(pid, signal.SIGKILL)


def close_all(descriptors: Iterable[int]) -> None:
    """Close descriptors."""
    for descriptor in descriptors:
        os.close(descriptor)


def send(connection: socket.socket, message: Json) -> None:
    """Send a small message. Ignore a supervisor that has ended."""
    with contextlib.suppress(OSError):
        connection.send(encode(message))


def signal_group(pid: int, signal_number: int, *, alone: bool = True) -> None:
    """Signal the process group of a child.

    Parameters
    ----------
    alone : bool
        Whether to signal the child itself if it has not yet created its group.
    """
    try:
        os.killpg(pid, signal_number)
    except OSError as error:
        if alone and error.errno == errno.ESRCH:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal_number)


def is_out_of_memory(stderr: int) -> bool:
    """Return whether the child's stderr reports a failed allocation. The text itself is discarded."""
    os.set_blocking(stderr, False)
    with contextlib.suppress(BlockingIOError):
        text = os.read(stderr, STDERR_BYTES_MAX)
        return failures.mentions_memory(text.decode("ascii", "replace").lower())
    return False


if __name__ == "__main__":
    main(sys.argv[1:])
