"""Tests for live rows, which the real sandbox samples while the API sends them."""

from __future__ import annotations

import asyncio
import errno
import hashlib
import io
import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, suppress
from importlib.util import find_spec
from pathlib import Path
from threading import Event
from types import SimpleNamespace

import psutil
import pyarrow as pa
import pytest
from httpx2 import Response
from sqlalchemy import text
from starlette.testclient import TestClient

import understudy
from app import downloads
from app.main import create_app
from tests.api.conftest import Json, assert_problem, get, new_key, serving, submit, wait_until
from tests.api.worlds import make_world
from understudy import ids
from understudy.db.live_rows import Reading, may_continue
from understudy.resources import Resources
from understudy.sandbox import Sandbox
from understudy.sandbox.walls import Walls
from understudy.services import live_rows
from understudy.services.api_keys import Caller
from understudy.services.live_sampler import PRELOAD

Address = tuple[str, int]
RunJobs = Callable[[], int]
ENDLESS = 10_000_000


@pytest.fixture
def app_client(resources: Resources, sandbox: Sandbox) -> Iterator[TestClient]:
    """Create a client without an API key, for an application with the session's sandbox."""
    with TestClient(create_app(resources, sandbox)) as client:
        yield client


@pytest.fixture
def rows_path(trained_model: Json) -> str:
    return f"/v1/models/{trained_model['id']}/rows"


@pytest.fixture
def world_path(resources: Resources, caller: Caller) -> str:
    """Return the path for live rows of a model with an invalid file."""
    return f"/v1/models/{make_world(resources, caller)['model']}/rows"


def children(sandbox: Sandbox) -> list[psutil.Process]:
    """Return the running samplers. Each has a session of its own, unlike the child that compiles kernels."""
    assert sandbox.server_pid is not None
    found = []
    for child in psutil.Process(sandbox.server_pid).children():
        with suppress(ProcessLookupError):
            if os.getsid(child.pid) == child.pid:
                found.append(child)
    return found


def json_rows(response: Response) -> list[Json]:
    """Return the rows in a JSON Lines response."""
    return [json.loads(line) for line in response.text.splitlines()]


def has_no_files(resources: Resources) -> bool:
    return not list(resources.staging_folder.iterdir())


def ask(address: Address, key: str, path: str) -> socket.socket:
    """Request live rows with a small receive buffer, and read nothing."""
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.connect(address)
    head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\nConnection: close\r\n\r\n"
    connection.sendall(head.encode())
    return connection


def read_all(connection: socket.socket) -> bytes:
    """Return everything that the server sends until it closes the connection."""
    connection.settimeout(20)
    received = bytearray()
    while data := connection.recv(1 << 16):
        received += data
    return bytes(received)


def test_live_rows_equal_the_rows_of_a_sample_job(
    client: TestClient, trained_model: Json, rows_path: str, run_jobs: RunJobs
):
    job = submit(client, kind="sample", model_id=trained_model["id"], n_rows=5_000, seed=11, offset=40)
    run_jobs()
    sample = get(client, f"/v1/jobs/{job['id']}")["result"]["dataset_id"]
    live = f"{rows_path}?n=5000&seed=11&offset=40"
    for name in ("csv", "jsonl"):
        stored = client.get(f"/v1/datasets/{sample}/content?format={name}")
        assert client.get(f"{live}&format={name}").content == stored.content
    stored = client.get(f"/v1/datasets/{sample}/content?format=arrow")
    streamed = client.get(f"{live}&format=arrow")
    table = pa.ipc.open_stream(io.BytesIO(streamed.content)).read_all()
    assert table.equals(pa.ipc.open_file(io.BytesIO(stored.content)).read_all())
    assert get(client, "/v1/datasets")["data"][0]["id"] == sample


def test_random_seed_is_returned_and_produces_the_same_rows_until_the_model_is_deleted(
    client: TestClient, resources: Resources, rows_path: str
):
    first = client.get(rows_path)
    assert first.headers["content-type"] == "application/x-ndjson"
    csv = client.get(f"{rows_path}?n=3", headers={"Accept": "text/csv"})
    assert csv.headers["content-type"].partition(";")[0] == "text/csv"
    lines = first.text.splitlines()
    assert len(lines) == 1_000
    assert json.loads(lines[0]).keys() == {"id", "city", "age", "income", "is_member", "since"}
    again = f"{rows_path}?offset=990&n=10&seed={first.headers['understudy-seed']}"
    second = client.get(again)
    assert second.text.splitlines() == lines[990:]
    head = client.head(again)
    assert (head.status_code, head.headers["etag"]) == (200, second.headers["etag"])
    unchanged = client.get(again, headers={"If-None-Match": second.headers["etag"]})
    assert unchanged.status_code == 304
    assert has_no_files(resources)
    assert client.delete(rows_path.removesuffix("/rows")).status_code == 204
    assert_problem(client.get(rows_path), 404, "not_found")


