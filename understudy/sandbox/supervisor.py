"""The worker's side of the sandbox, which keeps the server running and hands runs to it."""

from __future__ import annotations

import contextlib
import json
import logging
import os
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from dataclasses import asdict
from typing import Self

from understudy.errors import Unavailable
from understudy.sandbox.messages import SandboxRequest
from understudy.sandbox.run import Run
from understudy.sandbox.usage import Usage
from understudy.sandbox.walls import find_walls, library_paths

logger = logging.getLogger("understudy.sandbox")

# Environment variables that the server inherits. None of them contains credentials.
ENVIRONMENT = (
    *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONPATH"),
    *("NUMBA_CACHE_DIR", "NUMBA_CPU_NAME", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "ARROW_NUM_THREADS"),
)
RESTART_SECONDS = 0.5
HAND_OVER_SECONDS = 10.0


class Sandbox:
    """A warm parent, and the socket through which it receives runs.

    Create one sandbox for each worker. Processes that are forked from the worker share it. A run is handed
    over through an inherited socket without an address, so no other process can start a run. If the server
    has ended, requests wait in that socket until the process that created the sandbox has restarted the
    server.

    Parameters
    ----------
    target : str
        ``module:function`` of the work. The function is called in the folder of the run, with the payload,
        the folder and a `Progress`.
    preload : sequence of str
        Modules that the server imports in advance, and functions (``module:function``) that it calls in
        advance. The functions are called in a child first, so that runs do not wait for them.
    threads : int
        Number of threads that a run may use for its arithmetic.
    """

    def __init__(self, target: str, preload: Sequence[str] = (), *, threads: int = 1) -> None:
        self._command = [target, *preload]
        self._threads = threads
        self.walls = find_walls()
        self._code_folders = library_paths()
        self._owner_pid = os.getpid()
        self._control, self._server_end = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._control.settimeout(HAND_OVER_SECONDS)
        self._lock = threading.Lock()
        self._enforcer: threading.Thread | None = None
        self._server: subprocess.Popen[bytes] | None = None
        self._closed = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def server_pid(self) -> int | None:
        """The pid of the warm parent. Only the process that created the sandbox has this value."""
        return None if self._server is None else self._server.pid

    def open(self) -> None:
        """Start the server if it was not started before, without waiting for it."""
        # The lock may have been held during a fork, so a forked process must not use it.
        if os.getpid() != self._owner_pid:
            return
        with self._lock:
            if self._enforcer is None:
                self._enforcer = threading.Thread(
                    target=self._keep_running, name="sandbox-server-watcher", daemon=True
                )
                self._enforcer.start()

    def start(self, request: SandboxRequest) -> Run:
        """Hand a run to the server. The run begins as soon as the server is running.

        Raises
        ------
        Unavailable
            If the server has not accepted the run within ten seconds.
        """
        self.open()
        connection, server_connection = socket.socketpair()
        reader, writer = os.pipe()
        with server_connection, tempfile.TemporaryFile("w+", encoding="utf-8") as file:
            try:
                # The child reads the header first, and the payload after it has confined itself.
                file.write(json.dumps(_header(request)) + "\n")
                json.dump(request.payload, file)
                file.flush()
                file.seek(0)
                descriptors = [server_connection.fileno(), writer, file.fileno()]
                socket.send_fds(self._control, [b"run"], descriptors)
            except OSError as error:
                connection.close()
                os.close(reader)
                raise Unavailable("The sandbox did not accept the job. The worker will try again.") from error
            finally:
                os.close(writer)
        return Run(connection, reader, Usage(request.folder, request.limits), self._code_folders)

    def close(self) -> None:
        """Stop the server and all of its runs. In a forked process, only close the sockets."""
        if os.getpid() == self._owner_pid:
            self._closed.set()
            with self._lock, contextlib.suppress(ProcessLookupError):
                if self._server is not None:
                    self._server.kill()
            if self._enforcer is not None:
                self._enforcer.join()
        self._control.close()
        self._server_end.close()

    def _keep_running(self) -> None:
        # The kernel kills the server when the thread that started it ends. This thread runs until the process
        # ends.
        while not self._closed.is_set():
            with self._lock:
                if self._closed.is_set():
                    return
                self._server = self._spawn()
            status = self._server.wait()
            if not self._closed.is_set():
                logger.warning("The sandbox server ended with status %s and is restarted.", status)
                self._closed.wait(RESTART_SECONDS)

    def _spawn(self) -> subprocess.Popen[bytes]:
        control = self._server_end.fileno()
        # Pass on -P, which prevents imports from the working directory.
        safe_path = ["-P"] if sys.flags.safe_path else []
        module = ["-m", "understudy.sandbox.server"]
        command = [sys.executable, *safe_path, *module, str(control), str(os.getpid())]
        return subprocess.Popen(  # noqa: S603 - our own interpreter and module
            [*command, *self._command],
            env=self._environment(),
            pass_fds=[control],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,
        )

    def _environment(self) -> dict[str, str]:
        threads = str(self._threads)
        defaults = {
            "OMP_NUM_THREADS": threads,
            "ARROW_IO_THREADS": threads,
            "NUMBA_NUM_THREADS": threads,
            # These libraries start threads at import, but the server must not have any threads.
            "OPENBLAS_NUM_THREADS": "1",
            "JE_ARROW_MALLOC_CONF": "background_thread:false",
        }
        return defaults | {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}


def _header(request: SandboxRequest) -> dict[str, object]:
    return {
        "folder": str(request.folder.resolve()),
        "limits": asdict(request.limits),
        "inputs": [str(path.resolve()) for path in request.inputs],
    }
