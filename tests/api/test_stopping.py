"""Tests for stopping an API process, with a real server on a loopback port."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass

import httpx2
import pytest

from tests.api.conftest import new_key, serving, wait_until
from tests.api.worlds import make_world
from tests.rows import new_job
from understudy import ids
from understudy.db import jobs
from understudy.resources import Resources
from understudy.services.api_keys import Caller

BODY = b"a,b\n" + b"1,2\n" * 500_000


@dataclass
class Served:
    """A running server, and the key of a project."""

    url: str
    address: tuple[str, int]
    headers: dict[str, str]
    signal: Callable[[], None]
    has_ended: Callable[[], bool]

    def begin(self, stack: ExitStack, head: str, body: bytes = b"") -> socket.socket:
        """Send a request, or the beginning of one."""
        connection = stack.enter_context(closing(socket.create_connection(self.address)))
        connection.settimeout(20)
        lines = [f"{head} HTTP/1.1", "Host: x", *(f"{name}: {text}" for name, text in self.headers.items())]
        connection.sendall("\r\n".join(lines).encode() + b"\r\n" + body)
        return connection


@pytest.fixture
def make_served(resources: Resources, caller: Caller) -> Iterator[Callable[..., Served]]:
    """Return a function that starts a server."""
    with ExitStack() as stack:

        def make(**seconds: float) -> Served:
            server, address = stack.enter_context(serving(resources, **seconds))
            headers = {"Authorization": f"Bearer {new_key(resources, caller)}"}
            url = f"http://{address[0]}:{address[1]}"
            return Served(
                url,
                address,
                headers,
                signal=lambda: server.handle_exit(signal.SIGTERM, None),
                has_ended=lambda: not server.server_state.connections,
            )

        yield make


def add_job(resources: Resources, caller: Caller) -> str:
    with resources.sessions.begin() as session:
        return ids.to_text("job", jobs.add(session, new_job(caller.project_id)).id)


def read_all(connection: socket.socket) -> bytes:
    """Return everything that the server sends until it closes the connection."""
    received = b""
    while data := connection.recv(1 << 16):
        received += data
    return received


def wait_until_refused(served: Served) -> None:
    def is_refused() -> bool:
        try:
            socket.create_connection(served.address).close()
        except ConnectionRefusedError:
            return True
        return False

    wait_until(is_refused)


def test_stopping_process_still_responds_but_is_not_ready(make_served: Callable[..., Served]):
    served = make_served(pause_seconds=600)
    served.signal()
    wait_until(lambda: httpx2.get(f"{served.url}/readyz").json()["checks"] == {"api": "is stopping"})

    response = httpx2.get(f"{served.url}/v1/jobs", headers=served.headers)
    assert (response.status_code, response.headers["connection"]) == (200, "close")
    assert httpx2.get(f"{served.url}/readyz").status_code == 503
    # A second signal ends the pause.
    served.signal()
    wait_until_refused(served)


@pytest.mark.parametrize("header", ["Prefer: wait=60", "Last-Event-ID: 0"], ids=["poll", "stream"])
def test_waiting_request_gets_the_current_state_when_the_process_stops(
    make_served: Callable[..., Served], resources: Resources, caller: Caller, header: str
):
    served = make_served()
    job_id = add_job(resources, caller)
    name, value = header.split(": ")
    served.headers[name] = value
    is_stream = name == "Last-Event-ID"
    path = f"/v1/jobs/{job_id}{'/events/stream' if is_stream else ''}"
    with ExitStack() as stack:
        connection = served.begin(stack, f"GET {path}", b"\r\n")
        received = connection.recv(1 << 16) if is_stream else b""
        served.signal()
        received += read_all(connection)

    assert received.startswith(b"HTTP/1.1 200 OK\r\n")
    if is_stream:
        assert b"event: queued" in received
        assert b"\n: The server is stopping. Reconnect with Last-Event-ID.\n\n" in received
        assert received.endswith(b"0\r\n\r\n")
    else:
        assert b'"state":"queued"' in received


def begin_upload(served: Served, stack: ExitStack, resources: Resources) -> socket.socket:
    served.headers |= {"Content-Type": "text/csv", "Content-Length": str(len(BODY))}
    connection = served.begin(stack, "POST /v1/datasets", b"\r\n" + BODY[:-100])
    wait_until(lambda: any(path.stat().st_size for path in resources.staging_folder.iterdir()))
    return connection


def test_upload_in_progress_is_completed(make_served: Callable[..., Served], resources: Resources):
    served = make_served()
    with ExitStack() as stack:
        connection = begin_upload(served, stack, resources)
        served.signal()
        wait_until_refused(served)
        connection.sendall(BODY[-100:])
        assert read_all(connection).startswith(b"HTTP/1.1 202 ")


@pytest.mark.parametrize("n_signals", [1, 2])
def test_upload_gets_503_after_the_grace_period_or_a_second_signal(
    make_served: Callable[..., Served], resources: Resources, n_signals: int
):
    served = make_served(grace_seconds=0.3 if n_signals == 1 else 60)
    with ExitStack() as stack:
        connection = begin_upload(served, stack, resources)
        for _ in range(n_signals):
            served.signal()
        received = read_all(connection).lower()

    assert received.startswith(b"http/1.1 503 ")
    assert b"content-type: application/problem+json" in received
    assert b"\r\nretry-after: " in received
    assert list(resources.staging_folder.iterdir()) == []
    assert list(resources.store.keys("")) == []


def test_download_in_progress_is_completed(
    make_served: Callable[..., Served], resources: Resources, caller: Caller, monkeypatch: pytest.MonkeyPatch
):
    content = bytes(range(256)) * (1 << 14)
    monkeypatch.setattr("tests.api.worlds.BLOB", content)
    world = make_world(resources, caller)
    served = make_served()
    with ExitStack() as stack:
        connection = served.begin(stack, f"GET /v1/datasets/{world['dataset']}/content", b"\r\n")
        received = connection.recv(1 << 10)
        served.signal()
        wait_until_refused(served)
        received += read_all(connection)

    assert received.partition(b"\r\n\r\n")[2] == content


def test_download_that_exceeds_the_grace_period_is_visibly_incomplete(
    make_served: Callable[..., Served], resources: Resources, caller: Caller, monkeypatch: pytest.MonkeyPatch
):
    content = bytes(1 << 26)
    monkeypatch.setattr("tests.api.worlds.BLOB", content)
    monkeypatch.setattr("app.server.INTERRUPTED_SECONDS", 0.2)
    world = make_world(resources, caller)
    served = make_served(grace_seconds=0.2)
    with ExitStack() as stack:
        connection = served.begin(stack, f"GET /v1/datasets/{world['dataset']}/content", b"\r\n")
        received = connection.recv(1 << 10)
        served.signal()
        wait_until(served.has_ended)
        with suppress(ConnectionResetError):
            received += read_all(connection)

    assert len(received) < len(content)
    assert b"content-length: %d" % len(content) in received.lower()