def test_every_preloaded_module_exists():
    assert all(find_spec(name.partition(":")[0]) for name in PRELOAD)


def test_invalid_requests_are_refused(client: TestClient, resources: Resources, world_path: str):
    too_many = assert_problem(
        client.get(f"{world_path}?n={resources.limits.live_rows_max + 1}"), 422, "too_many_rows", "offset"
    )
    assert too_many["errors"][0]["parameter"] == "n"
    for query in ("n=0", "rows=5", "format=xlsx"):
        assert_problem(client.get(f"{world_path}?{query}"), 422, "invalid_parameters")
    refused = client.get(world_path, headers={"Accept": "text/html"})
    assert_problem(refused, 406, "not_acceptable", "application/x-ndjson")


def test_gate_applies_to_live_rows_and_to_model_files(
    client: TestClient,
    resources: Resources,
    caller: Caller,
    trained_model: Json,
    rows_path: str,
    run_jobs: RunJobs,
    tmp_path: Path,
):
    key = new_key(resources, caller, "read", "write", "admin")
    administrator = TestClient(client.app, headers={"Authorization": f"Bearer {key}"})
    administrator.patch("/v1/project", json={"gate": "until_reviewed"})
    refused = client.get(rows_path)
    assert_problem(refused, 409, "quarantined", "until_reviewed", "kind `sample`", "`evaluate`")
    submit(client, kind="sample", model_id=trained_model["id"], n_rows=20, seed=1)
    run_jobs()
    administrator.patch("/v1/project", json={"gate": "on_fail"})
    sample = get(client, "/v1/datasets")["data"][0]["id"]
    assert_problem(client.get(rows_path), 409, "quarantined", sample, "release")
    assert client.head(rows_path).status_code == 409
    file_path = rows_path.removesuffix("rows") + "file"
    reader = {"Authorization": f"Bearer {new_key(resources, caller, 'read')}"}
    assert_problem(client.get(file_path, headers=reader), 403, "forbidden", "read_real")
    assert_problem(administrator.get(file_path), 409, "quarantined", sample)
    administrator.post(f"/v1/datasets/{sample}/release", json={"reason": "Reviewed in ticket 4711."})
    assert client.get(rows_path).status_code == 200
    file = administrator.get(file_path)
    assert file.headers["etag"] == f'"{hashlib.sha256(file.content).hexdigest()}"'
    target = tmp_path / "downloaded.model"
    target.write_bytes(file.content)
    # The loaded model samples the same rows as the live rows.
    rows = understudy.load(target).sample(50, seed=4)
    assert list(rows["city"]) == [row["city"] for row in json_rows(client.get(f"{rows_path}?n=50&seed=4"))]


def test_damaged_model_file_is_refused(
    client: TestClient, resources: Resources, sandbox: Sandbox, world_path: str
):
    # The content of this file is not a model, but it has the stored digest.
    assert_problem(client.get(world_path), 422, "invalid_model_file")
    (key,) = (key for key in resources.store.keys("") if key.endswith("model"))
    with resources.store.local_copy(key, resources.staging_folder) as path:
        path.chmod(0o600)
        path.write_bytes(path.read_bytes().swapcase())
    assert_problem(client.get(world_path), 500, "artifact_corrupt", "checksum")
    assert not children(sandbox)
    assert has_no_files(resources)


