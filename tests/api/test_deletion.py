"""Tests for deleting reports, jobs and projects. These tests search for canaries wherever data is stored."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.canaries import find_in_database, find_in_files
from tests.api.conftest import assert_problem, get, new_key
from tests.api.test_erasure import (
    AT_ONCE,
    CANARIES,
    COLUMN,
    CSV,
    NAME,
    logs,
    make_everything,
    post,
    run,
    upload_in_parts,
    upload_whole,
)
from understudy import ids
from understudy.db import jobs, projects
from understudy.db.jobs import NewJob
from understudy.resources import Resources
from understudy.services.api_keys import Caller, create_api_key
from understudy.services.erasure import erase_files

Json = dict[str, Any]
RunJobs = Callable[[], int]

__all__ = ["logs"]


@pytest.fixture
def administrator(client: TestClient, resources: Resources, caller: Caller) -> TestClient:
    key = new_key(resources, caller, "read", "write", "admin")
    return TestClient(client.app, headers={"Authorization": f"Bearer {key}"})


@pytest.fixture
def evaluated(client: TestClient, run_jobs: RunJobs) -> Json:
    """Evaluate a dataset against itself, under a label with a canary."""
    dataset = upload_whole(client, CSV)
    run_jobs()
    named = {"dataset_id": dataset["id"], "synthetic_dataset_id": dataset["id"], "target": COLUMN}
    job = run(client, run_jobs, kind="evaluate", **named)
    assert job["state"] == "succeeded", job
    return job


def test_deleted_report_leaves_nothing_but_the_ids_of_its_job(
    client: TestClient, resources: Resources, evaluated: Json
) -> None:
    path = f"/v1/reports/{evaluated['result']['report_id']}"
    assert client.delete(path).status_code == 204
    erase_files(resources, kept=AT_ONCE)

    assert_problem(client.get(path), 404, "not_found")
    assert_problem(client.delete(path), 404, "not_found")
    job = get(client, f"/v1/jobs/{evaluated['id']}")
    assert (job["state"], job.get("labels", {})) == ("succeeded", {})
    assert "target" not in job["parameters"]
    job_folder = f"/j/{evaluated['id']}/"
    assert not [key for key in resources.store.keys("") if job_folder in key]
    assert "reports" not in find_in_database(resources, CANARIES)


def test_report_of_another_project_cannot_be_deleted(
    client: TestClient, other_client: TestClient, evaluated: Json
) -> None:
    path = f"/v1/reports/{evaluated['result']['report_id']}"
    assert_problem(other_client.delete(path), 404, "not_found")
    assert_problem(other_client.delete(f"/v1/jobs/{evaluated['id']}"), 404, "not_found")
    assert client.get(path).status_code == 200


def test_job_without_resources_is_erased(client: TestClient, run_jobs: RunJobs) -> None:
    job = run(client, run_jobs, kind="probe")
    path = f"/v1/jobs/{job['id']}"
    assert NAME in str(job)

    assert [client.delete(path).status_code for _ in range(2)] == [204, 204]

    erased = get(client, path)
    assert erased["state"] == "succeeded"
    assert NAME not in str(erased)


def test_job_whose_dataset_exists_is_not_erased(client: TestClient, run_jobs: RunJobs) -> None:
    dataset = upload_whole(client, CSV)
    run_jobs()
    path = f"/v1/jobs/{get(client, '/v1/jobs')['data'][0]['id']}"
    assert_problem(client.delete(path), 409, "in_use", dataset["id"])


def test_active_job_cannot_be_erased(client: TestClient, run_jobs: RunJobs) -> None:
    dataset = upload_whole(client, CSV)
    run_jobs()
    job = post(client, "/v1/jobs", json={"kind": "train", "dataset_id": dataset["id"]})
    assert_problem(client.delete(f"/v1/jobs/{job['id']}"), 409, "in_use", "Cancel it")
    assert client.post(f"/v1/jobs/{job['id']}/cancel").status_code == 200
    assert client.delete(f"/v1/jobs/{job['id']}").status_code == 204


def test_deleted_project_leaves_no_byte_of_its_data(
    client: TestClient,
    administrator: TestClient,
    resources: Resources,
    caller: Caller,
    run_jobs: RunJobs,
    logs: io.StringIO,
) -> None:
    make_everything(client, resources, caller, run_jobs)
    upload_in_parts(client, CSV, complete=False)
    active = post(client, "/v1/jobs", json={"kind": "probe", "labels": {"for": NAME}})
    name = get(client, "/v1/project")["name"]
    create_api_key(resources, caller.project_id, NAME, ["read"])
    assert len(find_in_database(resources, CANARIES)) >= 7

    assert client.delete("/v1/project", params={"name": name}).status_code == 403
    assert_problem(administrator.delete("/v1/project", params={"name": "other"}), 409, "conflict", "name")
    assert administrator.delete("/v1/project", params={"name": name}).status_code == 204
    erase_files(resources, kept=AT_ONCE)

    assert_problem(client.get(f"/v1/jobs/{active['id']}"), 401, "unauthenticated")
    assert find_in_database(resources, CANARIES) == set()
    assert find_in_files(resources.scratch_folder, CANARIES) == set()
    assert list(resources.store.keys("")) == []
    assert not [canary for canary in CANARIES if canary in logs.getvalue()]
    with resources.sessions() as session:
        assert projects.get(session, caller.project_id).name == ""
    assert run_jobs() == 0


def test_deletion_of_a_project_leaves_other_projects_unchanged(
    administrator: TestClient, other_client: TestClient, resources: Resources, run_jobs: RunJobs
) -> None:
    other = upload_whole(other_client, CSV)
    run_jobs()
    administrator.delete("/v1/project", params={"name": get(administrator, "/v1/project")["name"]})
    erase_files(resources, kept=AT_ONCE)
    content = other_client.get(f"/v1/datasets/{other['id']}/content", params={"format": "csv"})
    assert content.status_code == 200


def test_rows_that_a_late_request_adds_to_a_deleted_project_are_erased(
    administrator: TestClient, resources: Resources, caller: Caller
) -> None:
    administrator.delete("/v1/project", params={"name": get(administrator, "/v1/project")["name"]})
    with resources.sessions.begin() as session:
        new = NewJob(caller.project_id, "probe", {"phase": NAME}, {"for": NAME}, ttl_seconds=60)
        job_id = jobs.add(session, new).id
    assert find_in_database(resources, [NAME]) == {"jobs"}

    erase_files(resources)

    assert find_in_database(resources, [NAME]) == set()
    with resources.sessions() as session:
        assert jobs.get(session, caller.project_id, job_id).state == "cancelled"
    assert ids.to_text("job", job_id).startswith("job_")
