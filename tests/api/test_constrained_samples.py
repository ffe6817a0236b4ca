"""Tests for conditional samples and samples with a rebalanced column over HTTP."""

from __future__ import annotations

import io
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Json, assert_problem, get, submit

OSLO = {"where": {"city": {"equals": "Oslo"}, "is_member": {"equals": True}}, "n_rows": 30}
OLD = {"where": {"age": {"minimum": 40}}, "n_rows": 20}


@pytest.fixture
def chain(client: TestClient, ready_dataset: Json, run_jobs: Callable[[], int]) -> str:
    """Train a model that supports constraints, and return its ID."""
    job = submit(client, kind="train", dataset_id=ready_dataset["id"], seed=7)
    run_jobs()
    model_id: str = get(client, f"/v1/jobs/{job['id']}")["result"]["model_id"]
    return model_id


def rows_of(client: TestClient, dataset_id: str) -> pa.Table:
    return pq.read_table(io.BytesIO(client.get(f"/v1/datasets/{dataset_id}/content").content))


def test_sampled_rows_satisfy_the_conditions(client: TestClient, chain: str, run_jobs: Callable[[], int]):
    job = submit(client, kind="sample", model_id=chain, conditions=[OSLO, OLD], seed=1)
    assert (job["parameters"]["n_rows"], job["parameters"]["conditions"]) == (50, [OSLO, OLD])
    run_jobs()
    result = get(client, f"/v1/jobs/{job['id']}")["result"]
    rows = rows_of(client, result["dataset_id"]).to_pylist()
    assert {(row["city"], row["is_member"]) for row in rows[:30]} == {("Oslo", True)}
    assert all(row["age"] >= 40 for row in rows[30:])
    assert [group["n_rows"] for group in result["groups"]] == [30, 20]
    assert all(0 <= group["effective_sample_size"] <= group["n_rows"] for group in result["groups"])
    assert isinstance(result["warnings"], list)


def test_rebalanced_column_has_the_requested_shares(
    client: TestClient, chain: str, run_jobs: Callable[[], int]
):
    shares = [{"value": "Oslo", "share": 0.9}, {"value": "Rome", "share": 0.1}]
    rebalance = {"column": "city", "shares": shares}
    job = submit(client, kind="sample", model_id=chain, n_rows=400, rebalance=rebalance, seed=1)
    run_jobs()
    result = get(client, f"/v1/jobs/{job['id']}")["result"]
    cities = rows_of(client, result["dataset_id"]).column("city").to_pylist()
    # The tolerance is 5 standard deviations of a binomial share of 0.9 among 400 rows.
    assert abs(cities.count("Oslo") - 360) <= 30
    assert set(cities) <= {"Oslo", "Rome"}
    assert [group["n_rows"] for group in result["groups"]] == [360, 40]


def test_sample_without_constraints_has_no_groups(
    client: TestClient, trained_model: Json, run_jobs: Callable[[], int]
):
    job = submit(client, kind="sample", model_id=trained_model["id"], n_rows=5)
    assert {"conditions", "rebalance"}.isdisjoint(job["parameters"])
    run_jobs()
    assert set(get(client, f"/v1/jobs/{job['id']}")["result"]) == {"dataset_id", "identifiers", "kind"}


def test_model_without_support_for_constraints_is_rejected(client: TestClient, trained_model: Json):
    body = {"kind": "sample", "model_id": trained_model["id"], "conditions": [OSLO]}
    response = client.post("/v1/jobs/validate", json=body)
    assert_problem(response, 422, "unsupported_by_synthesizer", "'independent'")


@pytest.mark.parametrize(
    ("constraint", "pointer"),
    [
        ({"conditions": [{"where": {}, "n_rows": 1}]}, "/conditions/0/where"),
        ({"conditions": [{"where": {"a": {}}, "n_rows": 1}]}, "/conditions/0/where/a"),
        ({"conditions": [{"where": {"a": {"equals": "x\0"}}, "n_rows": 1}]}, "/conditions/0/where/a/equals"),
        ({"rebalance": {"column": "a", "shares": [{"value": 1, "share": 0.5}]}, "n_rows": 1}, "/rebalance"),
    ],
)
def test_error_contains_the_position_of_a_malformed_constraint(
    client: TestClient, constraint: Json, pointer: str
):
    body = {"kind": "sample", "model_id": "mdl_" + "0" * 26, **constraint}
    problem = assert_problem(client.post("/v1/jobs", json=body), 422, "invalid_parameters")
    assert {error["pointer"] for error in problem["errors"]} == {pointer}
    assert "Value error" not in problem["detail"]


def test_conditions_and_shares_are_mutually_exclusive(client: TestClient):
    rebalance = {"column": "city", "shares": [{"value": "Oslo", "share": 1}]}
    body = {"kind": "sample", "model_id": "mdl_" + "0" * 26, "conditions": [OSLO], "rebalance": rebalance}
    response = client.post("/v1/jobs", json=body)
    assert_problem(response, 422, "invalid_parameters", "either conditions or rebalance")


def test_condition_that_no_row_can_satisfy_fails_the_job(
    client: TestClient, chain: str, run_jobs: Callable[[], int]
):
    nobody = {"where": {"city": {"equals": "Atlantis"}}, "n_rows": 5}
    job = submit(client, kind="sample", model_id=chain, conditions=[nobody])
    run_jobs()
    failed = get(client, f"/v1/jobs/{job['id']}")
    assert (failed["state"], failed["error"]["code"]) == ("failed", "impossible_condition")
