"""The supervisor starts the stack, restarts processes that have exited, and stops everything in order."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from http.client import HTTPConnection, HTTPException

from understudy.embedded import commands
from understudy.embedded.commands import StackOptions
from understudy.embedded.components import Component
from understudy.embedded.data_folder import DataFolder
from understudy.embedded.processes import Child, last_lines, trim_log
from understudy.embedded.servers import PrivatePostgres, PrivateValkey
from understudy.errors import Conflict, Unavailable
from understudy.sandbox.walls import find_walls

MIGRATION_SECONDS_MAX = 300
READY_SECONDS_MAX = 60
ROUND_SECONDS = 0.2
# A server cannot start while its disk is full. It is soon available again when there is space, and each
# attempt to start it needs little CPU time.
SERVER_PAUSE_SECONDS_MAX = 2

Report = Callable[[str, str], None]
"""Callback that receives the name of a stack component and a description of its state."""


class Supervisor:
    """A stack in a data folder. Call every method from the main thread.

    Parameters
    ----------
    options : StackOptions
        URLs of external servers, and the API address.
    report : callable (part, text)
        Callback that receives the name of a stack component and a description of its state.
    """

    def __init__(self, options: StackOptions, report: Report) -> None:
        self.folder = DataFolder(options.data_dir)
        self._options = options
        self._report = report
        self._servers: list[Component] = []
        self._programs: list[Component] = []
        self._stopping = threading.Event()

    @property
    def url(self) -> str:
        """The address of the API."""
        host = f"[{self._options.host}]" if ":" in self._options.host else self._options.host
        return f"http://{host}:{self._options.port}"

    @property
    def is_stopping(self) -> bool:
        """Whether `ask_to_stop` was called."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Start all parts and wait until the API and a worker are ready.

        Raises
        ------
        Conflict
            If a stack already runs in the folder, or the port is in use.
        Unavailable
            If a part cannot be started.
        """
        self.folder.make()
        self.folder.lock()
        port = claim_port(self._options.host, self._options.port, was_in_use=self.folder.url() is not None)
        self._options = replace(self._options, port=port)
        environment = self._start_servers()
        # The API takes seconds to import its modules and needs the tables only when a request arrives.
        self._start_program("API", commands.api(self.folder, environment))
        self._migrate(environment)
        for sentence in find_walls().missing():
            self._report("Sandbox", sentence)
        self._start_program("Worker", commands.worker(self.folder, environment))
        self.folder.url_file.write_text(self.url + "\n")
        self._wait_until_ready()

    def watch(self) -> None:
        """Restart parts that have ended, until `ask_to_stop` is called."""
        while not self._stopping.wait(ROUND_SECONDS):
            for part in self._servers + self._programs:
                self._restart_if_ended(part)
            for log in self.folder.logs.glob("*.log"):
                # The supervisor must survive every disk fault. It tries again in the next round.
                with suppress(OSError):
                    trim_log(log, self._options.log_bytes_max)

    def ask_to_stop(self) -> None:
        """Make `watch` return soon. A signal handler may call this method."""
        self._stopping.set()

    def stop(self) -> None:
        """Stop the programs and then the servers, and skip those that are not running."""
        for group in (self._programs, self._servers):
            for part in group:
                part.runs.ask_to_stop()
            for part in group:
                part.runs.stop()
        self.folder.unlock()

    def _start_servers(self) -> dict[str, str]:
        """Start the private servers at the same time and return the environment of the programs."""
        logs, path = self.folder.logs, self.folder.path
        postgres = PrivatePostgres(path / "postgres", log=logs / "postgres.log")
        valkey = PrivateValkey(path / "valkey", log=logs / "valkey.log")
        servers: list[PrivatePostgres | PrivateValkey] = []
        servers += [postgres] if self._options.database_url is None else []
        servers += [valkey] if self._options.redis_url is None else []
        began = time.monotonic()
        for server in servers:
            part = Component(server.name, server, server.launch, SERVER_PAUSE_SECONDS_MAX)
            self._servers.append(part)
            part.launch()
        for server in servers:
            server.wait_until_ready()
            self._report(server.name, f"private server, ready after {time.monotonic() - began:.1f} s")
        return commands.stack_environment(
            self._options,
            self.folder,
            database_url=self._options.database_url or postgres.url,
            redis_url=self._options.redis_url or valkey.url,
        )

    def _start_program(self, name: str, program: Child) -> None:
        part = Component(name, program, program.start)
        self._programs.append(part)
        part.launch()

    def _migrate(self, environment: dict[str, str]) -> None:
        began = time.monotonic()
        migration = commands.migration(self.folder, environment)
        migration.start()
        while (status := migration.wait(ROUND_SECONDS)) is None and not self.is_stopping:
            if time.monotonic() - began > MIGRATION_SECONDS_MAX:
                break
        migration.stop()
        if self.is_stopping:
            return
        if status != 0:
            raise Unavailable(
                f"The database could not be migrated: {last_lines(migration.log, 1)} "
                f"See {migration.log} for details."
            )
        self._report("Migrations", f"applied after {time.monotonic() - began:.1f} s")

    def _wait_until_ready(self) -> None:
        began = time.monotonic()
        while not is_ready(self._options.host, self._options.port):
            for part in self._programs:
                if not part.runs.is_running() and not self._stopping.is_set():
                    raise self._not_started(part)
            if time.monotonic() - began > READY_SECONDS_MAX:
                raise Unavailable(
                    f"The stack was not ready after {READY_SECONDS_MAX} s. "
                    f"Check its logs in {self.folder.logs}."
                )
            if self._stopping.wait(0.05):
                return
        self._report("API, worker", f"ready after {time.monotonic() - began:.1f} s")

    def _not_started(self, part: Component) -> Unavailable:
        assert isinstance(part.runs, Child)
        log = part.runs.log
        return Unavailable(
            f"The {part.name} did not start. Correct the error at the end of its log ({log}), then start the "
            f"stack again:\n{last_lines(log)}"
        )

    def _restart_if_ended(self, part: Component) -> None:
        pause = part.notice_end()
        if pause is not None:
            when = f"in {pause:.1f} s" if pause else "now"
            # The output of this process may be a file on a full disk.
            with suppress(OSError):
                self._report(part.name, f"ended, restarting {when}")
        # If the part cannot be started, for example because the disk is full, the next round tries again
        # after a longer pause.
        with suppress(Unavailable, OSError):
            part.restart_when_due()


def claim_port(host: str, port: int, *, was_in_use: bool) -> int:
    """Return the requested port if it is free. If port 0 is requested, return any free port.

    Parameters
    ----------
    was_in_use : bool
        Whether an earlier stack in the same folder may still be releasing the port. In this case, wait up to
        5 s.

    Raises
    ------
    Conflict
        If the port is in use. The message explains how to choose another port.
    """
    # The API of a killed supervisor may still be running for a moment.
    deadline = time.monotonic() + (5 if was_in_use else 0)
    while True:
        try:
            return _bound_port(host, port)
        except OSError as error:
            if time.monotonic() >= deadline:
                raise Conflict(
                    f"Port {port} on {host} cannot be used ({error.strerror}). Choose another port with "
                    "--port, or any free port with --port 0."
                ) from error
        time.sleep(0.1)


def _bound_port(host: str, port: int) -> int:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        bound: int = listener.getsockname()[1]
        return bound


def is_ready(host: str, port: int) -> bool:
    """Return whether the API reports that all parts are ready, including a worker."""
    connection = HTTPConnection("127.0.0.1" if host == "0.0.0.0" else host, port, timeout=5)  # noqa: S104 (a test)
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
