"""Tests that samples with failed reports stay in quarantine until an administrator releases them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from starlette.testclient import TestClient

from tests.api.conftest import get, new_key, submit, upload
from understudy import ids
from understudy.db.retention import old_generated_datasets
from understudy.resources import Resources
from understudy.services.api_keys import Caller

Json = dict[str, Any]
RunJobs = Callable[[], int]

# No sample passes this strict policy, because no column has a perfect score.
HARSH = {"name": "harsh", "thresholds": [{"metric": "column_shapes", "fail": 1.0}]}
MILD = {"name": "mild", "thresholds": [{"metric": "column_shapes", "fail": 0.0}]}
REASON = "Load tests only, approved in ticket 4711."


@pytest.fixture
def administrator(client: TestClient, resources: Resources, caller: Caller) -> TestClient:
    """Return a client for the same project with an `admin` key."""
    key = new_key(resources, caller, "read", "write", "admin")
    return TestClient(client.app, headers={"Authorization": f"Bearer {key}"})


@pytest.fixture
def draw(client: TestClient, trained_model: Json, run_jobs: RunJobs) -> Callable[..., Json]:
    """Return a function that creates a sample and returns its dataset."""

    def draw_sample(seed: int = 1) -> Json:
        job = submit(client, kind="sample", model_id=trained_model["id"], n_rows=150, seed=seed)
        run_jobs()
        return get(client, f"/v1/datasets/{get(client, '/v1/jobs/' + job['id'])['result']['dataset_id']}")

    return draw_sample


@pytest.fixture
def evaluate(client: TestClient, ready_dataset: Json, run_jobs: RunJobs) -> Callable[..., Json]:
    """Return a function that evaluates a sample and returns the job's result."""

    def evaluate_sample(sample: Json, **parameters: Any) -> Json:
        named = {"dataset_id": ready_dataset["id"], "synthetic_dataset_id": sample["id"], "seed": 3}
        job = submit(client, kind="evaluate", **{**named, **parameters})
        run_jobs()
        result: Json = get(client, f"/v1/jobs/{job['id']}")["result"]
        return result

    return evaluate_sample


def change(administrator: TestClient, **project: Any) -> Json:
    response = administrator.patch("/v1/project", json=project)
    assert response.status_code == 200, response.text
    body: Json = response.json()
    return body


def download(client: TestClient, sample: Json) -> Any:
    return client.get(f"/v1/datasets/{sample['id']}/content")


def test_sample_with_a_failed_report_is_listed_but_cannot_be_downloaded_or_deleted_with_the_scope_write(
    client: TestClient,
    administrator: TestClient,
    resources: Resources,
    draw: Callable[..., Json],
    evaluate: Callable[..., Json],
) -> None:
    change(administrator, policy=HARSH)
    sample = draw()
    assert download(client, sample).status_code == 200
    result = evaluate(sample)
    assert result["verdict"] == "fail"
    held = get(client, f"/v1/datasets/{sample['id']}")["quarantine"]
    assert (held["reason"], held["policy"], held["report_id"]) == ("failed", "harsh", result["report_id"])
    assert [check["metric"] for check in held["checks"]] == ["column_shapes"]
    refused = download(client, sample)
    assert (refused.status_code, refused.json()["code"]) == (409, "quarantined")
    assert client.head(f"/v1/datasets/{sample['id']}/content").status_code == 409
    assert [row["id"] for row in get(client, "/v1/datasets?quarantined=true")["data"]] == [sample["id"]]
    assert sample["id"] not in [row["id"] for row in get(client, "/v1/datasets?quarantined=false")["data"]]
    # The deletion of the sample would allow live rows of its model again.
    rows = f"/v1/models/{sample['model_id']}/rows"
    assert client.head(rows).status_code == 409
    refused = client.delete(f"/v1/datasets/{sample['id']}?cascade=true")
    assert (refused.status_code, refused.json()["code"]) == (403, "forbidden")
    with resources.sessions.begin() as session:
        session.execute(text("update datasets set created_at = created_at - interval '9 days'"))
        assert ids.from_text("dataset", sample["id"]) not in [
            row_id for _, row_id in old_generated_datasets(session, timedelta(days=7), 10)
        ]
    assert client.head(rows).status_code == 409
    assert administrator.delete(f"/v1/datasets/{sample['id']}?cascade=true").status_code == 204
    assert client.head(rows).status_code == 200


