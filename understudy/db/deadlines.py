"""Connections that detect within seconds that the database server is frozen or unreachable.

Neither the server's timeouts nor the network's timeouts protect against a server that accepts connections
but never responds: its own timeouts are frozen with it, and a Unix socket has no timeout. A statement may be
slow, however. A connection that has waited for some time therefore checks whether the server still responds
to a new connection.
"""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Generator
from typing import Any

from psycopg import Connection, OperationalError
from sqlalchemy import Engine, event

# A request to encrypt the connection, which a server answers with one byte before any authentication
# (PostgreSQL documentation, "Message Formats", SSLRequest).
SSL_REQUEST = struct.pack("!ii", 8, 80877103)
DEFAULT_PORT = 5432
# Share of `patience_seconds` after which a call checks whether the server still responds. The remaining time
# is for the response.
WAIT_FRACTION = 2 / 3
# Time in seconds between the checks of a silent server. All calls fail immediately until it responds again.
RETRY_SECONDS = 0.5
# Maximum statement duration in seconds. It exceeds the server's own limit (`statement_timeout`).
STATEMENT_SECONDS_MAX = 20.0


class ServerWatch:
    """Whether a database server responded when it was last checked.

    A thread checks a silent server again until it responds, so that no call waits more than once.

    Parameters
    ----------
    patience_seconds : float
        Time without any response after which the server is considered silent.
    """

    def __init__(self, patience_seconds: float) -> None:
        self.wait_seconds = WAIT_FRACTION * patience_seconds
        self._answer_seconds = patience_seconds - self.wait_seconds
        self._is_silent = False
        self._is_closed = threading.Event()
        self._lock = threading.Lock()

    def close(self) -> None:
        """End the thread that checks a silent server."""
        self._is_closed.set()

    def responds(self, host: str, port: int) -> bool:
        """Return whether the server responds to a new connection, or False if it is known to be silent."""
        if self._is_silent:
            return False
        if _is_answered(host, port, self._answer_seconds):
            return True
        with self._lock:
            if not self._is_silent:
                watcher = threading.Thread(
                    target=self._wait_until_answered, args=(host, port), name="database-watch", daemon=True
                )
                self._is_silent = True
                try:
                    watcher.start()
                except RuntimeError:
                    # The process has too many threads, so each call asks the server itself.
                    self._is_silent = False
        return False

    def _wait_until_answered(self, host: str, port: int) -> None:
        try:
            while not self._is_closed.wait(RETRY_SECONDS):
                if _is_answered(host, port, self._answer_seconds):
                    break
        finally:
            self._is_silent = False


class WatchedConnection(Connection[Any]):  # `Any` is a row.
    """A connection that is closed if its server becomes silent during a statement."""

    watch: ServerWatch | None = None

    def wait(self, gen: Generator[Any, Any, Any], *arguments: Any, **options: Any) -> Any:
        """Run a protocol step to completion. `Any` stands for the types of the driver's steps."""
        watched = gen if self.watch is None else self._watched(gen, self.watch)
        return super().wait(watched, *arguments, **options)

    def _watched(self, gen: Generator[Any, Any, Any], watch: ServerWatch) -> Generator[Any, Any, Any]:
        began = time.monotonic()
        look_at = began + watch.wait_seconds
        try:
            state = next(gen)
            while True:
                # The driver resumes its steps several times per second, even if nothing was received.
                ready = yield state
                now = time.monotonic()
                if not ready and now >= look_at:
                    self._look(watch, now - began)
                    look_at = time.monotonic() + watch.wait_seconds
                state = gen.send(ready)
        except StopIteration as end:
            return end.value

    def _look(self, watch: ServerWatch, waited_seconds: float) -> None:
        host, port = self.pgconn.hostaddr or self.pgconn.host, self.pgconn.port
        if waited_seconds < STATEMENT_SECONDS_MAX and watch.responds(host.decode(), int(port)):
            return
        self.pgconn.finish()
        raise OperationalError("the server does not respond")


def watch_server(engine: Engine, patience_seconds: float) -> None:
    """Make the connections of an engine fail if the server is silent for `patience_seconds`."""
    watch = ServerWatch(patience_seconds)

    def connect(
        _dialect: object, _record: object, arguments: list[Any], parameters: dict[str, Any]
    ) -> WatchedConnection:
        host, port = str(parameters.get("host") or ""), str(parameters.get("port") or DEFAULT_PORT)
        # For a list of hosts, or a host from the environment, only the timeout of the driver applies.
        if host and "," not in host and port.isdecimal() and not watch.responds(host, int(port)):
            raise OperationalError("the server does not respond")
        connection = WatchedConnection.connect(*arguments, **parameters)
        connection.watch = watch
        return connection

    event.listen(engine, "do_connect", connect)
    event.listen(engine, "engine_disposed", lambda _engine: watch.close())


def _is_answered(host: str, port: int, seconds: float) -> bool:
    try:
        with _open(host, port, seconds) as connection:
            connection.sendall(SSL_REQUEST)
            return len(connection.recv(1)) == 1
    except OSError:
        return False


def _open(host: str, port: int, seconds: float) -> socket.socket:
    if not host.startswith(("/", "@")):
        return socket.create_connection((host, port), timeout=seconds)
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(seconds)
    try:
        connection.connect(f"{host}/.s.PGSQL.{port}".replace("@", "\0", 1))
    except OSError:
        connection.close()
        raise
    return connection
