"""Tests for jobs over HTTP: creation, reading, waiting, cancellation and retry."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime
from threading import Timer

import pytest
from starlette.testclient import TestClient

from app.job_waits import WAIT_SECONDS_MAX, read_wait
from app.main import create_app
from tests.api.conftest import Json, assert_problem, get, new_key, submit
from tests.api.worlds import make_world
from understudy.db import claims
from understudy.db.claims import Claimant
from understudy.ids import new_id, to_text
from understudy.parameters.probe import ProbeParameters
from understudy.resources import Resources
from understudy.services import jobs as job_services
from understudy.services.api_keys import Caller


def test_accepted_job_is_found_at_its_location(client: TestClient):
    response = client.post("/v1/jobs", json={"kind": "probe", "labels": {"team": "ops"}})
    job = response.json()
    assert (response.status_code, job["state"], job["labels"]) == (202, "queued", {"team": "ops"})
    assert job["parameters"] == {"kind": "probe", "seconds": 0.0}
    assert get(client, response.headers["location"]) == {**job, "attempts": []}


def test_fields_without_a_value_are_omitted_from_the_response(client: TestClient):
    job = submit(client, kind="probe")
    assert {"id", "kind", "state", "parameters", "labels", "priority", "created_at", "expires_at"} == set(job)
    assert datetime.fromisoformat(job["created_at"]).utcoffset() is not None
    assert job["created_at"].endswith("Z")


def test_defaults_of_omitted_parameters_are_returned(
    client: TestClient, resources: Resources, caller: Caller
):
    world = make_world(resources, caller)
    job = submit(client, kind="train", dataset_id=world["dataset"])
    assert 0 <= job["parameters"]["seed"] < 2**53
    assert job["parameters"]["synthesizer"] == {"name": "tree_chain", "preset": "fast"}


def test_validation_of_a_job_changes_nothing(client: TestClient, resources: Resources, caller: Caller):
    world = make_world(resources, caller)
    before = get(client, "/v1/jobs")
    body = {"kind": "sample", "model_id": world["model"], "n_rows": 5, "seed": 3}
    response = client.post("/v1/jobs/validate", json=body)
    assert response.status_code == 200
    assert response.json()["parameters"] == {**body, "offset": 0, "name": "m (synthetic)"}
    assert get(client, "/v1/jobs") == before


def test_validation_returns_the_estimate_and_the_warnings(client: TestClient, ready_dataset: Json):
    body = {"kind": "train", "dataset_id": ready_dataset["id"]}
    validated = client.post("/v1/jobs/validate", json=body).json()
    assert validated["estimate"]["peak_memory_bytes"] > 100_000_000
    assert "has only" in validated["warnings"][0]


def test_job_that_does_not_fit_into_memory_is_rejected(resources: Resources, caller: Caller):
    world = make_world(resources, caller)
    small = replace(resources, settings=resources.settings.model_copy(update={"job_memory_bytes_max": 1}))
    headers = {"Authorization": f"Bearer {new_key(resources, caller)}"}
    with TestClient(create_app(small), headers=headers) as client:
        before = get(client, "/v1/jobs")
        response = client.post("/v1/jobs", json={"kind": "sample", "model_id": world["model"], "n_rows": 5})
        assert_problem(response, 422, "does_not_fit", "job_memory_bytes_max")
        assert get(client, "/v1/jobs") == before


def test_error_for_a_job_of_a_billion_rows_contains_the_limit(
    client: TestClient, resources: Resources, caller: Caller
):
    world = make_world(resources, caller)
    body = {"kind": "sample", "model_id": world["model"], "n_rows": 1_000_000_000}
    problem = assert_problem(
        client.post("/v1/jobs", json=body), 422, "too_many_rows", "sample_rows_max", "100,000,000"
    )
    assert problem["errors"][0]["pointer"] == "/n_rows"


def test_dataset_that_is_not_ready_is_reported(client: TestClient):
    files = {"file": ("a.csv", b"a\n1\n")}
    dataset_id = client.post("/v1/datasets", files=files).json()["dataset"]["id"]
    response = client.post("/v1/jobs/validate", json={"kind": "train", "dataset_id": dataset_id})
    assert_problem(response, 409, "not_ready", dataset_id, "wait")
    assert [job["kind"] for job in get(client, "/v1/jobs")["data"]] == ["ingest"]


def test_deleted_dataset_is_not_found(client: TestClient, ready_dataset: Json):
    assert client.delete(f"/v1/datasets/{ready_dataset['id']}").status_code == 204
    response = client.post("/v1/jobs", json={"kind": "train", "dataset_id": ready_dataset["id"]})
    assert_problem(response, 404, "not_found", ready_dataset["id"])


def test_unknown_target_is_reported(client: TestClient, resources: Resources, caller: Caller):
    dataset_id = make_world(resources, caller)["dataset"]
    body = {"kind": "evaluate", "dataset_id": dataset_id, "synthetic_dataset_id": dataset_id, "target": "b"}
    problem = assert_problem(client.post("/v1/jobs", json=body), 422, "unknown_column", "'b'")
    assert problem["errors"][0]["pointer"] == "/target"


def test_error_for_too_many_queued_jobs_contains_the_time_to_wait(resources: Resources, caller: Caller):
    settings = resources.settings.model_copy(update={"queued_jobs_max": 2})
    client = TestClient(create_app(replace(resources, settings=settings)))
    client.headers["Authorization"] = f"Bearer {new_key(resources, caller)}"
    for _ in range(2):
        submit(client, kind="probe")
    response = client.post("/v1/jobs", json={"kind": "probe"})
    assert_problem(response, 429, "too_many_jobs", "2 queued jobs")
    assert int(response.headers["retry-after"]) > 0
    files = {"file": ("a.csv", b"a\n1\n")}
    assert_problem(client.post("/v1/datasets", files=files), 429, "too_many_jobs")
    assert list(resources.staging_folder.iterdir()) == []


def test_lists_of_jobs_can_be_filtered(client: TestClient):
    one = submit(client, kind="probe", labels={"team": "a", "run": "1"})
    two = submit(client, kind="probe", labels={"team": "a"})
    client.post(f"/v1/jobs/{two['id']}/cancel")

    def listed(query: str) -> list[str]:
        return [job["id"] for job in get(client, f"/v1/jobs?{query}")["data"]]

    assert listed("") == [two["id"], one["id"]]
    assert listed("state=cancelled") == [two["id"]]
    assert listed("kind=train") == []
    assert listed("label=team:a&label=run:1") == [one["id"]]
    assert listed("label=team:b") == []


def test_pages_contain_every_job_exactly_once_even_while_jobs_are_added(client: TestClient):
    job_ids = [submit(client, kind="probe")["id"] for _ in range(5)]
    listed_ids, after = [], ""
    while True:
        page = get(client, f"/v1/jobs?limit=2{after}")
        listed_ids += [job["id"] for job in page["data"]]
        submit(client, kind="probe")
        if not page["has_more"]:
            assert "next" not in page
            break
        after = f"&after={page['next']}"
    assert listed_ids == job_ids[::-1]


def test_cancellation_is_final_and_can_be_repeated(client: TestClient):
    job = submit(client, kind="probe")
    for _ in range(2):
        response = client.post(f"/v1/jobs/{job['id']}/cancel")
        assert (response.status_code, response.json()["state"]) == (200, "cancelled")
    assert get(client, f"/v1/jobs/{job['id']}")["finished_at"]


def test_succeeded_job_is_neither_cancelled_nor_retried(client: TestClient, run_jobs: Callable[[], int]):
    job = submit(client, kind="probe")
    run_jobs()
    job = get(client, f"/v1/jobs/{job['id']}")
    assert (job["state"], job["result"], len(job["attempts"])) == ("succeeded", {"kind": "probe"}, 1)
    assert job["attempts"][0]["outcome"] == "succeeded"
    assert job["progress"]["fraction"] == 1
    assert_problem(client.post(f"/v1/jobs/{job['id']}/cancel"), 409, "already_finished", "succeeded")
    assert_problem(client.post(f"/v1/jobs/{job['id']}/retry"), 409, "not_retryable", "succeeded")


def test_cancelled_job_can_be_retried(client: TestClient, run_jobs: Callable[[], int]):
    job = submit(client, kind="probe")
    assert_problem(client.post(f"/v1/jobs/{job['id']}/retry"), 409, "not_retryable", "queued")
    client.post(f"/v1/jobs/{job['id']}/cancel")
    retried = client.post(f"/v1/jobs/{job['id']}/retry")
    assert (retried.status_code, retried.json()["state"]) == (202, "queued")
    run_jobs()
    assert get(client, f"/v1/jobs/{job['id']}")["state"] == "succeeded"


def test_waiting_ends_when_the_job_ends(client: TestClient, resources: Resources, caller: Caller):
    job = submit(client, kind="probe")
    cancel = Timer(0.3, client.post, [f"/v1/jobs/{job['id']}/cancel"])
    cancel.start()
    response = client.get(f"/v1/jobs/{job['id']}", headers={"Prefer": "respond-async, wait=60"})
    cancel.join()
    assert response.json()["state"] == "cancelled"
    assert response.headers["preference-applied"] == "wait=60"


def test_waiting_ends_after_the_requested_time(client: TestClient):
    job = submit(client, kind="probe")
    response = client.get(f"/v1/jobs/{job['id']}", headers={"Prefer": "wait=1"})
    assert (response.status_code, response.json()["state"]) == (200, "queued")


def test_waiting_returns_at_once_for_a_finished_job_and_fails_for_a_missing_job(client: TestClient):
    job = submit(client, kind="probe")
    client.post(f"/v1/jobs/{job['id']}/cancel")
    assert client.get(f"/v1/jobs/{job['id']}", headers={"Prefer": "wait=60"}).json()["state"] == "cancelled"
    unknown = to_text("job", new_id())
    assert_problem(client.get(f"/v1/jobs/{unknown}", headers={"Prefer": "wait=60"}), 404, "not_found")


def test_many_waiting_callers_do_not_block_others(client: TestClient):
    # There are many more callers than threads. If each waiting caller used a thread, the cancellation would
    # be blocked.
    job = submit(client, kind="probe")
    with ThreadPoolExecutor(60) as pool:
        headers = {"Prefer": "wait=60"}
        waiting = [pool.submit(client.get, f"/v1/jobs/{job['id']}", headers=headers) for _ in range(60)]
        assert client.post(f"/v1/jobs/{job['id']}/cancel").status_code == 200
        assert {response.result().json()["state"] for response in waiting} == {"cancelled"}


@pytest.mark.parametrize(
    ("prefer", "seconds"),
    [
        (None, 0),
        ("", 0),
        ("wait=30", 30),
        ("Wait=30", 30),
        ("return=minimal, wait=5", 5),
        ("wait=5; foo=bar", 5),
        ("wait=0", 0),
        ("wait=999999", WAIT_SECONDS_MAX),
        ("wait=-1", 0),
        ("wait=soon", 0),
        ("await=5", 0),
        ("wait=5x", 0),
    ],
)
def test_prefer_header_is_parsed(prefer: str | None, seconds: int):
    assert read_wait(prefer) == seconds


def test_waiting_ends_if_the_caller_disconnects(client: TestClient, resources: Resources, caller: Caller):
    job = job_services.submit_job(resources, caller.project_id, ProbeParameters(kind="probe"))
    scope = {
        "type": "http",
        "method": "GET",
        "path": f"/v1/jobs/{to_text('job', job.id)}",
        "query_string": b"",
        "headers": [(b"authorization", client.headers["Authorization"].encode()), (b"prefer", b"wait=60")],
    }

    async def receive() -> Json:
        return {"type": "http.disconnect"}

    async def send(message: object) -> None:
        pass

    async def ask() -> None:
        await asyncio.wait_for(client.app(scope, receive, send), timeout=30)

    asyncio.run(ask())


def test_job_with_the_highest_priority_runs_first(client: TestClient, resources: Resources):
    for priority in (0, -100, 100):
        response = client.post("/v1/jobs", json={"kind": "probe", "priority": priority})
        assert response.json()["priority"] == priority
        assert "priority" not in response.json()["parameters"]

    claimant = Claimant("worker@test", "1", ("probe",))
    claimed = []
    for _ in range(3):
        with resources.sessions.begin() as session:
            job = claims.claim(session, claimant, lease_seconds=60)
            assert job is not None
            claimed.append(job.priority)

    assert claimed == [100, 0, -100]


@pytest.mark.parametrize("priority", [101, -101, 1.5, "high"])
def test_invalid_priority_is_rejected(client: TestClient, priority: object):
    response = client.post("/v1/jobs", json={"kind": "probe", "priority": priority})
    assert_problem(response, 422, "invalid_parameters")
    assert response.json()["errors"][0]["pointer"] == "/priority"
