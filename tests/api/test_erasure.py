"""Tests that no byte of deleted data remains. They search for canaries in all columns, files and logs.

The write-ahead log, freed pages of the database and freed blocks of the file system are not searched.
"""

from __future__ import annotations

import io
import logging
import sys
from base64 import b64encode
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from hashlib import sha256
from typing import Any

import pytest
import structlog
from starlette.testclient import TestClient

from app.main import create_app
from tests.api.canaries import find_in_database, find_in_files
from tests.api.conftest import assert_problem, get
from understudy import ids
from understudy.db import claims, datasets, erasures, leases
from understudy.db import idempotency as stored
from understudy.db.claims import Claimant
from understudy.db.idempotency import StoredResponse
from understudy.db.job_attempts import AttemptEnd
from understudy.db.leases import JobError
from understudy.errors import Unavailable
from understudy.logs import configure_logs
from understudy.resources import Resources
from understudy.services import idempotency
from understudy.services.api_keys import Caller
from understudy.services.blob_keys import make_key
from understudy.services.erasure import erase_files
from understudy.services.lineage import delete_with_descendants, find_descendants
from understudy.services.rescue import rescue_jobs
from understudy.storage.local import LocalStore

Json = dict[str, Any]
RunJobs = Callable[[], int]

VALUE, COLUMN, NAME = "ZQVALUE71XK", "zqcolumn72xk", "zqname73xk"
CANARIES = (VALUE, COLUMN, NAME)
ROWS = "".join(f"{i},{(VALUE, 'Oslo', 'Rome')[i % 3]},{i % 7}\n" for i in range(150))
CSV = f"id,{COLUMN},n\n{ROWS}".encode()
BAD_CSV = f"{COLUMN},b\n1,2\n1,{VALUE},3,4\n".encode()
AT_ONCE = timedelta(0)
KEY = {"Idempotency-Key": "k"}


