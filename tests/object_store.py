"""A local server of the S3 interface, and a proxy that makes its requests fail in chosen ways."""

from __future__ import annotations

import contextlib
import http.client
import socket
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar
from urllib.request import Request, urlopen
from uuid import uuid4

import pytest

START_SECONDS = 60
SLOW_DOWN = b"<Error><Code>SlowDown</Code><Message>Please reduce your request rate.</Message></Error>"
INTERNAL = b"<Error><Code>InternalError</Code><Message>An internal error.</Message></Error>"
RACE = b"<Error><Code>ConditionalRequestConflict</Code><Message>A conflict.</Message></Error>"
FULL = b"<Error><Code>QuotaExceeded</Code><Message>The quota is exceeded.</Message></Error>"


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """Start an S3 server that keeps its objects in memory, and return its URL."""
    port = _free_port()
    command = [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        server.kill()
        server.wait()


@pytest.fixture
def s3_credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    """Set the environment variables that contain the client's credentials."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "planted-secret")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")


@pytest.fixture
def bucket(s3_server: str, s3_credentials: None) -> str:
    """Create a bucket and return its name."""
    name = f"bucket-{uuid4().hex}"
    with urlopen(Request(f"{s3_server}/{name}", method="PUT")) as response:  # noqa: S310 - on loopback
        assert response.status == 200
    return name


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def _wait(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(0.05)
    raise TimeoutError(
        f"The S3 server did not accept connections on port {port}. Start it by hand to see its output."
    )


# A fault changes the response to one request. It receives the handler and a function that forwards the
# request.
Fault = Callable[["_Handler", Callable[[], tuple[int, Any, bytes]]], None]


def responds(status: int, body: bytes) -> Fault:
    """Return a fault that responds without forwarding the request."""
    return lambda handler, forward: handler.respond(status, {}, body)


def loses_response(handler: _Handler, forward: Callable[[], tuple[int, Any, bytes]]) -> None:
    """Forward the request, and close the connection without a response."""
    forward()
    handler.drop()


def refuses_connection(handler: _Handler, forward: Callable[[], tuple[int, Any, bytes]]) -> None:
    """Close the connection without forwarding the request."""
    handler.drop()


def tears_body(handler: _Handler, forward: Callable[[], tuple[int, Any, bytes]]) -> None:
    """Send only the first half of the response's body."""
    status, headers, body = forward()
    handler.respond(status, headers, body, n_bytes=len(body) // 2)


def hangs(seconds: float) -> Fault:
    """Return a fault that closes the connection without a response after some time."""

    def hang(handler: _Handler, forward: Callable[[], tuple[int, Any, bytes]]) -> None:
        time.sleep(seconds)
        handler.drop()

    return hang


class FaultyProxy:
    """A proxy of the S3 server. Each planned fault affects the next request with a given HTTP method."""

    def __init__(self, upstream: str) -> None:
        self.n_requests = 0
        self._faults: dict[str, deque[Fault]] = {}
        handler = type("Handler", (_Handler,), {"proxy": self, "upstream": upstream.removeprefix("http://")})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def plan(self, method: str, *faults: Fault) -> None:
        """Plan faults for the next requests with a method."""
        self._faults.setdefault(method, deque()).extend(faults)

    def next_fault(self, method: str) -> Fault | None:
        """Return the fault of the current request."""
        self.n_requests += 1
        faults = self._faults.get(method)
        return faults.popleft() if faults else None

    def close(self) -> None:
        """Stop the proxy."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def proxy(s3_server: str) -> Iterator[FaultyProxy]:
    """Start a proxy of the S3 server."""
    proxy = FaultyProxy(s3_server)
    yield proxy
    proxy.close()


class _Handler(BaseHTTPRequestHandler):
    """One connection of the proxy."""

    proxy: ClassVar[FaultyProxy]
    upstream: ClassVar[str]
    protocol_version = "HTTP/1.1"

    def _handle(self) -> None:
        body = self._read_body()

        def forward() -> tuple[int, Any, bytes]:
            connection = http.client.HTTPConnection(self.upstream, timeout=30)
            headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
            connection.request(self.command, self.path, body, headers)
            response = connection.getresponse()
            result = response.status, dict(response.getheaders()), response.read()
            connection.close()
            return result

        fault = self.proxy.next_fault(self.command)
        if fault is None:
            self.respond(*forward())
        else:
            fault(self, forward)

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = _handle

    def _read_body(self) -> bytes:
        return self.rfile.read(int(self.headers.get("Content-Length", 0)))

    def respond(self, status: int, headers: Any, body: bytes, n_bytes: int | None = None) -> None:
        """Send a response, or only the first bytes of its body."""
        self.send_response_only(status)
        for name, value in headers.items():
            if name.lower() not in ("content-length", "connection", "transfer-encoding"):
                self.send_header(name, value)
        length = {name.lower(): value for name, value in headers.items()}.get("content-length")
        self.send_header("Content-Length", length if self.command == "HEAD" and length else str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body if n_bytes is None else body[:n_bytes])
        if n_bytes is not None:
            self.drop()

    def drop(self) -> None:
        """Close the connection."""
        self.close_connection = True
        self.wfile.flush()
        with contextlib.suppress(OSError):
            self.connection.shutdown(socket.SHUT_RDWR)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - name of the base class
        """Log nothing."""
