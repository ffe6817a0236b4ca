"""Tests for project management by the operator of the installation."""

from __future__ import annotations

from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import assert_problem, get, new_key
from understudy.ids import new_id, to_text
from understudy.resources import Resources
from understudy.services.api_keys import Caller

Json = dict[str, Any]
PATH = "/v1/projects"


@pytest.fixture
def operator(client: TestClient, resources: Resources, caller: Caller) -> TestClient:
    """Create a client with an `operator` key."""
    key = new_key(resources, caller, "operator")
    return TestClient(client.app, headers={"Authorization": f"Bearer {key}"})


@pytest.fixture
def project(operator: TestClient) -> Json:
    """Create a project."""
    response = operator.post(PATH, json={"name": "risk", "running_jobs_max": 3})
    assert response.status_code == 201, response.text
    body: Json = response.json()
    assert response.headers["location"] == f"{PATH}/{body['id']}"
    return body


def client_of(operator: TestClient, project: Json, *scopes: str) -> TestClient:
    """Return a client with a new key of a project."""
    body = {"name": "first", "scopes": scopes}
    created = operator.post(f"{PATH}/{project['id']}/api-keys", json=body)
    assert created.status_code == 201, created.text
    return TestClient(operator.app, headers={"Authorization": f"Bearer {created.json()['key']}"})


def test_key_of_a_new_project_gives_access_only_to_that_project(operator: TestClient, project: Json) -> None:
    member = client_of(operator, project, "read")
    assert get(member, "/v1/project")["id"] == project["id"]
    assert get(member, "/v1/datasets") == {"data": [], "has_more": False}
    assert_problem(member.get(PATH), 403, "forbidden", "'operator'")


def test_projects_are_listed_newest_first(operator: TestClient, project: Json) -> None:
    other = operator.post(PATH, json={"name": "ops"}).json()
    listed = [row["id"] for row in get(operator, PATH)["data"]]
    assert listed[:2] == [other["id"], project["id"]]
    assert "running_jobs_max" not in other
    assert get(operator, f"{PATH}?limit=1&after={other['id']}")["data"] == [project]


def test_name_and_limit_of_a_project_can_be_changed(operator: TestClient, project: Json) -> None:
    path = f"{PATH}/{project['id']}"
    assert operator.patch(path, json={"name": "fraud"}).json() == {**project, "name": "fraud"}
    assert "running_jobs_max" not in operator.patch(path, json={"running_jobs_max": None}).json()
    assert get(operator, path)["name"] == "fraud"


@pytest.mark.parametrize(
    "change", [{"name": ""}, {"name": None}, {"running_jobs_max": -1}, {"policy": "public"}, {"id": "x"}]
)
def test_invalid_change_to_a_project_is_rejected(operator: TestClient, project: Json, change: Json) -> None:
    path = f"{PATH}/{project['id']}"
    assert_problem(operator.patch(path, json=change), 422, "invalid_parameters")
    assert get(operator, path) == project


def test_deleted_project_disappears_with_its_keys(operator: TestClient, project: Json) -> None:
    member, path = client_of(operator, project, "read"), f"{PATH}/{project['id']}"
    assert_problem(operator.delete(path, params={"name": "other"}), 409, "conflict")
    assert operator.delete(path, params={"name": "risk"}).status_code == 204
    assert_problem(member.get("/v1/datasets"), 401, "unauthenticated")
    assert project["id"] not in operator.get(PATH).text
    for response in (
        operator.get(path),
        operator.patch(path, json={"name": "back"}),
        operator.delete(path, params={"name": ""}),
        operator.post(f"{path}/api-keys", json={"name": "x", "scopes": ["read"]}),
    ):
        assert_problem(response, 404, "not_found")


def test_operator_without_other_scopes_cannot_read_data(operator: TestClient) -> None:
    assert_problem(operator.get("/v1/datasets"), 403, "forbidden", "'read'")


@pytest.mark.parametrize("scopes", [("read",), ("read", "write", "admin")])
def test_keys_without_the_operator_scope_cannot_manage_projects(
    client: TestClient, resources: Resources, caller: Caller, project: Json, scopes: tuple[str, ...]
) -> None:
    key = new_key(resources, caller, *scopes)
    other = TestClient(client.app, headers={"Authorization": f"Bearer {key}"})
    for project_id in (project["id"], to_text("project", new_id())):
        path = f"{PATH}/{project_id}"
        body = {"name": "x", "scopes": ["read"]}
        for response in (
            other.get(path),
            other.patch(path, json={"name": "x"}),
            other.delete(path, params={"name": "x"}),
            other.post(f"{path}/api-keys", json=body),
        ):
            assert_problem(response, 403, "forbidden", "'operator'")
