"""Tests for canaries over HTTP: training plants canaries, and evaluation searches samples for them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import get, submit

Json = dict[str, Any]


def result_of(client: TestClient, run_jobs: Callable[[], int], **parameters: Any) -> Json:
    job = submit(client, **parameters)
    run_jobs()
    result: Json = get(client, f"/v1/jobs/{job['id']}")["result"]
    return result


def test_training_plants_canaries_and_the_evaluation_searches_for_them(
    client: TestClient, ready_dataset: Json, run_jobs: Callable[[], int]
) -> None:
    canaries = {"n_canaries": 20, "n_repeats": 2}
    trained = result_of(
        client, run_jobs, kind="train", dataset_id=ready_dataset["id"], canaries=canaries, seed=7
    )
    model = get(client, f"/v1/models/{trained['model_id']}")
    assert model["card"]["canaries"] == canaries
    holdout = get(client, f"/v1/models/{trained['model_id']}")["holdout_fraction"]
    assert model["n_rows_trained"] > ready_dataset["n_rows"] * (1 - holdout)
    sampled = result_of(client, run_jobs, kind="sample", model_id=model["id"], n_rows=150, seed=1)
    named = {"dataset_id": ready_dataset["id"], "synthetic_dataset_id": sampled["dataset_id"]}
    evaluated = result_of(client, run_jobs, kind="evaluate", seed=3, **named)
    report = get(client, f"/v1/reports/{evaluated['report_id']}")
    canary_scores = next(scores for scores in report["metrics"] if scores["name"] == "canaries")
    assert canary_scores["synthetic"]["score"] is not None
    # The comparison excludes the canaries from the real rows.
    assert report["tables"]["real"]["n_rows"] == model["n_rows_trained"] - 20 * 2


def test_report_without_canaries_contains_the_reason_for_the_missing_score(
    client: TestClient, ready_dataset: Json, trained_model: Json, run_jobs: Callable[[], int]
) -> None:
    sampled = result_of(client, run_jobs, kind="sample", model_id=trained_model["id"], n_rows=150, seed=1)
    named = {"dataset_id": ready_dataset["id"], "synthetic_dataset_id": sampled["dataset_id"]}
    evaluated = result_of(client, run_jobs, kind="evaluate", seed=3, **named)
    report = get(client, f"/v1/reports/{evaluated['report_id']}")
    canary_scores = next(scores for scores in report["metrics"] if scores["name"] == "canaries")
    assert canary_scores["synthetic"]["reason"].startswith("needs canaries")


@pytest.mark.parametrize("canaries", [{"n_canaries": 5}, {"n_canaries": 20, "n_repeats": 0}, {}])
def test_number_of_canaries_or_repeats_out_of_range_is_rejected(
    client: TestClient, ready_dataset: Json, canaries: Json
) -> None:
    parameters = {"kind": "train", "dataset_id": ready_dataset["id"], "canaries": canaries}
    assert client.post("/v1/jobs", json=parameters).status_code == 422
