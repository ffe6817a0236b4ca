"""Tests for uploads in parts: order, checks, repetition, resumption and rejection."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from httpx2 import Response
from sqlalchemy import text
from starlette.testclient import TestClient

from app.main import create_app
from tests.api.conftest import Json, assert_problem, get, new_key
from tests.service import make_caller
from understudy import ids
from understudy.resources import Resources
from understudy.sandbox import Sandbox
from understudy.services.job_runs import run_next_job
from understudy.services.maintenance import sweep
from understudy.services.uploads import choose_part_bytes
from understudy.storage import LocalStore

UNIT = 1 << 16
CSV = b"a,b\n" + b"".join(b"%d,text %d\n" % (n, n * n) for n in range(12_000))
N_PARTS = -(-len(CSV) // UNIT)


def stored_path(resources: Resources, key: str) -> Path:
    """Return the path of a blob in the local test store."""
    assert isinstance(resources.store, LocalStore)
    return resources.store.root / key


def digest_of(data: bytes) -> str:
    """Return the value of the Content-Digest header."""
    return f"sha-256=:{base64.b64encode(hashlib.sha256(data).digest()).decode()}:"


def begin(client: TestClient, *files: tuple[str, bytes], **more: Any) -> Json:
    """Start an upload of files with the given names and contents, and return the upload."""
    declared = [
        {"filename": name, "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        for name, data in files
    ]
    response = client.post("/v1/uploads", json={"files": declared, "part_bytes": UNIT, **more})
    assert response.status_code == 201, response.text
    upload: Json = response.json()
    assert response.headers["location"] == f"/v1/uploads/{upload['id']}"
    return upload


def put(client: TestClient, upload: Json, number: int, data: bytes, digest: str | None = None) -> Response:
    """Send a part."""
    path = f"/v1/uploads/{upload['id']}/parts/{number}"
    return client.put(path, content=data, headers={"Content-Digest": digest or digest_of(data)})


def pieces(data: bytes) -> list[bytes]:
    """Return the parts of a file."""
    return [data[start : start + UNIT] for start in range(0, len(data), UNIT)]


def complete(client: TestClient, upload: Json) -> Response:
    """Complete an upload."""
    return client.post(f"/v1/uploads/{upload['id']}/complete")


def send_all(client: TestClient, upload: Json, *files: bytes) -> None:
    """Send all parts of all files in reverse order."""
    parts = [piece for data in files for piece in pieces(data)]
    for number, piece in reversed(list(enumerate(parts, 1))):
        assert put(client, upload, number, piece).status_code == 200


def test_parts_in_any_order_become_a_dataset(
    client: TestClient, resources: Resources, run_jobs: Callable[[], int]
):
    upload = begin(client, ("towns.csv", CSV), labels={"team": "x"})
    assert (upload["state"], upload["part_bytes"], upload["n_parts"]) == ("open", UNIT, N_PARTS)
    send_all(client, upload, CSV)
    response = complete(client, upload)
    body = response.json()
    assert (response.status_code, body["job"]["kind"]) == (202, "ingest")
    assert (body["dataset"]["name"], body["dataset"]["labels"]) == ("towns", {"team": "x"})
    assert response.headers["location"] == f"/v1/datasets/{body['dataset']['id']}"
    assert len(list(resources.store.keys(""))) == N_PARTS
    run_jobs()
    assert get(client, f"/v1/datasets/{body['dataset']['id']}")["n_rows"] == 12_000
    # The parts are deleted, so the store contains the same files as after an upload in a single request.
    assert [key.rpartition("/")[2] for key in resources.store.keys("")] == ["table_1.parquet"]


def test_upload_lists_the_options_that_differ_from_the_defaults(client: TestClient):
    upload = begin(client, ("towns.csv", CSV), options={"decimal": ",", "bad_rows": "fail"})
    assert upload["options"] == {"decimal": ","}
    assert get(client, f"/v1/uploads/{upload['id']}")["options"] == {"decimal": ","}
    other = begin(client, ("towns.csv", CSV))
    listed = {item["id"]: item["options"] for item in get(client, "/v1/uploads")["data"]}
    assert (listed[upload["id"]], listed[other["id"]]) == ({"decimal": ","}, {})


def test_completion_of_an_upload_reads_none_of_its_parts(client: TestClient, resources: Resources):
    upload = begin(client, ("towns.csv", CSV))
    send_all(client, upload, CSV)
    for key in resources.store.keys(""):
        path = stored_path(resources, key)
        path.write_bytes(bytes(path.stat().st_size))
    assert complete(client, upload).status_code == 202


def test_parts_are_kept_until_the_file_is_read(
    client: TestClient, resources: Resources, run_jobs: Callable[[], int]
):
    upload = begin(client, ("towns.csv", CSV))
    send_all(client, upload, CSV)
    dataset = complete(client, upload).json()["dataset"]
    with resources.sessions.begin() as session:
        session.execute(text("update uploads set expires_at = clock_timestamp()"))
    sweep(resources, orphans_kept=timedelta(0))
    assert len(list(resources.store.keys(""))) == N_PARTS
    run_jobs()
    assert get(client, f"/v1/datasets/{dataset['id']}")["state"] == "ready"


def test_released_attempt_leaves_the_parts_for_the_next_attempt(
    client: TestClient, resources: Resources, run_jobs: Callable[[], int]
):
    upload = begin(client, ("towns.csv", CSV))
    send_all(client, upload, CSV)
    dataset = complete(client, upload).json()["dataset"]
    # The job could finish before the worker checks whether it is draining. The test therefore uses work that
    # never ends.
    with Sandbox("tests.api.stalled_work:run") as stalled:
        run_next_job(resources, stalled, "worker@test", is_draining=lambda: True)
    assert get(client, f"/v1/datasets/{dataset['id']}")["state"] == "pending"
    assert len(list(resources.store.keys(""))) == N_PARTS
    run_jobs()
    assert get(client, f"/v1/datasets/{dataset['id']}")["n_rows"] == 12_000


def test_part_that_was_damaged_in_the_store_fails_the_job(
    client: TestClient, resources: Resources, run_jobs: Callable[[], int]
):
    upload = begin(client, ("towns.csv", CSV))
    send_all(client, upload, CSV)
    damaged = next(key for key in resources.store.keys("") if "/2-" in key)
    stored_path(resources, damaged).write_bytes(bytes(UNIT))
    dataset = complete(client, upload).json()["dataset"]
    run_jobs()
    error = get(client, f"/v1/datasets/{dataset['id']}")["error"]
    assert (error["code"], "Part 2" in error["detail"]) == ("incomplete_upload", True)


def test_several_files_become_the_tables_of_one_dataset(client: TestClient, run_jobs: Callable[[], int]):
    other = b"x\n1\n2\n"
    upload = begin(client, ("towns.csv", CSV), ("other.csv", other), name="both")
    places = [(file["first_part"], file["n_parts"]) for file in upload["files"]]
    assert places == [(1, N_PARTS), (N_PARTS + 1, 1)]
    send_all(client, upload, CSV, other)
    dataset = complete(client, upload).json()["dataset"]
    run_jobs()
    ingested = get(client, f"/v1/datasets/{dataset['id']}")
    assert [(table["name"], table["n_rows"]) for table in ingested["tables"]] == [
        ("towns", 12_000),
        ("other", 2),
    ]


def test_repeated_completion_returns_the_same_dataset(client: TestClient):
    upload = begin(client, ("towns.csv", CSV))
    send_all(client, upload, CSV)
    first, again = complete(client, upload).json(), complete(client, upload).json()
    assert first == again
    assert len(get(client, "/v1/datasets")["data"]) == 1
    completed = get(client, f"/v1/uploads/{upload['id']}")
    assert (completed["state"], completed["dataset_id"], completed["parts"]) == (
        "completed",
        first["dataset"]["id"],
        [],
    )
    assert_problem(put(client, upload, 1, CSV[:UNIT]), 409, "conflict", "complete")


def test_completion_can_be_retried_immediately_after_a_crash(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
):
    upload = begin(client, ("small.csv", CSV))
    send_all(client, upload, CSV)
    path, headers = f"/v1/uploads/{upload['id']}/complete", {"Idempotency-Key": "k"}
    with monkeypatch.context() as crash:
        # The process dies between the commit and the response.
        crash.setattr("understudy.services.idempotency.complete", _crash)
        crash.setattr("understudy.services.idempotency.abandon", lambda *_: None)
        assert client.post(path, headers=headers).status_code == 500
    again = client.post(path, headers=headers)
    assert again.status_code == 202
    datasets = get(client, "/v1/datasets")["data"]
    assert [dataset["id"] for dataset in datasets] == [again.json()["dataset"]["id"]]


def _crash(*_: object) -> None:
    raise RuntimeError("crash")


def test_received_and_missing_parts_are_listed(client: TestClient, resources: Resources):
    upload = begin(client, ("towns.csv", CSV))
    put(client, upload, 2, CSV[UNIT : 2 * UNIT])
    (part,) = get(client, f"/v1/uploads/{upload['id']}")["parts"]
    assert (part["number"], part["size_bytes"]) == (2, UNIT)
    assert part["sha256"] == hashlib.sha256(CSV[UNIT : 2 * UNIT]).hexdigest()
    (listed,) = get(client, "/v1/uploads")["data"]
    assert (listed["id"], "parts" in listed) == (upload["id"], False)
    assert_problem(complete(client, upload), 409, "incomplete_upload", f"{N_PARTS - 1} of", "1, 3")


def test_resending_a_part_changes_nothing_and_new_content_replaces_it(
    client: TestClient, resources: Resources
):
    upload = begin(client, ("towns.csv", CSV))
    right, wrong = CSV[:UNIT], bytes(UNIT)
    assert put(client, upload, 1, wrong).status_code == 200
    assert put(client, upload, 1, right).json()["sha256"] == hashlib.sha256(right).hexdigest()
    before = list(resources.store.keys(""))
    assert put(client, upload, 1, right).status_code == 200
    assert list(resources.store.keys("")) == before
    assert len(before) == 1


@pytest.mark.parametrize(
    ("number", "data", "digest", "status", "code"),
    [
        (1, CSV[: UNIT - 1], None, 422, "part_size_mismatch"),
        (1, CSV[: UNIT + 1], None, 422, "part_size_mismatch"),
        (1, b"", None, 422, "part_size_mismatch"),
        (N_PARTS, CSV[:UNIT], None, 422, "part_size_mismatch"),
        (1, CSV[:UNIT], digest_of(b""), 422, "digest_mismatch"),
        (1, CSV[:UNIT], "sha-256=:x:", 422, "invalid_parameters"),
        (1, CSV[:UNIT], "md5=:x:", 422, "invalid_parameters"),
        (N_PARTS + 1, b"x", None, 404, "not_found"),
        (0, b"x", None, 422, "invalid_parameters"),
        (10_001, b"x", None, 422, "invalid_parameters"),
    ],
)
def test_invalid_part_leaves_nothing_behind(
    client: TestClient,
    resources: Resources,
    number: int,
    data: bytes,
    digest: str | None,
    status: int,
    code: str,
):
    upload = begin(client, ("towns.csv", CSV))
    assert_problem(put(client, upload, number, data, digest), status, code)
    assert get(client, f"/v1/uploads/{upload['id']}")["parts"] == []
    assert list(resources.store.keys("")) == []
    assert list(resources.staging_folder.iterdir()) == []


def test_part_of_unknown_length_is_checked_against_its_expected_size(
    client: TestClient, resources: Resources
):
    upload = begin(client, ("towns.csv", CSV))

    def endless() -> Iterator[bytes]:
        for _ in range(1000):
            yield bytes(UNIT)

    headers = {"Content-Digest": digest_of(b"")}
    response = client.put(f"/v1/uploads/{upload['id']}/parts/1", content=endless(), headers=headers)
    assert_problem(response, 422, "part_size_mismatch", str(UNIT))
    assert list(resources.staging_folder.iterdir()) == []


def test_part_requires_a_digest(client: TestClient):
    upload = begin(client, ("towns.csv", CSV))
    response = client.put(f"/v1/uploads/{upload['id']}/parts/1", content=CSV[:UNIT])
    problem = assert_problem(response, 422, "invalid_parameters")
    assert problem["errors"][0]["parameter"] == "Content-Digest"


def test_file_with_a_wrong_digest_fails_its_job(client: TestClient, run_jobs: Callable[[], int]):
    upload = begin(client, ("towns.csv", CSV))
    send_all(client, upload, CSV[:-1] + b"!")
    dataset = complete(client, upload).json()["dataset"]
    run_jobs()
    ingested = get(client, f"/v1/datasets/{dataset['id']}")
    assert (ingested["state"], ingested["error"]["code"]) == ("failed", "digest_mismatch")


def test_file_of_one_part_with_a_wrong_digest_is_rejected(client: TestClient):
    right, wrong = b"a,b\n1,2\n", b"a,b\n1,3\n"
    upload = begin(client, ("small.csv", right))
    send_all(client, upload, wrong)
    assert_problem(complete(client, upload), 422, "digest_mismatch", "file 1 of 1")
    assert get(client, "/v1/datasets")["data"] == []
    # The upload is still open, and sending the correct part repairs it.
    assert put(client, upload, 1, right).status_code == 200
    assert complete(client, upload).status_code == 202


def test_file_without_a_declared_digest_is_read(client: TestClient, run_jobs: Callable[[], int]):
    body = {"files": [{"filename": "towns.csv", "size_bytes": len(CSV)}], "part_bytes": UNIT}
    upload = client.post("/v1/uploads", json=body).json()
    send_all(client, upload, CSV)
    dataset = complete(client, upload).json()["dataset"]
    run_jobs()
    assert get(client, f"/v1/datasets/{dataset['id']}")["n_rows"] == 12_000


def test_lost_part_is_reported_as_missing(client: TestClient, resources: Resources):
    upload = begin(client, ("towns.csv", CSV))
    send_all(client, upload, CSV)
    lost = next(key for key in resources.store.keys("") if "/1-" in key)
    resources.store.delete(lost)
    assert_problem(complete(client, upload), 409, "incomplete_upload", "Part 1 was damaged")
    put(client, upload, 1, CSV[:UNIT])
    assert complete(client, upload).status_code == 202


def test_concurrent_completions_create_one_dataset(client: TestClient):
    upload = begin(client, ("towns.csv", CSV))
    send_all(client, upload, CSV)
    with ThreadPoolExecutor(4) as pool:
        responses = list(pool.map(lambda _: complete(client, upload), range(4)))
    assert {response.status_code for response in responses} == {202}
    datasets = {response.json()["dataset"]["id"] for response in responses}
    assert len(datasets) == 1
    assert [row["id"] for row in get(client, "/v1/datasets")["data"]] == list(datasets)


def test_deleted_upload_leaves_nothing_behind(client: TestClient, resources: Resources):
    upload = begin(client, ("towns.csv", CSV))
    put(client, upload, 1, CSV[:UNIT])
    assert client.delete(f"/v1/uploads/{upload['id']}").status_code == 204
    assert list(resources.store.keys("")) == []
    assert_problem(get_raw(client, upload), 404, "not_found")
    assert_problem(put(client, upload, 1, CSV[:UNIT]), 404, "not_found")


def get_raw(client: TestClient, upload: Json) -> Response:
    """Return the response to a GET request for an upload."""
    return client.get(f"/v1/uploads/{upload['id']}")


def test_unused_upload_expires(client: TestClient, resources: Resources):
    upload, young = begin(client, ("towns.csv", CSV)), begin(client, ("towns.csv", CSV))
    put(client, upload, 1, CSV[:UNIT])
    with resources.sessions.begin() as session:
        statement = text("update uploads set expires_at = clock_timestamp() where id = :id")
        session.execute(statement, {"id": ids.from_text("upload", upload["id"])})
    assert_problem(get_raw(client, upload), 404, "not_found")
    assert len(list(resources.store.keys(""))) == 1
    sweep(resources)
    assert list(resources.store.keys("")) == []
    assert [row["id"] for row in get(client, "/v1/uploads")["data"]] == [young["id"]]


def test_every_part_extends_the_lifetime_of_the_upload(client: TestClient):
    upload = begin(client, ("towns.csv", CSV))
    put(client, upload, 1, CSV[:UNIT])
    assert get(client, f"/v1/uploads/{upload['id']}")["expires_at"] > upload["expires_at"]


def test_upload_is_deleted_with_its_dataset(client: TestClient):
    upload = begin(client, ("towns.csv", CSV))
    send_all(client, upload, CSV)
    dataset = complete(client, upload).json()["dataset"]
    assert client.delete(f"/v1/datasets/{dataset['id']}").status_code == 204
    assert get(client, "/v1/uploads")["data"] == []


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"files": []}, 422, "invalid_parameters"),
        ({"files": [{"filename": "a.csv", "size_bytes": 0}]}, 422, "invalid_parameters"),
        ({"files": [{"filename": "a.csv", "size_bytes": 1}] * 101}, 422, "invalid_parameters"),
        ({"files": [{"filename": "a.csv", "size_bytes": 1}] * 2}, 422, "duplicate_table"),
        ({"files": [{"filename": "a.doc", "size_bytes": 1}]}, 422, "unknown_format"),
        ({"files": [{"size_bytes": 1}]}, 422, "unknown_format"),
        ({"files": [{"filename": "a\u0000.csv", "size_bytes": 1}]}, 422, "invalid_parameters"),
        ({"files": [{"filename": "a.csv", "size_bytes": 1, "sha256": "x"}]}, 422, "invalid_parameters"),
        ({"files": [{"filename": "a.csv", "size_bytes": 5 << 30}]}, 413, "upload_too_large"),
        ({"files": [{"filename": f"{n}.csv", "size_bytes": 3 << 30} for n in "ab"]}, 413, "upload_too_large"),
        ({"files": [{"filename": "a.csv", "size_bytes": 1}], "surplus": 1}, 422, "extra_forbidden"),
    ],
)
def test_invalid_upload_is_not_started(client: TestClient, body: Json, status: int, code: str):
    response = client.post("/v1/uploads", json=body)
    known = "invalid_parameters" if code == "extra_forbidden" else code
    assert_problem(response, status, known)
    assert get(client, "/v1/uploads")["data"] == []


def test_number_of_open_uploads_is_limited(shared_resources: Resources):
    settings = shared_resources.settings.model_copy(update={"open_uploads_max": 2})
    key = new_key(shared_resources, make_caller(shared_resources))
    app = create_app(replace(shared_resources, settings=settings))
    with TestClient(app, headers={"Authorization": f"Bearer {key}"}) as client:
        one, _ = begin(client, ("a.csv", CSV)), begin(client, ("a.csv", CSV))
        body = {"files": [{"filename": "a.csv", "size_bytes": 1}]}
        assert_problem(client.post("/v1/uploads", json=body), 429, "too_many_uploads", "2 unfinished uploads")
        client.delete(f"/v1/uploads/{one['id']}")
        assert client.post("/v1/uploads", json=body).status_code == 201


@pytest.mark.parametrize("n_files", [1, 100])
@pytest.mark.parametrize("size_bytes", [1, 655_360_000, 655_360_001, 4 << 30, 1 << 45])
def test_number_of_parts_is_at_most_ten_thousand(size_bytes: int, n_files: int):
    part_bytes = choose_part_bytes(1, size_bytes, n_files=n_files)
    # In the worst case, every file but one ends with a part of one byte.
    assert -(-size_bytes // part_bytes) + n_files - 1 <= 10_000
    assert part_bytes % UNIT == 0
