"""A TCP proxy on the loopback address that breaks connections between a client and a server."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

CHUNK_BYTES = 65536
# Messages of the PostgreSQL protocol: a simple query and the completion of the command (PostgreSQL
# documentation, "Message Formats").
COMMIT_REQUEST = b"COMMIT\x00"
COMMIT_ANSWER = b"COMMIT\x00"
RESET_ON_CLOSE = struct.pack("ii", 1, 0)


@dataclass
class Link:
    """A client's connection to the proxy and the corresponding connection to the server."""

    client: socket.socket
    server: socket.socket
    is_cut: bool = False
    # The sides that have finished sending.
    ended: set[socket.socket] = field(default_factory=set)

    def cut(self, *, is_reset: bool = True) -> None:
        """Close both connections, with a reset or in the usual way."""
        self.is_cut = True
        for end in (self.client, self.server):
            with contextlib.suppress(OSError):
                if is_reset:
                    end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
                # The shutdown wakes the reading thread. A shutdown of both directions would prevent the
                # reset.
                end.shutdown(socket.SHUT_RD if is_reset else socket.SHUT_RDWR)
        for end in (self.client, self.server):
            end.close()


class FaultProxy:
    """A proxy in front of a server. All faults apply to existing and to new connections.

    Parameters
    ----------
    connect : callable
        A function that returns a new connection to the server.
    """

    def __init__(self, connect: Callable[[], socket.socket]) -> None:
        self.delay_seconds = 0.0
        self.is_refusing = False
        # Number of bytes from the server after which the next connection is reset.
        self.reset_after_bytes: int | None = None
        # "request" cuts the next connection that sends COMMIT before the server receives it, and "response"
        # cuts it after the server has committed.
        self.cut_commit: str | None = None
        self.n_commits_cut = 0
        self._connect = connect
        self._flowing = threading.Event()
        self._flowing.set()
        self._links: list[Link] = []
        self._lock = threading.Lock()
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        threading.Thread(target=self._accept, name="proxy", daemon=True).start()

    def cut(self) -> int:
        """Reset all connections and return their number."""
        with self._lock:
            links, self._links = self._links, []
        for link in links:
            link.cut()
        return len(links)

    def half_close(self) -> int:
        """Close the direction from the clients to the server, and return the number of connections."""
        with self._lock:
            links = list(self._links)
        for link in links:
            with contextlib.suppress(OSError):
                link.server.shutdown(socket.SHUT_WR)
        return len(links)

    def stall(self) -> None:
        """Stall all traffic until `resume` is called. Connections stay open and new ones are accepted."""
        self._flowing.clear()

    def resume(self) -> None:
        """End all faults except those that have already broken connections."""
        self.delay_seconds, self.is_refusing = 0.0, False
        self.reset_after_bytes = self.cut_commit = None
        self._flowing.set()

    def close(self) -> None:
        """Stop the proxy."""
        self.resume()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self.cut()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._open, args=(client,), daemon=True).start()

    def _open(self, client: socket.socket) -> None:
        try:
            if self.is_refusing:
                raise ConnectionRefusedError
            link = Link(client, self._connect())
        except OSError:
            client.close()
            return
        limit, self.reset_after_bytes = self.reset_after_bytes, None
        with self._lock:
            self._links.append(link)
        sending = threading.Thread(target=self._pump, args=(link, client, link.server, None), daemon=True)
        sending.start()
        self._pump(link, link.server, client, limit)

    def _pump(self, link: Link, source: socket.socket, sink: socket.socket, limit: int | None) -> None:
        is_request = source is link.client
        n_bytes = 0
        try:
            while data := source.recv(CHUNK_BYTES):
                self._flowing.wait()
                if self.delay_seconds:
                    time.sleep(self.delay_seconds)
                n_bytes += len(data)
                if limit is not None and n_bytes > limit:
                    sink.sendall(data[: len(data) - (n_bytes - limit)])
                    break
                if self._is_commit_to_cut(data, is_request=is_request):
                    break
                sink.sendall(data)
            else:
                # One side has finished sending, but the other direction can still be in use.
                if link.is_cut:
                    return
                sink.shutdown(socket.SHUT_WR)
                link.ended.add(source)
                if len(link.ended) == 2:
                    self._forget(link, is_reset=False)
                return
        except OSError:
            pass
        self._forget(link, is_reset=True)

    def _is_commit_to_cut(self, data: bytes, *, is_request: bool) -> bool:
        if self.cut_commit != ("request" if is_request else "response"):
            return False
        if (COMMIT_REQUEST if is_request else COMMIT_ANSWER) not in data:
            return False
        self.cut_commit = None
        self.n_commits_cut += 1
        return True

    def _forget(self, link: Link, *, is_reset: bool) -> None:
        with self._lock:
            if link in self._links:
                self._links.remove(link)
        link.cut(is_reset=is_reset)


def unix_server(path: str) -> Callable[[], socket.socket]:
    """Return a function that connects to a Unix socket."""

    def connect() -> socket.socket:
        server = socket.socket(socket.AF_UNIX)
        try:
            server.connect(path)
        except OSError:
            server.close()
            raise
        return server

    return connect


def tcp_server(port: int) -> Callable[[], socket.socket]:
    """Return a function that connects to a port of the loopback address."""
    return lambda: socket.create_connection(("127.0.0.1", port), timeout=None)
