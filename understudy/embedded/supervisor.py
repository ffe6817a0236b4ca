"""One process that starts the stack, starts again what dies, and stops everything in order."""

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

MIGRATION_SECONDS_MAX = 300
READY_SECONDS_MAX = 60
ROUND_SECONDS = 0.2

Tell = Callable[[str, str], None]
"""Called with the name of a part and what has become of it."""


class Supervisor:
    """A stack in one data folder; every method is to be called from the main thread.

    Parameters
    ----------
    options : StackOptions
        Which servers are given from outside, and where the API listens.
    tell : callable (part, text)
        Told each step as it happens.
    """

    def __init__(self, options: StackOptions, tell: Tell) -> None:
        self.folder = DataFolder(options.data_dir)
        self._options = options
        self._tell = tell
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
        """Say whether `ask_to_stop` was called."""
        return self._stopping.is_set()

    def start(self) -> None:
        """Start all parts and return when the API and a worker answer.

        Raises
        ------
        Conflict
            If a stack runs in the folder, or the port is taken.
        Unavailable
            If a part cannot be started.
        """
        self.folder.make()
        self.folder.lock()
        port = claim_port(self._options.host, self._options.port, was_ours=self.folder.url() is not None)
        self._options = replace(self._options, port=port)
        environment = self._start_servers()
        # The API, which imports for seconds, needs the tables only when it is asked something.
        self._start_program("API", commands.api(self._options, self.folder, environment))
        self._migrate(environment)
        self._start_program("Worker", commands.worker(self.folder, environment))
        self.folder.url_file.write_text(self.url + "\n")
        self._wait_until_ready()

    def watch(self) -> None:
        """Start again what dies, until `ask_to_stop` is called."""
        while not self._stopping.wait(ROUND_SECONDS):
            for part in self._servers + self._programs:
                self._look_after(part)
            for log in self.folder.logs.glob("*.log"):
                trim_log(log)

    def ask_to_stop(self) -> None:
        """End `watch` soon; may be called by a signal handler."""
        self._stopping.set()

    def stop(self) -> None:
        """Stop the programs, then the servers; does nothing to what does not run."""
        for group in (self._programs, self._servers):
            for part in group:
                part.runs.ask_to_stop()
            for part in group:
                part.runs.stop()
        self.folder.unlock()

    def _start_servers(self) -> dict[str, str]:
        """Start the servers that are ours, both at once, and return the environment of the programs."""
        logs, path = self.folder.logs, self.folder.path
        postgres = PrivatePostgres(path / "postgres", log=logs / "postgres.log")
        valkey = PrivateValkey(path / "valkey", log=logs / "valkey.log")
        ours: list[PrivatePostgres | PrivateValkey] = []
        ours += [postgres] if self._options.database_url is None else []
        ours += [valkey] if self._options.redis_url is None else []
        began = time.monotonic()
        for server in ours:
            part = Component(server.name, server, server.launch)
            self._servers.append(part)
            part.launch()
        for server in ours:
            server.wait_until_ready()
            self._tell(server.name, f"private, ready after {time.monotonic() - began:.1f} s")
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
                f"The database could not be brought up to date: {last_lines(migration.log, 1)} "
                f"(more in {migration.log})"
            )
        self._tell("Migrations", f"applied after {time.monotonic() - began:.1f} s")

    def _wait_until_ready(self) -> None:
        began = time.monotonic()
        while not is_ready(self._options.host, self._options.port):
            for part in self._programs:
                if not part.runs.is_running() and not self._stopping.is_set():
                    raise self._not_started(part)
            if time.monotonic() - began > READY_SECONDS_MAX:
                raise Unavailable(f"Not ready after {READY_SECONDS_MAX} s: see {self.folder.logs}.")
            if self._stopping.wait(0.05):
                return
        self._tell("API, worker", f"ready after {time.monotonic() - began:.1f} s")

    def _not_started(self, part: Component) -> Unavailable:
        assert isinstance(part.runs, Child)
        log = part.runs.log
        return Unavailable(f"The {part.name} did not start; {log} ends with:\n{last_lines(log)}")

    def _look_after(self, part: Component) -> None:
        pause = part.notice_end()
        if pause is not None:
            when = f"in {pause:.1f} s" if pause else "now"
            self._tell(part.name, f"has ended; starting it again {when}")
        # One that cannot start at present is tried again at the next round, with a longer pause.
        with suppress(Unavailable):
            part.restart_when_due()


def claim_port(host: str, port: int, *, was_ours: bool) -> int:
    """Return the port to listen on: the one that was asked for if it is free, a free one for 0.

    Raises
    ------
    Conflict
        If somebody else listens on it; says how to choose another.
    """
    # The API of a supervisor that was killed needs a moment to be gone.
    deadline = time.monotonic() + (5 if was_ours else 0)
    while True:
        try:
            return _bound_port(host, port)
        except OSError as error:
            if time.monotonic() >= deadline:
                raise Conflict(
                    f"Port {port} of {host} cannot be used ({error.strerror}): choose another one with "
                    "--port, or --port 0 for any that is free."
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
    """Say whether the API reports that all parts, a worker among them, answer."""
    connection = HTTPConnection("127.0.0.1" if host == "0.0.0.0" else host, port, timeout=5)  # noqa: S104 (a test)
    try:
        connection.request("GET", "/readyz")
        answer = connection.getresponse()
        return answer.status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()