@pytest.fixture
def logs(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    """Configure logging as a process does, and return the stream that receives messages of all levels."""
    root = logging.getLogger()
    handlers, level = root.handlers, root.level
    stream = io.StringIO()
    monkeypatch.setattr(sys, "stderr", stream)
    configure_logs("debug", "json")
    yield stream
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def post(client: TestClient, path: str, **options: Any) -> Json:
    """Send a POST with its own idempotency key."""
    response = client.post(path, headers={"Idempotency-Key": ids.new_id().hex}, **options)
    assert response.status_code in (201, 202), response.text
    body: Json = response.json()
    return body


def run(client: TestClient, run_jobs: RunJobs, **parameters: Any) -> Json:
    job = post(client, "/v1/jobs", json={**parameters, "labels": {"for": NAME}})
    run_jobs()
    return get(client, f"/v1/jobs/{job['id']}")


def upload_whole(client: TestClient, data: bytes) -> Json:
    form = {"name": NAME, "labels": f'{{"for": "{NAME}"}}'}
    dataset: Json = post(client, "/v1/datasets", files={"file": (f"{NAME}.csv", data)}, data=form)["dataset"]
    return dataset


def upload_in_parts(client: TestClient, data: bytes, *, complete: bool = True) -> str:
    files = [{"filename": f"{NAME}.csv", "size_bytes": len(data)}]
    upload = post(client, "/v1/uploads", json={"name": NAME, "files": files})
    digest = {"Content-Digest": f"sha-256=:{b64encode(sha256(data).digest()).decode()}:"}
    path = f"/v1/uploads/{upload['id']}"
    assert client.put(f"{path}/parts/1", content=data, headers=digest).status_code == 200
    if not complete:
        return path
    return f"/v1/datasets/{post(client, f'{path}/complete')['dataset']['id']}"


def lose_attempt(resources: Resources, caller: Caller, client: TestClient, dataset_id: str) -> str:
    """Create what a dead training worker leaves behind: a folder, a blob without a row and a lost job."""
    job = post(client, "/v1/jobs", json={"kind": "train", "dataset_id": dataset_id})
    with resources.sessions.begin() as session:
        claimed = claims.claim(session, Claimant("w", "1", ("train",)), lease_seconds=-1)
        assert claimed is not None
        token = claimed.lease_token
        assert token is not None
    folder = resources.scratch_folder / str(token) / "work"
    folder.mkdir(parents=True)
    (folder / "staged.arrow").write_bytes(CSV)
    blob = resources.staging_folder / "blob"
    blob.write_bytes(CSV)
    key = make_key(caller.project_id, ids.from_text("job", job["id"]), token, "model", ".bin")
    resources.store.put_file(key, blob)
    assert rescue_jobs(resources) == 1
    return str(job["id"])


def kill_upload(resources: Resources) -> None:
    """Create the files that remain if an API process is killed while it receives or converts a file."""
    folder = resources.staging.root / "process-1-killed"
    (folder / "download-x").mkdir(parents=True)
    (folder / "download-x" / f"{NAME}.xlsx").write_bytes(CSV)
    (folder / "upload-x").write_bytes(CSV)


def make_everything(client: TestClient, resources: Resources, caller: Caller, run_jobs: RunJobs) -> list[str]:
    """Run every operation that stores data, and return the paths of the resources to delete."""
    dataset = upload_whole(client, CSV)
    bad = upload_whole(client, BAD_CSV)
    parts = upload_in_parts(client, CSV)
    run_jobs()
    named = {"dataset_id": dataset["id"]}
    trained = run(client, run_jobs, kind="train", **named, synthesizer={"name": "tree_chain"}, name=NAME)
    model = {"model_id": trained["result"]["model_id"]}
    where = [{"where": {COLUMN: {"equals": VALUE}}, "n_rows": 20}]
    sampled = run(client, run_jobs, kind="sample", **model, conditions=where)
    synthetic = {"synthetic_dataset_id": sampled["result"]["dataset_id"]}
    evaluated = run(client, run_jobs, kind="evaluate", **named, **synthetic, target=COLUMN)
    assert evaluated["state"] == "succeeded", evaluated
    impossible = [{"where": {COLUMN: {"equals": f"{VALUE}-unknown"}}, "n_rows": 20}]
    run(client, run_jobs, kind="sample", **model, conditions=impossible)
    lose_attempt(resources, caller, client, dataset["id"])
    kill_upload(resources)
    return [f"/v1/datasets/{dataset['id']}", f"/v1/datasets/{bad['id']}", parts]


def test_no_byte_of_deleted_data_remains(
    client: TestClient, resources: Resources, caller: Caller, run_jobs: RunJobs, logs: io.StringIO
) -> None:
    roots = make_everything(client, resources, caller, run_jobs)
    roots.append(upload_in_parts(client, CSV, complete=False))
    in_database = find_in_database(resources, CANARIES)
    assert in_database >= {"jobs", "datasets", "dataset_tables", "idempotency_keys", "models", "uploads"}
    assert len(find_in_files(resources.scratch_folder, CANARIES)) >= 3
    assert list(resources.store.keys(""))

    for path in roots:
        cascade = "?cascade=true" if "datasets" in path else ""
        assert client.delete(path + cascade).status_code == 204
    erase_files(resources, kept=AT_ONCE)

    assert find_in_database(resources, CANARIES) == set()
    assert find_in_files(resources.scratch_folder, CANARIES) == set()
    assert list(resources.store.keys("")) == []
    assert [path for path in (resources.settings.data_dir / "blobs").rglob("*") if path.is_file()] == []
    assert not [canary for canary in CANARIES if canary in logs.getvalue()]
    assert "job_started" in logs.getvalue()


@pytest.fixture
def train_job(client: TestClient, ready_dataset: Json) -> Json:
    """Queue a job on the ready dataset, with an idempotency key."""
    job: Json = client.post("/v1/jobs", headers=KEY, json=train(ready_dataset)).json()
    return job


def train(dataset: Json) -> Json:
    return {"kind": "train", "dataset_id": dataset["id"], "name": NAME, "labels": {"for": NAME}}


def delete(client: TestClient, dataset: Json) -> None:
    assert client.delete(f"/v1/datasets/{dataset['id']}?cascade=true").status_code == 204


def test_erased_job_keeps_its_state_and_ids(client: TestClient, ready_dataset: Json, train_job: Json) -> None:
    delete(client, ready_dataset)

    job = get(client, f"/v1/jobs/{train_job['id']}")
    assert (job["state"], job["kind"], job["labels"]) == ("cancelled", "train", {})
    assert job["parameters"] == {"dataset_id": ready_dataset["id"]}
    assert job["erased_at"] >= job["created_at"]
    assert [job["id"]] == [
        row["id"] for row in get(client, f"/v1/jobs?dataset_id={ready_dataset['id']}&kind=train")["data"]
    ]


def test_erased_job_cannot_be_retried(client: TestClient, ready_dataset: Json, train_job: Json) -> None:
    delete(client, ready_dataset)

    assert_problem(
        client.post(f"/v1/jobs/{train_job['id']}/retry"), 409, "not_retryable", "deleted", "new job"
    )


def test_repeated_request_about_deleted_data_is_rejected(
    client: TestClient, ready_dataset: Json, train_job: Json
) -> None:
    delete(client, ready_dataset)

    response = client.post("/v1/jobs", headers=KEY, json=train(ready_dataset))
    assert_problem(response, 404, "not_found", "deleted", "new key")


def test_response_that_is_stored_after_the_deletion_has_no_body(
    client: TestClient, resources: Resources, caller: Caller, ready_dataset: Json, train_job: Json
) -> None:
    delete(client, ready_dataset)
    idempotency.begin(resources, caller.project_id, "late", b"hash")

    idempotency.complete(resources, caller.project_id, "late", StoredResponse(202, {}, train_job))

    assert find_in_database(resources, [NAME]) == set()


def test_response_that_is_stored_during_the_deletion_is_erased_later(
    client: TestClient, resources: Resources, caller: Caller, ready_dataset: Json, train_job: Json
) -> None:
    delete(client, ready_dataset)
    late = StoredResponse(202, {}, train_job)
    idempotency.begin(resources, caller.project_id, "late", b"hash")
    with resources.sessions.begin() as session:
        stored.complete(session, caller.project_id, "late", late, [train_job["id"]])

    erase_files(resources)

    assert find_in_database(resources, [NAME]) == set()


def test_job_can_be_claimed_while_its_response_is_stored(
    client: TestClient, resources: Resources, caller: Caller, train_job: Json
) -> None:
    with resources.sessions.begin() as session:
        mentioned = {"job": [ids.from_text("job", train_job["id"])]}
        assert erasures.hold(session, caller.project_id, mentioned)
        with resources.sessions.begin() as other:
            assert claims.claim(other, Claimant("w", "1", ("train",)), lease_seconds=60) is not None


def test_late_writes_of_a_running_job_leave_no_data(
    client: TestClient, resources: Resources, ready_dataset: Json, train_job: Json
) -> None:
    with resources.sessions.begin() as session:
        job = claims.claim(session, Claimant("w", "1", ("train",)), lease_seconds=60)
        assert job is not None
        assert job.lease_token is not None
    delete(client, ready_dataset)

    with resources.sessions.begin() as session:
        leases.heartbeat(session, job.id, job.lease_token, lease_seconds=60, progress={"phase": NAME})
        error = JobError("unknown_column", f"Column {NAME!r} is unknown.")
        assert leases.fail(session, job.id, job.lease_token, error=error, end=AttemptEnd("failed"))

    assert find_in_database(resources, [NAME]) == set()
    assert get(client, f"/v1/jobs/{train_job['id']}")["error"] == {"code": "unknown_column", "detail": ""}


def test_result_of_a_finished_job_keeps_only_ids(
    client: TestClient, resources: Resources, ready_dataset: Json, train_job: Json
) -> None:
    with resources.sessions.begin() as session:
        job = claims.claim(session, Claimant("w", "1", ("train",)), lease_seconds=60)
        assert job is not None
        assert job.lease_token is not None
        result = {"model_id": "mdl_1", "warnings": [f"Column {NAME!r} is constant."]}
        assert leases.finish(session, job.id, job.lease_token, result=result, end=AttemptEnd("succeeded"))

    delete(client, ready_dataset)

    erased = get(client, f"/v1/jobs/{train_job['id']}")
    assert (erased["state"], erased["result"]) == ("succeeded", {"kind": "train", "model_id": "mdl_1"})
    assert find_in_database(resources, [NAME]) == set()


def test_job_that_is_submitted_during_the_deletion_is_rejected(
    client: TestClient, resources: Resources, caller: Caller, ready_dataset: Json
) -> None:
    dataset_id = ids.from_text("dataset", ready_dataset["id"])
    with ThreadPoolExecutor(1) as pool, resources.sessions.begin() as session:
        head = datasets.lock(session, caller.project_id, dataset_id)
        delete_with_descendants(session, find_descendants(session, caller.project_id, head))
        response = pool.submit(client.post, "/v1/jobs", json=train(ready_dataset))
        with pytest.raises(TimeoutError):
            response.result(timeout=0.5)
        session.commit()
        assert_problem(response.result(timeout=30), 404, "not_found", "does not exist")

    assert find_in_database(resources, [NAME]) == set()


class BrokenStore(LocalStore):
    """A store that deletes nothing while it is broken."""

    is_broken = True

    def delete(self, key: str) -> None:
        """Delete a blob, unless the store is broken."""
        if self.is_broken:
            raise Unavailable("The blob store is not usable.")
        super().delete(key)


def test_deletion_is_repeated_until_the_store_has_deleted_every_blob(
    client: TestClient, resources: Resources, ready_dataset: Json
) -> None:
    store = BrokenStore(resources.settings.data_dir / "blobs")
    broken = replace(resources, store=store)
    delete(TestClient(create_app(broken), headers=dict(client.headers)), ready_dataset)
    erase_files(broken, kept=AT_ONCE)
    assert len(list(store.keys(""))) == 1

    store.is_broken = False

    assert erase_files(broken, kept=AT_ONCE) == 1
    assert list(store.keys("")) == []
    with resources.sessions() as session:
        assert erasures.pending(session, kept=AT_ONCE) == []


def test_blob_that_a_dying_process_stores_after_the_deletion_is_deleted(
    client: TestClient, resources: Resources, caller: Caller, ready_dataset: Json, train_job: Json
) -> None:
    delete(client, ready_dataset)
    erase_files(resources)
    blob = resources.staging_folder / "blob"
    blob.write_bytes(CSV)
    job_id = ids.from_text("job", train_job["id"])
    resources.store.put_file(make_key(caller.project_id, job_id, 1, "model", ".bin"), blob)

    erase_files(resources)

    assert list(resources.store.keys("")) == []


def test_deletion_leaves_other_data_unchanged(
    client: TestClient, run_jobs: RunJobs, ready_dataset: Json
) -> None:
    other = upload_whole(client, CSV)
    run_jobs()
    job = post(client, "/v1/jobs", json={**train(other), "synthesizer": {"name": "independent"}})
    run_jobs()

    delete(client, ready_dataset)

    kept = get(client, f"/v1/jobs/{job['id']}")
    assert (kept["state"], kept["parameters"]["name"], kept["labels"]) == ("succeeded", NAME, {"for": NAME})
    assert client.get(f"/v1/datasets/{other['id']}").status_code == 200
