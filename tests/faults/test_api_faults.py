"""F5, F29, F30, F35, F37, F39: faults of the API process and of its clients, over HTTP."""

from __future__ import annotations

import base64
import hashlib
import random
import socket
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx2
import pytest
from sqlalchemy import text

from tests.faults.api import ApiProcess, Client, Refused
from tests.faults.injections import FREE_KEYS
from tests.faults.invariants import staged_files
from tests.faults.stack import Stack
from tests.faults.traffic import TABLE, leave_during_upload, table_bytes
from tests.faults.workers import WorkerProcess, until

pytestmark = pytest.mark.stack

Json = dict[str, Any]
PARTS = table_bytes(random.Random(1), 20_000)  # noqa: S311 - a table
PART_BYTES = 64 << 10


@pytest.fixture(scope="module")
def worker(stack: Stack) -> WorkerProcess:
    return stack.start_worker()


@pytest.fixture(scope="module")
def client(stack: Stack, worker: WorkerProcess) -> Client:
    return stack.client()


@pytest.fixture
def api(stack: Stack) -> Iterator[ApiProcess]:
    yield stack.start_api()
    stack.start_api()


def submit(client: Client, key: str) -> str:
    return client.submit("probe", key=key)


def upload(client: Client, key: str) -> str:
    return client.upload(TABLE, key=key, name=key)[1]


def upload_in_parts(client: Client, key: str) -> str:
    file = {"filename": f"{key}.csv", "size_bytes": len(PARTS)}
    body = {"files": [file], "part_bytes": PART_BYTES}
    opened = client.send("POST", "/v1/uploads", key=f"{key}-start", json=body)
    for number in range(1, opened["n_parts"] + 1):
        part = PARTS[(number - 1) * PART_BYTES : number * PART_BYTES]
        digest = base64.b64encode(hashlib.sha256(part).digest()).decode()
        headers = {"Content-Digest": f"sha-256=:{digest}:", "Content-Type": "application/octet-stream"}
        client.send("PUT", f"/v1/uploads/{opened['id']}/parts/{number}", content=part, headers=headers)
    job: Json = client.send("POST", f"/v1/uploads/{opened['id']}/complete", key=f"{key}-end")["job"]
    return str(job["id"])


def cancel(client: Client, key: str) -> str:
    job_id = client.submit("probe", key=key, seconds=60)
    client.send("POST", f"/v1/jobs/{job_id}/cancel")
    return job_id


OPERATIONS: dict[str, Callable[[Client, str], str]] = {
    "submit": submit,
    "upload": upload,
    "part": upload_in_parts,
    "complete": upload_in_parts,
    "cancel": cancel,
    "put": upload,
}
CASES = [
    *(
        (f"{name}.{when}_commit", "kill")
        for name in OPERATIONS
        if name != "put"
        for when in ("before", "after")
    ),
    *((f"{name}.before_commit", "drop") for name in OPERATIONS if name != "put"),
    *((f"{name}.after_commit", "raise") for name in ("submit", "upload", "part", "complete")),
    *(("submit.after_ring", "kill"), ("upload.before_write", "kill"), ("upload.after_write", "kill")),
    *(("upload.before_write", "enospc"), ("put.after_fsync", "enospc"), ("put.after_fsync", "eio")),
    *(("put.before_fsync", "kill"), ("put.after_link", "kill")),
]
SLICE = {("submit.after_commit", "kill"), ("upload.before_commit", "drop"), ("put.after_fsync", "enospc")}


@pytest.mark.parametrize(
    ("step", "action"),
    [pytest.param(*case, marks=[] if case in SLICE else [pytest.mark.complete]) for case in CASES],
)
def test_repeated_request_takes_effect_once_despite_a_fault(
    stack: Stack, client: Client, api: ApiProcess, step: str, action: str
) -> None:
    key = f"{step}-{action}"
    stack.api_points.arm(step, action)
    n_before = stack.rows("select count(*) from jobs")[0][0]
    with ThreadPoolExecutor(1) as pool:
        response = pool.submit(OPERATIONS[step.partition(".")[0]], client, key)
        until(lambda: stack.api_points.is_reached(step), "the step is reached")
        if action == "kill":
            until(lambda: not api.is_running(), "the API is dead")
            # The idempotency keys of a dead process stay reserved for 30 s.
            with stack.resources.sessions.begin() as session:
                session.execute(text(FREE_KEYS))
            stack.start_api()
        (job,) = client.finish(response.result())

    assert job["state"] in ("succeeded", "cancelled"), job
    assert stack.rows("select count(*) from jobs")[0][0] == n_before + 1


@pytest.mark.complete
@pytest.mark.parametrize("step", ["delete.before_commit", "delete.after_commit"])
def test_deletion_completes_although_the_api_is_killed(
    stack: Stack, client: Client, api: ApiProcess, step: str
) -> None:
    dataset_id, job_id = client.upload(TABLE, name="deleted")
    client.finish(job_id)
    stack.api_points.arm(step, "kill")
    assert client.once("DELETE", f"/v1/datasets/{dataset_id}") is None
    until(lambda: not api.is_running(), "the API is dead")
    stack.start_api()
    if step == "delete.before_commit":
        client.send("DELETE", f"/v1/datasets/{dataset_id}")
    with pytest.raises(Refused, match="404"):
        client.send("GET", f"/v1/datasets/{dataset_id}")
    # The workers delete the blobs that the API did not delete.
    until(lambda: len(list(stack.resources.store.keys(""))) == n_artifacts(stack), "the blobs are deleted")


