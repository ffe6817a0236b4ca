"""Tests for the usage of a project."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest
from starlette.testclient import TestClient

from tests.api.conftest import Json, assert_problem, get, submit
from understudy.resources import Resources
from understudy.services.maintenance import sweep

RunJobs = Callable[[], int]
TODAY = datetime.now(UTC).date()
TOMORROW = f"/v1/usage?end_date={TODAY + timedelta(days=1)}"


def total(usage: Json) -> Json:
    """Return the sums over all days, because a test can run at midnight."""
    names = [name for name in usage["data"][0] if name != "date"]
    return {name: sum(day[name] for day in usage["data"]) for name in names}


def test_usage_counts_jobs_rows_and_live_rows_and_survives_deletion(
    client: TestClient, trained_model: Json, run_jobs: RunJobs, resources: Resources
) -> None:
    before = total(get(client, TOMORROW))
    job = submit(client, kind="sample", model_id=trained_model["id"], n_rows=50)
    run_jobs()
    client.get(f"/v1/models/{trained_model['id']}/rows?n=7")
    after = total(get(client, TOMORROW))
    assert after["n_jobs"] == before["n_jobs"] + 1
    assert after["rows_sampled"] == before["rows_sampled"] + 57
    assert after["cpu_seconds"] > before["cpu_seconds"] >= 0
    sample = get(client, f"/v1/jobs/{job['id']}")["result"]["dataset_id"]
    stored = get(client, TOMORROW)["stored_bytes"]
    assert client.delete(f"/v1/datasets/{sample}").status_code == 204
    sweep(resources)
    assert total(get(client, TOMORROW)) == after
    assert get(client, TOMORROW)["stored_bytes"] < stored


def test_uploaded_rows_and_bytes_belong_to_their_project(
    client: TestClient, other_client: TestClient, run_jobs: RunJobs
) -> None:
    before, before_other = total(get(client, TOMORROW)), total(get(other_client, TOMORROW))
    data = "a,b\n1,2\n3,4\n5,6\n"
    assert client.post("/v1/datasets", files={"file": ("t.csv", data)}).status_code == 202
    run_jobs()
    after = total(get(client, TOMORROW))
    assert after["rows_uploaded"] == before["rows_uploaded"] + 3
    # The upload itself, and the table as Parquet.
    assert after["bytes_written"] > before["bytes_written"] + len(data)
    assert total(get(other_client, TOMORROW)) == before_other


def test_every_day_of_the_period_is_returned(client: TestClient) -> None:
    usage = get(client, "/v1/usage?start_date=2024-02-27&end_date=2024-03-01")
    assert [day["date"] for day in usage["data"]] == ["2024-02-27", "2024-02-28", "2024-02-29", "2024-03-01"]
    assert usage["data"][0]["n_jobs"] == 0
    assert len(get(client, "/v1/usage")["data"]) == 30
    assert date.fromisoformat(get(client, "/v1/usage")["data"][-1]["date"]) >= TODAY


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("start_date=0", "start_date"),
        ("end_date=2026-01-31T00:00:00", "end_date"),
        ("start_date=2026-03-02&end_date=2026-03-01", "Exchange the dates"),
        ("start_date=2024-01-01&end_date=2026-01-01", "maximum is 366"),
        ("start_date=yesterday", "start_date"),
    ],
)
def test_invalid_period_is_rejected(client: TestClient, query: str, word: str) -> None:
    response = client.get(f"/v1/usage?{query}")
    assert_problem(response, 422, "invalid_parameters")
    assert word in response.text


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_first_and_last_possible_day_are_accepted(client: TestClient, day: str) -> None:
    assert get(client, f"/v1/usage?end_date={day}")["data"][-1]["date"] == day