@pytest.mark.parametrize("kind", ["train", "impute"])
def test_sample_in_quarantine_cannot_be_used_for_training(
    client: TestClient,
    administrator: TestClient,
    trained_model: Json,
    draw: Callable[..., Json],
    evaluate: Callable[..., Json],
    kind: str,
) -> None:
    change(administrator, policy=HARSH)
    sample = draw()
    evaluate(sample)
    parameters = {"kind": kind, "dataset_id": sample["id"]}
    parameters |= {"model_id": trained_model["id"]} if kind == "impute" else {}
    refused = client.post("/v1/jobs", json=parameters)
    assert (refused.status_code, refused.json()["code"]) == (409, "quarantined")
    assert evaluate(sample)["verdict"] == "fail"


def test_administrator_releases_a_sample_with_a_reason(
    client: TestClient,
    administrator: TestClient,
    draw: Callable[..., Json],
    evaluate: Callable[..., Json],
) -> None:
    change(administrator, policy=HARSH)
    sample = draw()
    evaluate(sample)
    path = f"/v1/datasets/{sample['id']}/release"
    assert client.post(path, json={"reason": REASON}).status_code == 403
    assert administrator.post(path, json={"reason": "because"}).status_code == 422
    released = administrator.post(path, json={"reason": REASON}).json()
    assert released["release"]["reason"] == REASON
    assert released["release"]["api_key_id"].startswith("key_")
    assert "quarantine" not in released
    assert download(client, sample).status_code == 200
    again = administrator.post(path, json={"reason": REASON})
    assert (again.status_code, again.json()["code"]) == (409, "not_quarantined")
    evaluate(sample)
    assert download(client, sample).status_code == 200


def test_lenient_policy_of_the_caller_does_not_affect_the_gate(
    client: TestClient,
    administrator: TestClient,
    draw: Callable[..., Json],
    evaluate: Callable[..., Json],
) -> None:
    change(administrator, policy=HARSH)
    sample = draw()
    result = evaluate(sample, policy=MILD)
    assert result["verdict"] == "pass"
    assert get(client, f"/v1/reports/{result['report_id']}")["verdict"]["policy"] == "mild"
    assert download(client, sample).status_code == 409


def test_report_on_other_data_does_not_affect_the_gate(
    client: TestClient,
    administrator: TestClient,
    draw: Callable[..., Json],
    evaluate: Callable[..., Json],
) -> None:
    change(administrator, policy=HARSH)
    sample, other = draw(), draw(seed=2)
    assert evaluate(sample, dataset_id=other["id"])["verdict"] == "fail"
    assert download(client, sample).status_code == 200


def test_gate_until_reviewed_quarantines_a_sample_without_a_report(
    client: TestClient,
    administrator: TestClient,
    csv_bytes: bytes,
    draw: Callable[..., Json],
    evaluate: Callable[..., Json],
) -> None:
    change(administrator, policy=MILD, gate="until_reviewed")
    other = upload(client, csv_bytes, name="other.csv")["dataset"]
    sample = draw()
    assert sample["quarantine"]["reason"] == "unreviewed"
    assert download(client, sample).status_code == 409
    evaluate(sample, holdout_dataset_id=other["id"])
    assert download(client, sample).status_code == 409
    evaluate(sample)
    assert download(client, sample).status_code == 200


def test_no_sample_is_quarantined_if_the_gate_is_off(
    client: TestClient,
    administrator: TestClient,
    draw: Callable[..., Json],
    evaluate: Callable[..., Json],
) -> None:
    change(administrator, policy=HARSH, gate="off")
    sample = draw()
    assert evaluate(sample)["verdict"] == "fail"
    assert download(client, sample).status_code == 200
