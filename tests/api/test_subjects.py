"""Tests that training, sampling, reports and the gate use subjects, and that no split divides a subject."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pyarrow as pa
import pyarrow.csv
import pytest
from starlette.testclient import TestClient

from tests.api.conftest import get, new_key, submit, upload
from tests.unit.evaluation.visits import visits
from understudy.resources import Resources
from understudy.services.api_keys import Caller

Json = dict[str, Any]
RunJobs = Callable[[], int]

N_SUBJECTS = 250


@pytest.fixture
def dataset(client: TestClient, run_jobs: RunJobs) -> Json:
    """Upload visits of patients, remove the inferred subject, and return the dataset."""
    written = io.BytesIO()
    pyarrow.csv.write_csv(visits([4] * N_SUBJECTS, seed=1), written)
    uploaded: Json = upload(client, written.getvalue(), name="visits.csv")["dataset"]
    run_jobs()
    assert get(client, f"/v1/datasets/{uploaded['id']}/schema")["subject"] == ["patient"]
    # The tests declare the subject themselves.
    declare(client, uploaded)
    return uploaded


def declare(client: TestClient, dataset: Json, *subject: str) -> None:
    response = client.patch(f"/v1/datasets/{dataset['id']}/schema", json={"subject": subject})
    assert response.status_code == 200, response.text


def result_of(client: TestClient, run_jobs: RunJobs, **parameters: Any) -> Json:
    job = submit(client, **parameters)
    run_jobs()
    result: Json = get(client, f"/v1/jobs/{job['id']}")["result"]
    return result


def trained(client: TestClient, run_jobs: RunJobs, dataset: Json) -> Json:
    named = {"dataset_id": dataset["id"], "synthesizer": {"name": "independent"}, "holdout_fraction": 0.3}
    result = result_of(client, run_jobs, kind="train", seed=7, **named)
    return get(client, f"/v1/models/{result['model_id']}")


def sampled(client: TestClient, run_jobs: RunJobs, model: Json) -> str:
    result = result_of(client, run_jobs, kind="sample", model_id=model["id"], n_rows=600, seed=1)
    sample: str = result["dataset_id"]
    return sample


def reported(client: TestClient, run_jobs: RunJobs, dataset: Json, sample: str) -> Json:
    named = {"dataset_id": dataset["id"], "synthetic_dataset_id": sample}
    result = result_of(client, run_jobs, kind="evaluate", seed=3, **named)
    return get(client, f"/v1/reports/{result['report_id']}")


def check_of(report: Json, metric: str) -> str:
    outcome: str = next(
        check["outcome"] for check in report["verdict"]["checks"] if check["metric"] == metric
    )
    return outcome


def test_training_rows_and_holdout_share_no_subject(
    client: TestClient, dataset: Json, run_jobs: RunJobs
) -> None:
    declare(client, dataset, "patient")
    model = trained(client, run_jobs, dataset)
    assert model["card"]["holdout"]["by"] == "subject"
    # Each patient has four visits, which stay together.
    assert model["n_rows_trained"] % 4 == 0
    report = reported(client, run_jobs, dataset, sampled(client, run_jobs, model))
    assert (report["unit"], report["n_subjects_shared"]) == ("subjects", 0)
    n_subjects = [report["tables"][role]["n_subjects"] for role in ("real", "holdout")]
    assert sum(n_subjects) == N_SUBJECTS
    assert check_of(report, "holdout") == "pass"


def test_report_is_inconclusive_if_the_model_was_trained_on_a_split_by_row(
    client: TestClient, dataset: Json, run_jobs: RunJobs
) -> None:
    model = trained(client, run_jobs, dataset)
    declare(client, dataset, "patient")
    report = reported(client, run_jobs, dataset, sampled(client, run_jobs, model))
    assert report["tables"]["real"]["n_rows"] == model["n_rows_trained"]
    assert report["n_subjects_shared"] > 0
    assert check_of(report, "holdout") == "inconclusive"


@pytest.mark.parametrize("is_declared_before", [True, False])
def test_a_sample_stays_quarantined_if_the_holdout_shares_subjects(
    client: TestClient,
    dataset: Json,
    run_jobs: RunJobs,
    resources: Resources,
    caller: Caller,
    *,
    is_declared_before: bool,
) -> None:
    key = new_key(resources, caller, "read", "write", "admin")
    mild = {"name": "mild", "thresholds": [{"metric": "column_shapes", "fail": 0.0}]}
    TestClient(client.app, headers={"Authorization": f"Bearer {key}"}).patch(
        "/v1/project", json={"gate": "until_reviewed", "policy": mild}
    )
    if is_declared_before:
        declare(client, dataset, "patient")
    sample = sampled(client, run_jobs, trained(client, run_jobs, dataset))
    declare(client, dataset, "patient")
    reported(client, run_jobs, dataset, sample)
    held = get(client, f"/v1/datasets/{sample}").get("quarantine")
    assert (held is None) == is_declared_before


def test_text_subject_is_generated_and_the_card_contains_a_warning(
    client: TestClient, run_jobs: RunJobs
) -> None:
    table = visits([4] * N_SUBJECTS, seed=1)
    texts = pa.array([f"P-{7 * number:07d}" for number in table["patient"].to_pylist()])
    written = io.BytesIO()
    pyarrow.csv.write_csv(table.set_column(0, "patient", texts), written)
    dataset = upload(client, written.getvalue(), name="visits.csv")["dataset"]
    run_jobs()
    declare(client, dataset, "patient")
    warnings = trained(client, run_jobs, dataset)["card"]["warnings"]
    assert any("Column 'patient' identifies entities" in warning for warning in warnings)


def test_the_real_table_cannot_be_its_own_holdout(client: TestClient, dataset: Json) -> None:
    datasets = dict.fromkeys(("dataset_id", "synthetic_dataset_id", "holdout_dataset_id"), dataset["id"])
    problem = client.post("/v1/jobs", json={"kind": "evaluate", **datasets})
    assert problem.status_code == 422
    assert problem.json()["errors"][0]["pointer"] == "/holdout_dataset_id"


def test_the_subject_cannot_be_the_target(client: TestClient, dataset: Json) -> None:
    declare(client, dataset, "patient")
    parameters = {"dataset_id": dataset["id"], "synthetic_dataset_id": dataset["id"], "target": "patient"}
    problem = client.post("/v1/jobs", json={"kind": "evaluate", **parameters})
    assert problem.status_code == 422
    assert problem.json()["errors"][0]["pointer"] == "/target"
