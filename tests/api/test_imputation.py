"""Tests for imputed datasets over HTTP."""

from __future__ import annotations

import io
from collections.abc import Callable

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Json, assert_problem, get, submit


@pytest.fixture
def chain(client: TestClient, ready_dataset: Json, run_jobs: Callable[[], int]) -> str:
    """Train a model that supports imputation, and return its ID."""
    job = submit(client, kind="train", dataset_id=ready_dataset["id"], seed=7)
    run_jobs()
    model_id: str = get(client, f"/v1/jobs/{job['id']}")["result"]["model_id"]
    return model_id


@pytest.fixture
def completed(client: TestClient, ready_dataset: Json, chain: str, run_jobs: Callable[[], int]) -> Json:
    """Impute the ready dataset with two draws, and return the result."""
    job = submit(client, kind="impute", model_id=chain, dataset_id=ready_dataset["id"], n_draws=2, seed=1)
    run_jobs()
    result = get(client, f"/v1/jobs/{job['id']}")["result"]
    return get(client, f"/v1/datasets/{result['dataset_id']}")


def test_imputed_dataset_contains_the_ids_of_its_model_and_source(
    completed: Json, ready_dataset: Json, chain: str
):
    assert completed["origin"] == "imputation"
    assert (completed["model_id"], completed["source_dataset_id"]) == (chain, ready_dataset["id"])
    assert (completed["name"], completed["n_rows"]) == ("small (completed)", 2 * ready_dataset["n_rows"])


def test_each_draw_keeps_known_values_and_fills_missing_ones(
    client: TestClient, completed: Json, small_table: pa.Table
):
    content = client.get(f"/v1/datasets/{completed['id']}/content").content
    rows = pq.read_table(io.BytesIO(content))
    for draw in (rows.slice(0, small_table.num_rows), rows.slice(small_table.num_rows)):
        for name in small_table.column_names:
            pairs = zip(small_table[name].to_pylist(), draw[name].to_pylist(), strict=True)
            assert all(after is not None and before in (None, after) for before, after in pairs), name


def test_datasets_can_be_filtered_by_origin(client: TestClient, completed: Json, ready_dataset: Json):
    listed = {
        origin: [row["id"] for row in get(client, f"/v1/datasets?origin={origin}")["data"]]
        for origin in ("upload", "sample", "imputation")
    }
    assert listed == {"upload": [ready_dataset["id"]], "sample": [], "imputation": [completed["id"]]}


def test_dataset_is_deleted_only_with_its_imputations(
    client: TestClient, completed: Json, ready_dataset: Json
):
    path = f"/v1/datasets/{ready_dataset['id']}"
    assert_problem(client.delete(path), 409, "in_use", completed["id"])
    assert client.delete(f"{path}?cascade=true").status_code == 204
    assert client.get(f"/v1/datasets/{completed['id']}").status_code == 404


def test_evaluation_of_an_imputed_dataset_treats_all_rows_as_real(
    client: TestClient, completed: Json, ready_dataset: Json, run_jobs: Callable[[], int]
):
    body = {
        "kind": "evaluate",
        "dataset_id": ready_dataset["id"],
        "synthetic_dataset_id": completed["id"],
    }
    warnings = client.post("/v1/jobs/validate", json=body).json()["warnings"]
    assert any("its rows contain real values" in warning for warning in warnings)
    job = submit(client, **body)
    run_jobs()
    result = get(client, f"/v1/jobs/{job['id']}")["result"]
    report = get(client, f"/v1/reports/{result['report_id']}")
    assert report["tables"]["real"]["n_rows"] == ready_dataset["n_rows"]
    assert "holdout" not in report["tables"]


@pytest.mark.parametrize("n_draws", [0, 21])
def test_number_of_draws_must_be_from_1_to_20(client: TestClient, n_draws: int):
    ids = {"model_id": "mdl_" + "0" * 26, "dataset_id": "ds_" + "0" * 26}
    response = client.post("/v1/jobs", json={"kind": "impute", **ids, "n_draws": n_draws})
    problem = assert_problem(response, 422, "invalid_parameters")
    assert problem["errors"][0]["pointer"] == "/n_draws"
