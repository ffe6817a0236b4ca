"""Tests for profiles over HTTP and for the scope that real values require."""

from __future__ import annotations

from collections.abc import Callable

from starlette.testclient import TestClient

from app.main import create_app
from tests.api.conftest import Json, assert_problem, get, new_key
from understudy.resources import Resources
from understudy.services.api_keys import Caller


def client_with(resources: Resources, caller: Caller, *scopes: str) -> TestClient:
    """Return a client with a key that has these scopes."""
    headers = {"Authorization": f"Bearer {new_key(resources, caller, *scopes)}"}
    return TestClient(create_app(resources), headers=headers)


def test_a_profile_contains_every_column(client: TestClient, ready_dataset: Json):
    profile = get(client, f"/v1/datasets/{ready_dataset['id']}/profile")
    schema = get(client, f"/v1/datasets/{ready_dataset['id']}/schema")
    columns = [(column["name"], column["kind"]) for column in profile["columns"]]
    assert columns == [(column["name"], column["kind"]) for column in schema["columns"]]
    assert (profile["n_rows"], profile["n_rows_read"]) == (200, 200)
    assert profile["protection"] == {"unit": "row", "k": 5}


def test_a_profile_follows_the_current_schema(client: TestClient, ready_dataset: Json):
    path = f"/v1/datasets/{ready_dataset['id']}"
    client.patch(f"{path}/schema", json={"columns": {"city": {"kind": "name"}}})
    profile = get(client, f"{path}/profile")
    city = next(column for column in profile["columns"] if column["name"] == "city")
    assert "top_values" not in city


def test_exact_profiles_require_the_scope_read_real(
    client: TestClient, ready_dataset: Json, resources: Resources, caller: Caller
):
    path = f"/v1/datasets/{ready_dataset['id']}"
    reader = client_with(resources, caller, "read")
    assert get(client, f"{path}/profile?exact=true").get("protection") is None
    assert get(reader, f"{path}/profile")["protection"]["k"] == 5
    assert_problem(reader.get(f"{path}/profile?exact=true"), 403, "forbidden", "read_real")


def test_only_downloads_of_real_rows_require_the_scope_read_real(
    client: TestClient, trained_model: Json, resources: Resources, caller: Caller, run_jobs: Callable[[], int]
):
    job = client.post(
        "/v1/jobs", json={"kind": "sample", "model_id": trained_model["id"], "n_rows": 9}
    ).json()
    run_jobs()
    made = get(client, f"/v1/jobs/{job['id']}")["result"]["dataset_id"]
    reader = client_with(resources, caller, "read")
    assert reader.get(f"/v1/datasets/{made}/content").status_code == 200
    real = f"/v1/datasets/{trained_model['dataset_id']}/content"
    assert_problem(reader.get(real), 403, "forbidden", "read_real")
    assert client.get(real).status_code == 200


def test_a_missing_dataset_is_reported_before_a_missing_scope(resources: Resources, caller: Caller):
    reader = client_with(resources, caller, "read")
    path = "/v1/datasets/ds_01kaz7m2q5e1h9v3x8r6t4n0bc"
    assert_problem(reader.get(f"{path}/profile?exact=true"), 404, "not_found")
    assert_problem(reader.get(f"{path}/content"), 404, "not_found")
