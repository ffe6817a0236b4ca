"""A local HTTP server that takes its responses from a script and can break connections."""

from __future__ import annotations

import json
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Request:
    """A request that the server has received."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Response:
    """A response. `cut_after` is the number of bytes of the body after which the connection is reset."""

    status: int = 200
    body: object = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut_after: int | None = None

    @property
    def content(self) -> bytes:
        """The bytes of the body."""
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


# No response: the connection is reset.
LOST = Response(status=0)

Script = Callable[[Request], Response]


class ScriptedServer:
    """A server that returns the responses of its script, which is a function of the request or a list."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.script: Script | list[Response] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def handle_any(self) -> None:
                server.handle(self)

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any

            def log_message(self, *_: Any) -> None:
                """Print nothing."""

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._http.server_address[1]}"
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    def handle(self, handler: BaseHTTPRequestHandler) -> None:
        """Respond to a request."""
        parts = urlsplit(handler.path)
        body = handler.rfile.read(int(handler.headers.get("Content-Length", 0)))
        query = parse_qs(parts.query)
        request = Request(handler.command, parts.path, query, dict(handler.headers.items()), body)
        self.requests.append(request)
        response = self.script.pop(0) if isinstance(self.script, list) else self.script(request)
        if response.status == 0:
            _reset(handler.connection)
            handler.close_connection = True
            return
        handler.send_response(response.status)
        for name, value in {"Content-Length": str(len(response.content)), **response.headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(response.content[: response.cut_after])
        if response.cut_after is not None:
            handler.wfile.flush()
            _close_orderly(handler.connection)
            handler.close_connection = True

    def close(self) -> None:
        """Stop the server."""
        self._http.shutdown()
        self._http.server_close()


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    """Run a server."""
    server = ScriptedServer()
    try:
        yield server
    finally:
        server.close()


def problem(status: int, code: str, **headers: str) -> Response:
    """Return an error response with a problem document."""
    body = {
        "type": f"https://example.org/errors/{code}",
        "title": f"Title of {code}",
        "status": status,
        "detail": f"Detail of {code}.",
        "instance": "/v1/jobs",
        "code": code,
        "request_id": "req_1",
        "errors": [{"pointer": "/n_rows", "code": "greater_than", "detail": "Too small"}],
    }
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Response(status, body, {"Content-Type": "application/problem+json", **named})


def _reset(connection: socket.socket) -> None:
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
    connection.close()


def _close_orderly(connection: socket.socket) -> None:
    """Close a connection so that the bytes already sent still arrive."""
    connection.shutdown(socket.SHUT_RDWR)
    connection.close()
