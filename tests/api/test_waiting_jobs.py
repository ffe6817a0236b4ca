"""Tests for jobs that wait for their datasets, and for requests that wait for their jobs."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from starlette.testclient import TestClient

from tests.api.conftest import Json, assert_problem, get, submit, upload, wait_until

TRAIN: Json = {"kind": "train", "synthesizer": {"name": "independent"}}


def test_training_right_after_an_upload_waits_for_the_dataset(
    client: TestClient, csv_bytes: bytes, run_jobs: Callable[[], int]
):
    dataset = upload(client, csv_bytes)["dataset"]
    waiting = submit(client, dataset_id=dataset["id"], **TRAIN)
    assert (waiting["state"], "seed" in waiting["parameters"]) == ("queued", False)
    assert run_jobs() == 2
    trained = get(client, f"/v1/jobs/{waiting['id']}")
    assert trained["state"] == "succeeded", trained
    assert trained["parameters"]["seed"] >= 0
    assert get(client, f"/v1/models/{trained['result']['model_id']}")["dataset_id"] == dataset["id"]


def test_job_whose_dataset_cannot_be_read_fails(client: TestClient, run_jobs: Callable[[], int]):
    dataset = upload(client, b"a,b\n1,2,3\n1\n")["dataset"]
    waiting = submit(client, dataset_id=dataset["id"], **TRAIN)
    run_jobs()
    error = get(client, f"/v1/jobs/{waiting['id']}")["error"]
    assert error["code"] == "not_ready"
    assert dataset["id"] in error["detail"]


def test_waiting_job_with_invalid_parameters_fails_when_the_dataset_is_ready(
    client: TestClient, csv_bytes: bytes, run_jobs: Callable[[], int]
):
    dataset = upload(client, csv_bytes)["dataset"]
    waiting = submit(client, dataset_id=dataset["id"], table="no such table", **TRAIN)
    run_jobs()
    assert get(client, f"/v1/datasets/{dataset['id']}")["state"] == "ready"
    assert get(client, f"/v1/jobs/{waiting['id']}")["error"]["code"] == "unknown_table"


def test_waiting_job_is_cancelled_and_waits_again_after_a_retry(
    client: TestClient, csv_bytes: bytes, run_jobs: Callable[[], int]
):
    dataset = upload(client, csv_bytes)["dataset"]
    path = f"/v1/jobs/{submit(client, dataset_id=dataset['id'], **TRAIN)['id']}"
    assert client.post(f"{path}/cancel").json()["state"] == "cancelled"
    assert client.post(f"{path}/retry").json()["state"] == "queued"
    assert run_jobs() == 2
    assert get(client, path)["state"] == "succeeded"


def test_creation_request_waits_for_the_job_if_the_client_prefers_to_wait(
    client: TestClient, run_jobs: Callable[[], int]
):
    headers = {"Prefer": "wait=30", "Idempotency-Key": "order-1"}
    with ThreadPoolExecutor(1) as pool:
        worker = pool.submit(wait_until, lambda: run_jobs() > 0)
        response = client.post("/v1/jobs", json={"kind": "probe"}, headers=headers)
        worker.result()
    assert (response.status_code, response.json()["state"]) == (202, "succeeded")
    assert response.headers["preference-applied"] == "wait=30"
    assert response.headers["location"] == f"/v1/jobs/{response.json()['id']}"
    again = client.post("/v1/jobs", json={"kind": "probe"}, headers=headers)
    assert (again.json()["id"], again.headers["idempotent-replayed"]) == (response.json()["id"], "true")


def test_validation_creates_no_job(client: TestClient):
    validated = client.post("/v1/jobs/validate", json={"kind": "probe"})
    assert (validated.status_code, validated.json()["parameters"]["kind"]) == (200, "probe")
    assert get(client, "/v1/jobs")["data"] == []
    assert_problem(client.post("/v1/jobs/validate", json={"kind": "trian"}), 422, "unknown_kind")


def test_job_of_another_project_cannot_wait_for_a_dataset(
    client: TestClient, other_client: TestClient, csv_bytes: bytes
):
    dataset = upload(client, csv_bytes)["dataset"]
    response = other_client.post("/v1/jobs", json={"dataset_id": dataset["id"], **TRAIN})
    assert_problem(response, 404, "not_found", dataset["id"])
