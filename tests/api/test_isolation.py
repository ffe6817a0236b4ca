"""Tests that responses for another project's resources and for missing resources are indistinguishable."""

from __future__ import annotations

import re
from base64 import b64encode
from hashlib import sha256
from typing import Any

import pytest
from httpx2 import Response
from starlette.testclient import TestClient

from app.main import create_app
from tests.api.conftest import get, new_key
from tests.api.worlds import make_world
from tests.service import make_caller
from tests.test_openapi import IN_V1, OPERATIONS
from understudy.access import PROJECT_SCOPES
from understudy.ids import PREFIXES, new_id, to_text
from understudy.resources import Resources

World = dict[str, str]
Own = tuple[TestClient, World]
# The operations of `/v1/projects` apply to all projects. `test_projects.py` tests who can call them.
WITH_ID = [
    name for name in IN_V1 if "{" in (path := OPERATIONS[name][0]) and not path.startswith("/v1/projects")
]
TYPES = ("dataset", "job", "pipeline", "model", "report", "upload", "api_key", "webhook", "event")
PATHS = {noun: f"{noun.replace('_', '-')}s" for noun in TYPES}
# Types without an operation that returns a single resource.
LISTED_ONLY = ("event", "delivery")
PART_DIGEST = f"sha-256=:{b64encode(sha256(b'abcd').digest()).decode()}:"
PART_HEADERS = {"Content-Digest": PART_DIGEST, "Content-Type": "application/octet-stream"}
# For each operation, these requests are valid up to the lookup of the resource.
REQUESTS: dict[str, dict[str, Any]] = {
    "update_dataset": {"json": {"name": "mine now"}},
    "update_api_key": {"json": {"name": "mine now"}},
    "release_dataset": {"json": {"reason": "Needed for a test."}},
    "update_schema": {"json": {"subject": ["a"]}},
    "apply_sdv_metadata": {"json": {"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1", "columns": {}}},
    "put_upload_part": {"content": b"abcd", "headers": PART_HEADERS},
    "update_job": {"json": {"labels": {"a": "b"}}},
    "update_pipeline": {"json": {"labels": {"a": "b"}}},
    "update_model": {"json": {"name": "mine now"}},
    "update_report": {"json": {"labels": {"a": "b"}}},
    "update_webhook": {"json": {"name": "mine now"}},
}
REFERENCES = [
    {"kind": "train", "dataset_id": "{dataset}"},
    {"kind": "sample", "model_id": "{model}", "n_rows": 1},
    {"kind": "impute", "model_id": "{model}", "dataset_id": "{own_dataset}"},
    {"kind": "impute", "model_id": "{own_model}", "dataset_id": "{dataset}"},
    {"kind": "evaluate", "dataset_id": "{dataset}", "synthetic_dataset_id": "{own_dataset}"},
    {"kind": "evaluate", "dataset_id": "{own_dataset}", "synthetic_dataset_id": "{dataset}"},
    {
        "kind": "evaluate",
        "dataset_id": "{own_dataset}",
        "synthetic_dataset_id": "{own_dataset}",
        "holdout_dataset_id": "{dataset}",
    },
]
FILTERS = [
    *("datasets?model_id={model}", "models?dataset_id={dataset}", "reports?dataset_id={dataset}"),
    "pipelines?dataset_id={dataset}",
    *("events?job_id={job}", "events?dataset_id={dataset}"),
]


@pytest.fixture(scope="module")
def victim(shared_resources: Resources) -> World:
    """Create the resources of the other project."""
    return make_world(shared_resources, make_caller(shared_resources))


@pytest.fixture(scope="module")
def own(shared_resources: Resources) -> Own:
    """Create a client and the resources of its own project."""
    caller = make_caller(shared_resources)
    headers = {"Authorization": f"Bearer {new_key(shared_resources, caller, *PROJECT_SCOPES)}"}
    return TestClient(create_app(shared_resources), headers=headers), make_world(shared_resources, caller)


def unknown() -> World:
    """Return IDs of resources that do not exist."""
    return {noun: to_text(noun, new_id()) for noun in (*TYPES, "delivery")}


