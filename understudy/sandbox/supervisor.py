"""Our side of the sandbox: keeps the server alive and hands runs to it."""

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

logger = logging.getLogger("understudy.sandbox")

# All that the server gets to see of our environment; credentials are in none of these.
ENVIRONMENT = (
    *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "PYTHONPATH"),
    *("NUMBA_CACHE_DIR", "NUMBA_CPU_NAME", "NUMBA_NUM_THREADS", "OMP_NUM_THREADS", "ARROW_NUM_THREADS"),
)
RESTART_SECONDS = 0.5
HAND_OVER_SECONDS = 10.0


class Sandbox:
    """A warm parent and the way to it.

    Made once a worker. Processes forked from the worker use it as it is: a run is handed over through an
    inherited socket that has no address, so nobody else can ask for one. While the server is away, hand-overs
    wait in that socket; the process that made the sandbox starts it again.

    Parameters
    ----------
    target : str
        ``module:function`` of the work; called with the payload, the folder and a `Progress`, in the folder.
    preload : sequence of str
        Modules to import in the server beside the target's, so that no run pays for them; and functions to
        call there (``module:function``), first in a child: runs do not wait for them.
    threads : int
        Threads that a run may use for its arithmetic.
    """

    def __init__(self, target: str, preload: Sequence[str] = (), *, threads: int = 1) -> None:
        self._command = [target, *preload]
        self._threads = threads
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
        """The pid of the warm parent, in the process that keeps it."""
        return None if self._server is None else self._server.pid

    def open(self) -> None:
        """Start the server, unless that has been done; does not wait for it."""
        # A fork may have copied a lock that is held; a forked process must not touch it.
        if os.getpid() != self._owner_pid:
            return
        with self._lock:
            if self._enforcer is None:
                self._enforcer = threading.Thread(target=self._keep, name="sandbox-keeper", daemon=True)
                self._enforcer.start()

    def start(self, request: SandboxRequest) -> Run:
        """Hand a run over; it begins at once, or as soon as the server is there.

        Raises
        ------
        Unavailable
            If the server has not taken it within ten seconds.
        """
        self.open()
        mine, theirs = socket.socketpair()
        reader, writer = os.pipe()
        with theirs, tempfile.TemporaryFile("w+", encoding="utf-8") as file:
            try:
                json.dump(_request_json(request), file)
                file.flush()
                file.seek(0)
                descriptors = [theirs.fileno(), writer, file.fileno()]
                socket.send_fds(self._control, [b"run"], descriptors)
            except OSError as error:
                mine.close()
                os.close(reader)
                raise Unavailable("The sandbox does not take a job; the worker will try again.") from error
            finally:
                os.close(writer)
        return Run(mine, reader)

    def close(self) -> None:
        """Stop the server and all of its runs; in a forked process only let go of it."""
        if os.getpid() == self._owner_pid:
            self._closed.set()
            with self._lock, contextlib.suppress(ProcessLookupError):
                if self._server is not None:
                    self._server.kill()
            if self._enforcer is not None:
                self._enforcer.join()
        self._control.close()
        self._server_end.close()

    def _keep(self) -> None:
        # The kernel kills the server when the thread that started it ends; this one lives as long as we do.
        while not self._closed.is_set():
            with self._lock:
                if self._closed.is_set():
                    return
                self._server = self._spawn()
            status = self._server.wait()
            if not self._closed.is_set():
                logger.warning("The sandbox server ended with status %s; it is started again.", status)
                self._closed.wait(RESTART_SECONDS)

    def _spawn(self) -> subprocess.Popen[bytes]:
        control = self._server_end.fileno()
        # As we were told, so the server: whether modules may come from the working directory.
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
            "NUMBA_NUM_THREADS": threads,
            # These two start threads when they are imported, and the server must not have any.
            "OPENBLAS_NUM_THREADS": "1",
            "JE_ARROW_MALLOC_CONF": "background_thread:false",
        }
        return defaults | {name: os.environ[name] for name in ENVIRONMENT if name in os.environ}


def _request_json(request: SandboxRequest) -> dict[str, object]:
    folder = str(request.folder.resolve())
    return {"payload": request.payload, "folder": folder, "limits": asdict(request.limits)}