def test_each_sampler_ends_when_its_client_leaves_and_each_response_ends_with_its_sampler(
    client: TestClient,
    resources: Resources,
    sandbox: Sandbox,
    caller: Caller,
    rows_path: str,
    monkeypatch: pytest.MonkeyPatch,
):
    key = new_key(resources, caller)
    path = f"{rows_path}?n={ENDLESS}"
    with serving(resources, sandbox=sandbox) as (_, address):
        # The slots of a key are limited, and each sampler ends when its client has left.
        with ExitStack() as stack:
            for number in range(downloads.LIVE_LIMITS.of_key):
                stack.enter_context(closing(ask(address, key, path)))
                wait_until(lambda number=number: len(children(sandbox)) == number + 1)
            refused = stack.enter_context(closing(ask(address, key, path))).recv(1 << 16).lower()
            assert refused.startswith(b"http/1.1 429 ")
            assert b"retry-after: 5" in refused
        wait_until(lambda: not children(sandbox) and has_no_files(resources))
        # The response of a killed sampler is never complete.
        with closing(ask(address, key, path)) as connection:
            wait_until(lambda: len(children(sandbox)) == 1)
            assert connection.recv(1 << 12).startswith(b"HTTP/1.1 200 ")
            os.kill(children(sandbox)[0].pid, signal.SIGKILL)
            assert not read_all(connection).endswith(b"0\r\n\r\n")
        with closing(ask(address, key, f"{rows_path}?n=5")) as connection:
            assert read_all(connection).endswith(b"0\r\n\r\n")
        # If a client leaves before its sampler has started, the cleanup does not wait for the frozen sandbox.
        os.kill(sandbox.server_pid or 0, signal.SIGSTOP)
        try:
            with closing(ask(address, key, path)):
                wait_until(lambda: not has_no_files(resources))
            left_at = time.monotonic()
            wait_until(lambda: has_no_files(resources))
            assert time.monotonic() - left_at < live_rows.KILLED_SECONDS
        finally:
            os.kill(sandbox.server_pid or 0, signal.SIGCONT)
        # The sampler of a client that reads nothing ends.
        monkeypatch.setattr(downloads, "STALL_SECONDS", 0.3)
        with closing(ask(address, key, path)):
            wait_until(lambda: len(children(sandbox)) == 1)
            wait_until(lambda: not children(sandbox) and has_no_files(resources))
        # The response ends when the model is deleted.
        monkeypatch.setattr(downloads, "STALL_SECONDS", 30)
        monkeypatch.setattr(live_rows, "CHECK_SECONDS", 0.1)
        with closing(ask(address, key, path)) as connection:
            assert connection.recv(1 << 12).startswith(b"HTTP/1.1 200 ")
            assert client.delete(rows_path.removesuffix("/rows")).status_code == 204
            assert not read_all(connection).endswith(b"0\r\n\r\n")
        wait_until(lambda: has_no_files(resources))
    # Only rows of complete responses are usage.
    with resources.sessions() as session:
        assert session.scalar(text("select sum(rows_sampled) from usage_records")) == 5


@pytest.mark.parametrize(
    "change",
    [
        "update api_keys set revoked_at = now()",
        "update api_keys set expires_at = now() - interval '1 second'",
        "update projects set gate = 'until_reviewed'",
        "update datasets set model_id = (select id from models), quarantine = '{}', quarantined_at = now()",
    ],
    ids=["revoked", "expired", "gate", "quarantine"],
)
def test_response_stops_once_access_is_withdrawn(resources: Resources, caller: Caller, change: str):
    world = make_world(resources, caller)
    reading = Reading(
        caller.project_id, ids.from_text("model", world["model"]), ids.from_text("api_key", world["api_key"])
    )
    with resources.sessions.begin() as session:
        assert may_continue(session, reading)
        session.execute(text(change))
        assert not may_continue(session, reading)


def test_missing_sandbox_wall_and_full_disk_are_reported(
    resources: Resources, client: TestClient, world_path: str, monkeypatch: pytest.MonkeyPatch
):
    def fail(*_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(os, "mkfifo", fail)
    assert_problem(client.get(world_path), 507, "storage_full", "no rows were sampled")
    assert has_no_files(resources)
    settings = resources.settings.model_copy(update={"sandbox": "strict"})
    object.__setattr__(resources, "settings", settings)
    sampler = client.app.state.sampler
    sampler.walls = walls = Walls(landlock=0, seccomp=True, accounts=None)
    assert sampler.report_walls() == len(walls.missing()) > 0
    assert_problem(client.get(world_path), 409, "conflict", "UNDERSTUDY_SANDBOX", "kind `sample`")


def test_chunks_that_are_opened_while_the_process_stops_are_closed():
    is_opening, may_open, is_closed = Event(), Event(), Event()

    class OpenChunks:
        def __iter__(self) -> Iterator[bytes]:
            return self

        def __next__(self) -> bytes:
            return b"row"

        def close(self) -> None:
            is_closed.set()

    def open_chunks(has_left: Event) -> OpenChunks:
        is_opening.set()
        may_open.wait()
        return OpenChunks()

    async def wait_for_client() -> dict[str, str]:
        await asyncio.Event().wait()
        return {}

    async def send(message: object) -> None:
        raise AssertionError("the response began")

    async def stop() -> None:
        app = SimpleNamespace(state=SimpleNamespace(download_slots=downloads.DownloadSlots()))
        scope = {"app": app, "state": {}}
        request = asyncio.create_task(downloads.Download(open_chunks)(scope, wait_for_client, send))
        await asyncio.to_thread(is_opening.wait)
        request.cancel()
        asyncio.get_running_loop().call_later(0.05, may_open.set)
        with suppress(asyncio.CancelledError):
            await request

    asyncio.run(stop())
    assert is_closed.is_set()


def test_duration_of_a_response_is_limited(
    resources: Resources, sandbox: Sandbox, client: TestClient, world_path: str
):
    settings = resources.settings.model_copy(update={"live_rows_seconds_max": 1e-9})
    object.__setattr__(resources, "settings", settings)
    assert_problem(client.get(world_path), 422, "time_limit", "live_rows_seconds_max")
    # The sandbox ends a sampler that was about to start.
    wait_until(lambda: not children(sandbox))
    assert has_no_files(resources)
