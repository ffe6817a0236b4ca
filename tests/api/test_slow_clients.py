"""Tests for clients that send or receive slowly, with a real uvicorn server on a loopback port."""

from __future__ import annotations

import socket
import threading
import time
from contextlib import ExitStack, closing
from typing import Any

import pytest

from app import downloads, protocol
from app.slots import SlotLimits
from tests.api.conftest import new_key, serving, wait_until
from tests.api.worlds import make_world
from understudy.resources import Resources
from understudy.services import artifacts
from understudy.services.api_keys import Caller

HEAD = "GET /healthz HTTP/1.1\r\nHost: x\r\n"
CHUNK = bytes(1 << 20)


@pytest.fixture
def short_limits(monkeypatch: pytest.MonkeyPatch) -> None:
    """Shorten the time limits of connections."""
    monkeypatch.setattr(protocol, "HEADER_SECONDS", 0.5)
    monkeypatch.setattr(protocol, "BODY_WINDOW_SECONDS", 0.5)
    monkeypatch.setattr(protocol, "SEND_SECONDS", 0.5)


def read_all(connection: socket.socket) -> bytes:
    """Return everything that the server sends until it closes the connection."""
    connection.settimeout(10)
    received = b""
    while data := connection.recv(1 << 16):
        received += data
    return received


def read_response(connection: socket.socket) -> bytes:
    """Return the response to a request for `/healthz`."""
    connection.settimeout(10)
    received = b""
    while not received.endswith(b'{"status":"ok"}'):
        data = connection.recv(1 << 16)
        assert data, received
        received += data
    return received


@pytest.mark.usefixtures("short_limits")
@pytest.mark.parametrize("first", ["", HEAD + "\r\n"], ids=["first", "second"])
def test_incomplete_headers_get_408(address: tuple[str, int], first: str):
    with closing(socket.create_connection(address)) as connection:
        connection.sendall(f"{first}{HEAD}X-A: ".encode())
        assert b"HTTP/1.1 408 Request Timeout" in read_all(connection)


@pytest.mark.usefixtures("short_limits")
def test_connection_without_a_request_is_closed_silently(address: tuple[str, int]):
    with closing(socket.create_connection(address)) as connection:
        assert read_all(connection) == b""


@pytest.mark.usefixtures("short_limits")
def test_connection_with_an_empty_line_after_a_request_is_closed(address: tuple[str, int]):
    with closing(socket.create_connection(address)) as connection:
        connection.sendall(f"{HEAD}\r\n".encode())
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 200 ")
        connection.sendall(b"\r\n")
        # The empty line ends the time limit for idle connections. Without a separate time limit, the
        # connection would stay open.
        read_all(connection)


