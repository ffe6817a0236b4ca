"""Tests for the proxy that the fault tests use to break connections."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tests.faults.proxy import FaultProxy, tcp_server


@pytest.fixture
def proxy() -> Iterator[FaultProxy]:
    """Return a proxy in front of a server that returns all bytes."""
    listener = socket.create_server(("127.0.0.1", 0))

    def echo(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            while data := connection.recv(1000):
                connection.sendall(data)

    def serve() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=echo, args=(connection,), daemon=True).start()

    threading.Thread(target=serve, daemon=True).start()
    proxy = FaultProxy(tcp_server(listener.getsockname()[1]))
    yield proxy
    proxy.close()
    listener.shutdown(socket.SHUT_RDWR)
    listener.close()


def connect(proxy: FaultProxy) -> socket.socket:
    return socket.create_connection(("127.0.0.1", proxy.port), timeout=10)


def receive_all(connection: socket.socket) -> None:
    while connection.recv(100):
        pass


def wait_until(condition: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_proxy_transfers_bytes_and_closes_its_connections(proxy: FaultProxy) -> None:
    def n_files() -> int:
        return sum(1 for _ in Path("/proc/self/fd").iterdir())

    before = n_files()
    for _ in range(20):
        with connect(proxy) as connection:
            connection.sendall(b"hello")
            assert connection.recv(100) == b"hello"
    wait_until(lambda: n_files() <= before)


def test_cut_resets_open_connections(proxy: FaultProxy) -> None:
    with connect(proxy) as connection:
        connection.sendall(b"hello")
        connection.recv(100)
        assert proxy.cut() == 1
        with pytest.raises(ConnectionResetError):
            connection.recv(100)


def test_stall_delays_bytes_until_it_ends(proxy: FaultProxy) -> None:
    with connect(proxy) as connection:
        proxy.stall()
        connection.sendall(b"hello")
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(100)
        proxy.resume()
        connection.settimeout(10)
        assert connection.recv(100) == b"hello"


def test_connection_is_reset_after_a_number_of_bytes(proxy: FaultProxy) -> None:
    proxy.reset_after_bytes = 3
    with connect(proxy) as connection:
        connection.sendall(b"hello")
        # A reset can discard the bytes that were sent before it.
        with pytest.raises(ConnectionResetError):
            receive_all(connection)


@pytest.mark.parametrize("direction", ["request", "response"])
def test_only_the_next_commit_is_cut(proxy: FaultProxy, direction: str) -> None:
    proxy.cut_commit = direction
    with connect(proxy) as connection:
        connection.sendall(b"Q\x00\x00\x00\x0bCOMMIT\x00")
        with pytest.raises(ConnectionResetError):
            connection.recv(100)
    assert proxy.n_commits_cut == 1
    with connect(proxy) as connection:
        connection.sendall(b"COMMIT\x00")
        assert connection.recv(100) == b"COMMIT\x00"


def test_refused_and_half_closed_connections_end(proxy: FaultProxy) -> None:
    with connect(proxy) as connection:
        connection.sendall(b"hello")
        connection.recv(100)
        assert proxy.half_close() == 1
        assert connection.recv(100) == b""
    proxy.is_refusing = True
    with connect(proxy) as connection:
        assert connection.recv(100) == b""