def seen(response: Response) -> tuple[int, dict[str, str], str]:
    """Return all parts of a response that a caller can compare, without the IDs that were sent."""
    ids = rf"({'|'.join(PREFIXES.values())}|req)_[0-9a-z]{{24,26}}"
    # These headers differ between requests: the ID is unique, and the number of remaining requests decreases.
    own = ("x-request-id", "ratelimit")
    headers = {name: value for name, value in response.headers.items() if name not in own}
    return response.status_code, headers, re.sub(ids, "<id>", response.text)


def ask(client: TestClient, name: str, world: World) -> Response:
    """Call an operation with the IDs of the given resources."""
    path, method, _ = OPERATIONS[name]
    filled = path.format(**{f"{noun}_id": text for noun, text in world.items()}, number=1)
    return client.request(method, filled, **REQUESTS.get(name, {}))


@pytest.mark.parametrize("name", WITH_ID)
def test_resource_of_another_project_gets_the_same_response_as_a_missing_resource(
    own: Own, victim: World, name: str
):
    client, _ = own
    response = seen(ask(client, name, victim))
    assert response[0] == 404
    assert response == seen(ask(client, name, unknown()))


@pytest.mark.parametrize("body", REFERENCES, ids=lambda body: body["kind"])
def test_resource_of_another_project_cannot_be_used_in_a_job(own: Own, victim: World, body: dict[str, Any]):
    client, world = own
    n_jobs = len(get(client, "/v1/jobs")["data"])

    def respond(other: World) -> Response:
        names = {**other, "own_dataset": world["dataset"], "own_model": world["model"]}
        filled = {key: value.format(**names) if "_id" in key else value for key, value in body.items()}
        return client.post("/v1/jobs", json=filled)

    assert respond(victim).status_code == 404
    assert seen(respond(victim)) == seen(respond(unknown()))
    assert len(get(client, "/v1/jobs")["data"]) == n_jobs


@pytest.mark.parametrize("path", FILTERS)
def test_filter_by_a_resource_of_another_project_finds_nothing(own: Own, victim: World, path: str):
    assert get(own[0], f"/v1/{path.format(**victim)}") == {"data": [], "has_more": False}


@pytest.mark.parametrize("noun", PATHS)
def test_list_contains_only_resources_of_its_project(own: Own, victim: World, noun: str):
    listed = {row["id"] for row in get(own[0], f"/v1/{PATHS[noun]}")["data"]}
    assert own[1][noun] in listed
    assert victim[noun] not in listed


def test_delivery_of_another_webhook_is_not_found(own: Own, victim: World):
    """Check that the ID of a webhook does not give access to the deliveries of another one."""
    client, world = own
    mixed = {**world, "delivery": victim["delivery"]}
    assert seen(ask(client, "redeliver_event", mixed)) == seen(
        ask(client, "redeliver_event", {**world, "delivery": unknown()["delivery"]})
    )


def test_cursor_of_another_project_does_not_reveal_its_resources(own: Own, victim: World):
    response = own[0].get(f"/v1/datasets?after={victim['dataset']}")
    assert response.status_code == 200
    assert victim["dataset"] not in response.text


def test_idempotency_key_belongs_to_its_project(own: Own, shared_resources: Resources):
    other = TestClient(own[0].app)
    other.headers["Authorization"] = f"Bearer {new_key(shared_resources, make_caller(shared_resources))}"
    headers = {"Idempotency-Key": "chance"}
    first = own[0].post("/v1/jobs", json={"kind": "probe"}, headers=headers)
    second = other.post("/v1/jobs", json={"kind": "probe"}, headers=headers)
    assert (first.status_code, second.status_code) == (202, 202)
    assert first.json()["id"] != second.json()["id"]


def test_requests_leave_another_project_unchanged(own: Own, shared_resources: Resources):
    caller = make_caller(shared_resources)
    world = make_world(shared_resources, caller)
    key = new_key(shared_resources, caller, *PROJECT_SCOPES)
    client = TestClient(own[0].app, headers={"Authorization": f"Bearer {key}"})

    def resources_of_the_project() -> list[Any]:
        return [
            get(client, f"/v1/{PATHS[noun]}/{text}")
            for noun, text in world.items()
            if noun not in ("report", *LISTED_ONLY)
        ]

    before = resources_of_the_project()
    for name in WITH_ID:
        ask(own[0], name, world)
    assert resources_of_the_project() == before
