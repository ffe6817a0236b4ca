"""Receivers of webhooks: a server on this machine that records requests, and a stub of the resolver."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import SimpleNamespace
from typing import Any

LOOPBACK = "127.0.0.1"
HOST = "hooks.example.org"


@dataclass
class Received:
    """A request that a receiver has received."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A server that records requests. `respond`, if given, responds to them."""

    status: int = 204
    respond: Callable[[BaseHTTPRequestHandler], None] | None = None
    requests: list[Received] = field(default_factory=list)
    port: int = 0


@contextmanager
def receiving(receiver: Receiver, context: ssl.SSLContext | None = None) -> Iterator[Receiver]:
    """Serve a receiver on a free port, with TLS if a context is given."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            receiver.requests.append(Received(self.path, headers, body))
            if receiver.respond is not None:
                receiver.respond(self)
                return
            self.send_response(receiver.status)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Log nothing."""

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        block_on_close = False

        def handle_error(self, *_: Any) -> None:
            """Ignore connections that the client has closed."""

    server = Server((LOOPBACK, 0), Handler)
    if context is not None:
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
    receiver.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def drip(handler: BaseHTTPRequestHandler) -> None:
    """Send a response one byte at a time, for longer than any test waits."""
    for byte in b"HTTP/1.1 204 No Content\r\n" + b"x: y\r\n" * 100:
        handler.wfile.write(bytes([byte]))
        handler.wfile.flush()
        time.sleep(0.02)


def endless_headers(handler: BaseHTTPRequestHandler) -> None:
    """Send a response whose headers do not end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n" + b"x: y\r\n" * 10_000)


def redirect(handler: BaseHTTPRequestHandler) -> None:
    """Redirect to a private address."""
    handler.send_response(302)
    handler.send_header("Location", "http://127.0.0.1/private")
    handler.end_headers()


class Resolver:
    """A stub of `socket.getaddrinfo` that returns chosen addresses for names and parses literal addresses."""

    def __init__(self) -> None:
        self.addresses: dict[str, Sequence[str]] = {HOST: [LOOPBACK]}
        self.looked_up: list[str] = []

    @property
    def n_calls(self) -> int:
        """The number of calls."""
        return len(self.looked_up)

    def __call__(self, host: str, port: int, *_: Any, **__: Any) -> list[tuple[Any, ...]]:
        """Return the addresses of a host in the form of `socket.getaddrinfo`."""
        self.looked_up.append(host)
        found = self.addresses.get(host, [host] if host.replace(".", "").isdigit() or ":" in host else [])
        if not found:
            raise socket.gaierror(socket.EAI_NONAME, "unknown")
        return [
            (socket.AF_INET6 if ":" in text else socket.AF_INET, socket.SOCK_STREAM, 6, "", (text, port))
            for text in found
        ]


def rules(**changes: Any) -> SimpleNamespace:
    """Return the default rules for URLs, with changes."""
    return SimpleNamespace(
        **{"webhook_http": False, "webhook_ports": (443, 8443), "webhook_networks": (), **changes}
    )
