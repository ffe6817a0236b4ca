"""Tests for the project that an API key belongs to: policy, gate and public key."""

from __future__ import annotations

import base64

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import get, new_key
from understudy.resources import Resources
from understudy.services.api_keys import Caller


@pytest.fixture
def administrator(client: TestClient, resources: Resources, caller: Caller) -> TestClient:
    """Create a client for the same project with an `admin` key."""
    key = new_key(resources, caller, "read", "admin")
    return TestClient(client.app, headers={"Authorization": f"Bearer {key}"})


def test_new_project_uses_the_standard_policy(client: TestClient) -> None:
    project = get(client, "/v1/project")
    assert (project["policy"]["name"], project["gate"]) == ("standard", "on_fail")
    assert len(base64.b64decode(project["signing_key"]["public_key"])) == 32


def test_each_project_has_its_own_public_key(client: TestClient, other_client: TestClient) -> None:
    first, second, again = (get(one, "/v1/project") for one in (client, other_client, client))
    assert first["signing_key"] == again["signing_key"] != second["signing_key"]


def test_predefined_policies_are_listed(client: TestClient) -> None:
    assert [policy["name"] for policy in get(client, "/v1/policies")["data"]] == ["standard", "public"]


def test_only_an_administrator_can_change_the_project(client: TestClient, administrator: TestClient) -> None:
    assert client.patch("/v1/project", json={"gate": "off"}).status_code == 403
    changed = administrator.patch("/v1/project", json={"policy": "public"}).json()
    assert (changed["policy"]["name"], changed["gate"]) == ("public", "on_fail")
    assert administrator.patch("/v1/project", json={"gate": "off"}).json()["policy"]["name"] == "public"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"policy": "lenient"}, "unknown_policy"),
        ({"policy": {"name": "own", "thresholds": [{"metric": "beauty", "fail": 1}]}}, "unknown_policy"),
        ({"policy": {"name": "own", "thresholds": []}}, "invalid_parameters"),
        ({"gate": "sometimes"}, "invalid_parameters"),
        ({"name": "other"}, "invalid_parameters"),
    ],
)
def test_invalid_change_to_the_project_is_rejected(
    administrator: TestClient, change: dict[str, object], code: str
) -> None:
    refused = administrator.patch("/v1/project", json=change)
    assert (refused.status_code, refused.json()["code"]) == (422, code)
    assert get(administrator, "/v1/project")["policy"]["name"] == "standard"
