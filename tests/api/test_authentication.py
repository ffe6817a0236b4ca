"""Tests that every operation under /v1 requires an API key with the right scope."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from app.main import create_app
from tests.api.conftest import assert_problem, new_key
from tests.service import make_caller
from tests.test_openapi import IN_V1, OPERATIONS
from understudy.resources import Resources
from understudy.services.api_keys import create_api_key, revoke_api_key

IDS = dict.fromkeys(
    (
        *("dataset_id", "job_id", "model_id", "report_id", "upload_id", "api_key_id", "project_id"),
        *("pipeline_id", "webhook_id", "delivery_id", "number"),
    ),
    "1",
)
READS = [name for name in IN_V1 if OPERATIONS[name][1] == "get"]
WRITES = [name for name in IN_V1 if OPERATIONS[name][1] != "get"]


@pytest.fixture(scope="module")
def bare_client(shared_resources: Resources) -> TestClient:
    """Create a client without an API key."""
    return TestClient(create_app(shared_resources))


@pytest.mark.parametrize("name", IN_V1)
def test_every_operation_requires_a_key(bare_client: TestClient, name: str):
    path, method, _ = OPERATIONS[name]
    response = bare_client.request(method, path.format(**IDS))
    assert_problem(response, 401, "unauthenticated", "Authorization: Bearer")
    assert response.headers["www-authenticate"].startswith("Bearer")


def test_unknown_path_under_v1_requires_a_key(bare_client: TestClient):
    assert_problem(bare_client.get("/v1"), 401, "unauthenticated")
    assert_problem(bare_client.get("/v1/nothing"), 401, "unauthenticated")


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Bearer x",
        "Basic {key}",
        "{key}",
        "Bearer {key}x",
        "Bearer {key} {key}",
        "Bearer {upper}",
        "Bearer sk_" + "0" * 26 + "_" + "a" * 43,
        "Bearer sk_" + "z" * 26 + "_" + "a" * 43,
        "Bearer \x00",
        "Bearer é",
        "Bearer " + "x" * 10_000,
    ],
)
def test_invalid_key_is_rejected(bare_client: TestClient, shared_resources: Resources, header: str):
    key = new_key(shared_resources, make_caller(shared_resources))
    given = header.format(key=key, upper=key.upper()).encode()
    response = bare_client.get("/v1/jobs", headers={"Authorization": given})
    assert_problem(response, 401, "unauthenticated")
    assert key not in response.text


def test_key_in_the_query_string_is_ignored(bare_client: TestClient, shared_resources: Resources):
    key = new_key(shared_resources, make_caller(shared_resources))
    assert bare_client.get(f"/v1/jobs?authorization=Bearer {key}").status_code == 401


def test_request_with_two_keys_is_rejected(bare_client: TestClient, shared_resources: Resources):
    key = f"Bearer {new_key(shared_resources, make_caller(shared_resources))}"
    headers = [("Authorization", key), ("Authorization", key)]
    assert_problem(bare_client.get("/v1/jobs", headers=headers), 401, "unauthenticated", "once")


def test_authentication_scheme_is_case_insensitive(bare_client: TestClient, shared_resources: Resources):
    key = new_key(shared_resources, make_caller(shared_resources))
    assert bare_client.get("/v1/jobs", headers={"Authorization": f"bearer {key}"}).status_code == 200


def test_revoked_key_is_rejected_at_the_next_request_by_every_instance(shared_resources: Resources):
    caller = make_caller(shared_resources)
    row, key = create_api_key(shared_resources, caller.project_id, "tests", ["read"])
    headers = {"Authorization": f"Bearer {key}"}
    instances = [TestClient(create_app(shared_resources), headers=headers) for _ in range(2)]
    assert [instance.get("/v1/jobs").status_code for instance in instances] == [200, 200]
    revoke_api_key(shared_resources, caller.project_id, row.id)
    for instance in instances:
        assert_problem(instance.get("/v1/jobs"), 401, "unauthenticated", "revoked")


# These operations require the scope `admin`.
ADMINISTERING = ("delete_project", "release_dataset", "update_project")


def required_scope(name: str) -> str:
    """Return the scope that an operation requires."""
    path, method, _ = OPERATIONS[name]
    if path.startswith("/v1/projects"):
        return "operator"
    if name in ADMINISTERING or path.startswith(("/v1/api-keys", "/v1/webhooks")):
        return "admin"
    return "read" if method == "get" else "write"


@pytest.mark.parametrize("name", WRITES)
def test_a_key_with_read_scope_cannot_write(bare_client: TestClient, shared_resources: Resources, name: str):
    key = new_key(shared_resources, make_caller(shared_resources), "read")
    path, method, _ = OPERATIONS[name]
    response = bare_client.request(
        method, path.format(**IDS), headers={"Authorization": f"Bearer {key}"}, **valid_body(name)
    )
    assert_problem(response, 403, "forbidden", f"'{required_scope(name)}'")


@pytest.mark.parametrize("name", READS)
def test_a_key_with_write_scope_cannot_read(bare_client: TestClient, shared_resources: Resources, name: str):
    key = new_key(shared_resources, make_caller(shared_resources), "write")
    path, _, _ = OPERATIONS[name]
    response = bare_client.get(path.format(**IDS), headers={"Authorization": f"Bearer {key}"})
    assert_problem(response, 403, "forbidden", f"'{required_scope(name)}'")


@pytest.mark.parametrize("name", [*WRITES, *READS])
def test_admin_implies_the_other_scopes_of_the_project(
    bare_client: TestClient, shared_resources: Resources, name: str
):
    key = new_key(shared_resources, make_caller(shared_resources), "admin")
    path, method, _ = OPERATIONS[name]
    response = bare_client.request(
        method, path.format(**IDS), headers={"Authorization": f"Bearer {key}"}, **valid_body(name)
    )
    assert (response.status_code == 403) == (required_scope(name) == "operator")


def valid_body(name: str) -> dict[str, object]:
    """Return a request for an operation that is valid except for its key."""
    bodies: dict[str, dict[str, object]] = {
        "upload_dataset": {"files": {"file": ("a.csv", b"a\n1\n")}},
        "create_job": {"json": {"kind": "probe"}},
        "create_pipeline": {"json": {"dataset_id": "x", "sample": {"n_rows": 1}}},
        "validate_pipeline": {"json": {"dataset_id": "x", "sample": {"n_rows": 1}}},
        "update_dataset": {"json": {"name": "x"}},
        "create_api_key": {"json": {"name": "x", "scopes": ["read"]}},
        "create_project_api_key": {"json": {"name": "x", "scopes": ["read"]}},
        "create_project": {"json": {"name": "x"}},
        "delete_managed_project": {"params": {"name": "x"}},
        "create_webhook": {"json": {"url": "https://hooks.example.org/"}},
    }
    return bodies.get(name, {})
