"""Test for the main workflow over HTTP: upload, train, sample, evaluate, download, and read the report."""

from __future__ import annotations

import io
from collections.abc import Callable

import pyarrow.parquet as pq
from starlette.testclient import TestClient

from tests.api.conftest import Json, get, submit


def test_uploaded_table_yields_synthetic_rows_and_a_report(
    client: TestClient, ready_dataset: Json, run_jobs: Callable[[], int]
):
    trained = submit(client, kind="train", dataset_id=ready_dataset["id"], seed=7)
    run_jobs()
    model_id = get(client, f"/v1/jobs/{trained['id']}")["result"]["model_id"]
    sample = submit(client, kind="sample", model_id=model_id, n_rows=50, seed=1)
    run_jobs()
    synthetic_id = get(client, f"/v1/jobs/{sample['id']}")["result"]["dataset_id"]
    evaluation = submit(
        client, kind="evaluate", dataset_id=ready_dataset["id"], synthetic_dataset_id=synthetic_id
    )
    run_jobs()
    report_id = get(client, f"/v1/jobs/{evaluation['id']}")["result"]["report_id"]
    content = client.get(f"/v1/datasets/{synthetic_id}/content").content
    assert pq.read_table(io.BytesIO(content)).num_rows == 50
    assert get(client, f"/v1/reports/{report_id}")["metrics"]
    page = client.get(f"/v1/reports/{report_id}/html")
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert "default-src 'none'" in page.headers["content-security-policy"]
    assert [item["id"] for item in get(client, "/v1/reports")["data"]] == [report_id]