def n_artifacts(stack: Stack) -> int:
    n: int = stack.rows("select count(*) from artifacts")[0][0]
    return n


@pytest.mark.parametrize("n_points", [10, pytest.param(300, marks=pytest.mark.complete)])
def test_client_that_leaves_during_an_upload_leaves_nothing_behind(
    stack: Stack, client: Client, api: ApiProcess, n_points: int
) -> None:
    rng = random.Random(n_points)  # noqa: S311 - repeatable, not secret
    key = str(client._http.headers["Authorization"]).removeprefix("Bearer ")
    n_before = stack.rows("select count(*) from datasets")[0][0]
    for i in range(n_points):
        n_bytes = (0, 4, 50_000, 99_992)[i] if i < 4 else rng.randrange(99_992)
        leave_during_upload(f"http://127.0.0.1:{api.port}", key, n_bytes, is_reset=rng.random() < 0.5)

    until(lambda: staged_files(stack) == [], "staged files are removed")
    assert stack.rows("select count(*) from datasets")[0][0] == n_before
    until(api.is_live, "the API responds")


@pytest.mark.parametrize(("n_keys", "n_clients"), [(5, 10), pytest.param(50, 50, marks=pytest.mark.complete)])
def test_concurrent_requests_with_one_key_add_one_job(
    stack: Stack, client: Client, api: ApiProcess, n_keys: int, n_clients: int
) -> None:
    keys = [f"race-{n_clients}-{i}" for i in range(n_keys)]
    for key in keys:
        with ThreadPoolExecutor(n_clients) as pool:
            job_ids = set(pool.map(lambda _, key=key: submit(client, key), range(n_clients)))
        assert len(job_ids) == 1
        with pytest.raises(Refused, match="422 idempotency_mismatch"):
            client.submit("probe", key=key, seconds=1)
        client.finish(*job_ids)


@pytest.mark.complete
def test_download_resumes_after_a_broken_connection(stack: Stack, client: Client, api: ApiProcess) -> None:
    dataset_id, job_id = client.upload(PARTS, name="resumed")
    client.finish(job_id)
    proxy = stack.proxy_api()
    through = stack.client(proxy.port)
    path = f"/v1/datasets/{dataset_id}/content"
    whole = client._http.get(path)
    data, rng = b"", random.Random(2)  # noqa: S311 - repeatable, not secret
    for _ in range(20):
        proxy.cut()
        proxy.reset_after_bytes = rng.randrange(500, len(whole.content))
        headers = {"Range": f"bytes={len(data)}-", "If-Range": whole.headers["ETag"]}
        data += received(through, path, headers)
    proxy.resume()
    proxy.cut()
    if len(data) < len(whole.content):
        data += received(through, path, {"Range": f"bytes={len(data)}-"})
    assert hashlib.sha256(data).hexdigest() == whole.headers["ETag"].strip('"')


def received(client: Client, path: str, headers: dict[str, str]) -> bytes:
    """Return the bytes of a response up to the point at which the connection breaks."""
    data = b""
    try:
        with client._http.stream("GET", path, headers=headers) as response:
            if response.status_code != 206:
                return b""
            for chunk in response.iter_bytes():
                data += chunk
    except httpx2.HTTPError:
        pass
    return data


@pytest.mark.complete
def test_dataset_deleted_during_training_and_downloads_leaves_nothing(
    stack: Stack, client: Client, api: ApiProcess
) -> None:
    for _ in range(5):
        delete_in_use(client)
    assert stack.rows("select 1 from datasets where name = 'erased'") == []
    erased = "select 1 from models m join jobs j on j.id = m.job_id where j.erased_at is not null"
    assert stack.rows(erased) == []


def delete_in_use(client: Client) -> None:
    """Delete a dataset while a job reads it and four clients download it."""
    dataset_id, job_id = client.upload(PARTS, name="erased")
    client.finish(job_id)
    synthesizer = {"name": "tree_chain", "preset": "best"}
    trained = client.submit("train", dataset_id=dataset_id, synthesizer=synthesizer)
    until(lambda: client.job(trained)["state"] != "queued", "training starts")
    stopped = threading.Event()

    def download() -> None:
        while not stopped.is_set():
            client.once("GET", f"/v1/datasets/{dataset_id}/content")

    with ThreadPoolExecutor(4) as pool:
        for _ in range(4):
            pool.submit(download)
        client.send("DELETE", f"/v1/datasets/{dataset_id}?cascade=true")
        stopped.set()
    assert client.finish(trained)[0]["state"] in ("cancelled", "failed", "succeeded")


@pytest.mark.complete
def test_api_responds_despite_many_idle_connections(stack: Stack, client: Client, api: ApiProcess) -> None:
    connections = [socket.create_connection(("127.0.0.1", api.port)) for _ in range(800)]
    try:
        assert all(api.is_live() for _ in range(20))
        client.finish(client.submit("probe"))
    finally:
        for connection in connections:
            connection.close()