def test_request_that_waits_for_a_busy_event_loop_gets_a_response(
    resources: Resources, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(protocol, "KEEP_ALIVE_SECONDS", 0.5)
    is_busy = threading.Event()
    with serving(resources) as (server, address), closing(socket.create_connection(address)) as connection:
        connection.sendall(f"{HEAD}\r\n".encode())
        assert read_response(connection).startswith(b"HTTP/1.1 200 ")
        tick = server.on_tick

        async def busy_tick(counter: int) -> bool:
            """Occupy the event loop while the time limit of the idle connection passes."""
            if not is_busy.is_set():
                is_busy.set()
                time.sleep(0.8)
            return await tick(counter)

        monkeypatch.setattr(server, "on_tick", busy_tick)
        assert is_busy.wait(10)
        connection.sendall(f"{HEAD}\r\n".encode())
        assert read_response(connection).startswith(b"HTTP/1.1 200 ")
        # The time limit starts again after the response.
        assert read_all(connection) == b""


def test_trailer_fields_do_not_become_headers():
    kept: list[tuple[bytes, bytes]] = []
    connection = object.__new__(protocol.TimedProtocol)
    connection.headers = kept
    connection._is_in_headers = True
    connection.on_header(b"X-A", b"1")
    connection._is_in_headers = False
    connection.on_header(b"X-B", b"2")
    assert kept == [(b"x-a", b"1")]


def test_endless_headers_are_refused(address: tuple[str, int]):
    with closing(socket.create_connection(address)) as connection:
        connection.sendall(HEAD.encode())
        connection.sendall(b"X-A: " + b"a" * (protocol.HEADER_BYTES_MAX + 100_000))
        assert connection.recv(1 << 16).startswith(b"HTTP/1.1 431 ")


@pytest.mark.usefixtures("short_limits")
@pytest.mark.parametrize("path", ["datasets", "jobs"])
def test_slow_body_gets_408(address: tuple[str, int], resources: Resources, caller: Caller, path: str):
    key = new_key(resources, caller)
    with closing(socket.create_connection(address)) as connection:
        connection.sendall(
            f"POST /v1/{path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
            "Content-Type: text/csv\r\nContent-Length: 40000\r\n\r\na,b\n".encode()
        )
        for _ in range(4):
            time.sleep(0.1)
            connection.sendall(b"1")
        assert read_all(connection).startswith(b"HTTP/1.1 408 ")
    wait_until(lambda: not list(resources.staging_folder.iterdir()))


@pytest.mark.usefixtures("short_limits")
def test_body_that_arrives_steadily_is_accepted(
    address: tuple[str, int], resources: Resources, caller: Caller
):
    key = new_key(resources, caller)
    with closing(socket.create_connection(address)) as connection:
        connection.sendall(
            f"POST /v1/datasets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n"
            "Content-Type: text/csv\r\nContent-Length: 24004\r\n\r\na,b\n".encode()
        )
        for _ in range(12):
            time.sleep(0.1)
            connection.sendall(b"1,2\n" * 500)
        assert read_all(connection).startswith(b"HTTP/1.1 202 ")


class _Conversion:
    """An endless conversion that counts how often it was opened and closed."""

    n_open = 0

    def __init__(self, *_: Any) -> None:
        type(self).n_open += 1

    def __next__(self) -> bytes:
        return CHUNK

    def close(self) -> None:
        type(self).n_open -= 1


@pytest.fixture
def conversion(monkeypatch: pytest.MonkeyPatch) -> type[_Conversion]:
    """Replace every conversion with an endless one."""
    limits = SlotLimits("downloads with conversion", total=5, of_project=3, of_key=2, wait_seconds=0.5)
    monkeypatch.setattr(downloads, "CONVERSION_LIMITS", limits)
    monkeypatch.setattr(artifacts, "stream_table", _Conversion)
    monkeypatch.setattr(_Conversion, "n_open", 0)
    return _Conversion


def ask_for_csv(address: tuple[str, int], key: str, dataset_id: str) -> socket.socket:
    """Request a download with conversion, and read nothing."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(address)
    path = f"/v1/datasets/{dataset_id}/content?format=csv"
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n"
    connection.sendall(head.encode())
    return connection


def test_number_of_conversions_is_limited_and_each_is_closed_when_its_client_disconnects(
    conversion: type[_Conversion], address: tuple[str, int], resources: Resources, caller: Caller
):
    dataset_id = make_world(resources, caller)["dataset"]
    key = new_key(resources, caller)
    with ExitStack() as stack:
        for _ in range(2):
            stack.enter_context(closing(ask_for_csv(address, key, dataset_id)))
        wait_until(lambda: conversion.n_open == 2)
        third = stack.enter_context(closing(ask_for_csv(address, key, dataset_id)))
        response = third.recv(1 << 16).lower()
        assert response.startswith(b"http/1.1 429 ")
        assert b"retry-after: 5" in response
        other_key = new_key(resources, caller)
        stack.enter_context(closing(ask_for_csv(address, other_key, dataset_id)))
        wait_until(lambda: conversion.n_open == 3)
    wait_until(lambda: conversion.n_open == 0)


def test_conversion_of_a_stalled_client_ends(
    conversion: type[_Conversion],
    address: tuple[str, int],
    resources: Resources,
    caller: Caller,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(downloads, "STALL_SECONDS", 0.5)
    dataset_id = make_world(resources, caller)["dataset"]
    with closing(ask_for_csv(address, new_key(resources, caller), dataset_id)):
        wait_until(lambda: conversion.n_open == 1)
        wait_until(lambda: conversion.n_open == 0)


@pytest.mark.usefixtures("short_limits")
def test_connection_of_a_stalled_client_is_aborted(
    conversion: type[_Conversion], address: tuple[str, int], resources: Resources, caller: Caller
):
    dataset_id = make_world(resources, caller)["dataset"]
    with closing(ask_for_csv(address, new_key(resources, caller), dataset_id)) as connection:
        wait_until(lambda: conversion.n_open == 1)
        wait_until(lambda: conversion.n_open == 0)
        assert not read_all(connection).endswith(b"0\r\n\r\n")
