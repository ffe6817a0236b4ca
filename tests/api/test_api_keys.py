"""Tests for API keys over HTTP: creation, expiry, rotation and revocation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from tests.api.conftest import assert_problem, get, new_key
from understudy.resources import Resources
from understudy.services.api_keys import Caller

Json = dict[str, Any]
PATH = "/v1/api-keys"


@pytest.fixture
def administrator(client: TestClient, resources: Resources, caller: Caller) -> TestClient:
    """Create a client for the same project with an `admin` key."""
    return client_with(client, new_key(resources, caller, "read", "admin"))


def client_with(client: TestClient, key: str) -> TestClient:
    """Return a client of the same application that uses the given key."""
    return TestClient(client.app, headers={"Authorization": f"Bearer {key}"})


def create(client: TestClient, **fields: Any) -> Json:
    """Create a key and return the response body."""
    response = client.post(PATH, json={"name": "nightly", "scopes": ["read"], **fields})
    assert response.status_code == 201, response.text
    body: Json = response.json()
    assert response.headers["location"] == f"{PATH}/{body['id']}"
    return body


def later(**time: float) -> str:
    """Return the current time plus a duration, in RFC 3339 format."""
    return (datetime.now(UTC) + timedelta(**time)).isoformat()


def works(client: TestClient, key: str) -> bool:
    """Return whether the service accepts a key."""
    return client_with(client, key).get("/v1/jobs").status_code == 200


def test_created_key_works_and_is_shown_only_once(administrator: TestClient) -> None:
    created = create(administrator)
    assert works(administrator, created["key"])
    listed = get(administrator, PATH)["data"]
    assert [row["name"] for row in listed][:1] == ["nightly"]
    assert "key" not in get(administrator, f"{PATH}/{created['id']}")
    assert created["key"] not in administrator.get(PATH).text


def test_repeated_request_returns_the_same_key(administrator: TestClient, resources: Resources) -> None:
    body = {"name": "nightly", "scopes": ["read"]}
    first, second = (
        administrator.post(PATH, json=body, headers={"Idempotency-Key": "once"}) for _ in range(2)
    )
    assert first.json() == second.json()
    assert second.headers["idempotent-replayed"] == "true"
    with resources.sessions() as session:
        stored = str(session.execute(text("select body from idempotency_keys")).one())
    assert first.json()["key"][-43:] not in stored


@pytest.mark.parametrize(
    ("change", "pointer"),
    [
        ({"scopes": []}, "/scopes"),
        ({"scopes": ["everything"]}, "/scopes/0"),
        ({"name": ""}, "/name"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "/expires_at"),
        ({"expires_at": "2099-01-01T00:00:00"}, "/expires_at"),
        ({"project_id": "prj_0"}, "/project_id"),
        ({"digest": "00"}, "/digest"),
    ],
)
def test_key_with_invalid_parameters_is_not_created(
    administrator: TestClient, change: Json, pointer: str
) -> None:
    response = administrator.post(PATH, json={"name": "nightly", "scopes": ["read"], **change})
    problem = assert_problem(response, 422, "invalid_parameters")
    assert problem["errors"][0]["pointer"] == pointer
    assert len(get(administrator, PATH)["data"]) == 2


def test_expired_key_is_refused_and_cannot_be_changed(
    administrator: TestClient, resources: Resources
) -> None:
    created = create(administrator, expires_at=later(hours=1))
    assert works(administrator, created["key"])
    expire(resources, created)
    assert not works(administrator, created["key"])
    response = administrator.patch(f"{PATH}/{created['id']}", json={"expires_at": None})
    assert_problem(response, 409, "conflict", "has expired")


def expire(resources: Resources, key: Json) -> None:
    """Make a key expire."""
    with resources.sessions.begin() as session:
        statement = text("update api_keys set expires_at = clock_timestamp() where name = :name")
        session.execute(statement, {"name": key["name"]})


def test_name_and_expiry_of_a_key_can_be_changed(administrator: TestClient) -> None:
    created = create(administrator, expires_at=later(hours=1))
    path = f"{PATH}/{created['id']}"
    renamed = administrator.patch(path, json={"name": "weekly"}).json()
    assert (renamed["name"], renamed["expires_at"]) == ("weekly", created["expires_at"])
    assert "expires_at" not in administrator.patch(path, json={"expires_at": None}).json()
    response = administrator.patch(path, json={"expires_at": "2020-01-01T00:00:00Z"})
    assert_problem(response, 422, "invalid_parameters", "future")


def test_rotated_key_works_until_its_grace_period_ends(administrator: TestClient) -> None:
    created = create(administrator)
    path = f"{PATH}/{created['id']}"
    rotated = administrator.post(f"{path}/rotate", json={"grace_seconds": 60}).json()
    assert (rotated["name"], rotated["scopes"]) == (created["name"], created["scopes"])
    assert works(administrator, created["key"])
    assert works(administrator, rotated["key"])
    assert get(administrator, path)["expires_at"] <= later(seconds=61).replace("+00:00", "Z")


def test_old_key_expires_immediately_without_a_grace_period(administrator: TestClient) -> None:
    created = create(administrator)
    path = f"{PATH}/{created['id']}/rotate"
    rotated = administrator.post(path, json={"grace_seconds": 0}).json()
    assert not works(administrator, created["key"])
    assert works(administrator, rotated["key"])
    assert_problem(administrator.post(path), 409, "conflict", "has expired")


def test_rotation_keeps_an_earlier_expiry(administrator: TestClient) -> None:
    created = create(administrator, expires_at=later(seconds=600))
    path = f"{PATH}/{created['id']}"
    assert administrator.post(f"{path}/rotate", json={"grace_seconds": 3600}).status_code == 201
    assert get(administrator, path)["expires_at"] == created["expires_at"]


def test_revoked_key_stops_working_and_cannot_be_changed(administrator: TestClient) -> None:
    created = create(administrator)
    path = f"{PATH}/{created['id']}"
    assert administrator.delete(path).status_code == 204
    assert not works(administrator, created["key"])
    shown = get(administrator, path)
    assert "revoked_at" in shown
    assert "name" not in shown
    assert_problem(administrator.patch(path, json={"name": "x"}), 409, "conflict", "was revoked")
    assert_problem(administrator.post(f"{path}/rotate"), 409, "conflict", "was revoked")
    assert_problem(administrator.delete(path), 404, "not_found")


def test_key_cannot_revoke_itself(administrator: TestClient) -> None:
    own = administrator.headers["Authorization"].split("_")[1]
    assert_problem(administrator.delete(f"{PATH}/key_{own}"), 409, "in_use", "another key")
    assert get(administrator, PATH)


def test_administrator_cannot_grant_the_operator_scope(administrator: TestClient) -> None:
    response = administrator.post(PATH, json={"name": "x", "scopes": ["read", "operator"]})
    assert_problem(response, 403, "forbidden", "'operator'")


def test_second_page_of_keys_continues_after_the_first(administrator: TestClient) -> None:
    names = [create(administrator, name=f"k{i}")["name"] for i in range(3)]
    first = get(administrator, f"{PATH}?limit=2")
    second = get(administrator, f"{PATH}?limit=2&after={first['next']}")
    listed = [row["name"] for row in first["data"] + second["data"]]
    assert listed[:3] == names[::-1]
    assert first["has_more"]
