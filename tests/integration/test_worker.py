"""Tests for a real worker with a broker and a database, from the upload to the report."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import text

from tests.faults.stack import Stack, open_stack
from tests.faults.workers import is_alive
from understudy import ids
from understudy.db import artifacts, dataset_tables, datasets, models, reports

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def stack(postgres: str, valkey: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with open_stack(postgres, valkey, tmp_path_factory.mktemp("stack")) as stack:
        yield stack


def blob(stack: Stack, job_id, role: str) -> bytes:
    with stack.resources.sessions() as session:
        key = artifacts.get(session, stack.project_id, job_id, role).storage_key
    with stack.resources.store.open(key) as file:
        return file.read()


def test_whole_workflow_succeeds_and_the_worker_stops_cleanly(stack, small_table):
    worker = stack.start_worker(lease_seconds=30, rescue_seconds=5)
    dataset_id, job_id = stack.upload(small_table)
    assert stack.finish(job_id)[0].result == {"dataset_id": dataset_id, "warnings": [], "n_rows_skipped": 0}

    trained = stack.run("train", dataset_id=dataset_id, seed=1, labels={"team": "a"})
    sampled = stack.run("sample", model_id=trained.result["model_id"], n_rows=1000, seed=2, name="twin")
    evaluated = stack.run(
        "evaluate",
        dataset_id=dataset_id,
        synthetic_dataset_id=sampled.result["dataset_id"],
        target="city",
    )
    assert [job.error_detail for job in (trained, sampled, evaluated)] == [None] * 3

    check_rows(stack, trained, sampled, evaluated)
    table = pq.read_table(pa.BufferReader(blob(stack, sampled.id, "table_1")))
    assert (table.num_rows, table.column_names) == (1000, small_table.column_names)
    report = json.loads(blob(stack, evaluated.id, "report_json"))
    assert report["options"]["target"] == "city"
    assert report["tables"]["holdout"]["n_rows"] + report["tables"]["real"]["n_rows"] == small_table.num_rows
    assert blob(stack, evaluated.id, "report_html").lower().startswith(b"<!doctype html>")

    tree = worker.tree()
    assert worker.stop() == 0
    assert not any(is_alive(pid) for pid in tree)
    assert stack.rows("select * from workers") == []
    stack.check()


def test_worker_runs_only_jobs_of_its_queues(stack):
    worker = stack.start_worker(worker_queues="gpu")
    waiting, taken = stack.submit("probe"), stack.submit("probe")
    with stack.resources.sessions.begin() as session:
        session.execute(text("update jobs set queue = 'gpu' where id = :id"), {"id": taken})

    assert stack.finish(taken)[0].state == "succeeded"
    assert stack.job(waiting).state == "queued"

    assert worker.stop() == 0
    stack.start_worker()
    assert stack.finish(waiting)[0].state == "succeeded"


def check_rows(stack: Stack, trained, sampled, evaluated) -> None:
    with stack.resources.sessions() as session:
        model = models.get(session, stack.project_id, ids.from_text("model", trained.result["model_id"]))
        twin = datasets.get(session, stack.project_id, ids.from_text("dataset", sampled.result["dataset_id"]))
        (table,) = dataset_tables.all_of(session, twin)
        report = reports.get(
            session, stack.project_id, ids.from_text("report", evaluated.result["report_id"])
        )
    assert (model.name, model.labels, model.seed) == ("table", {"team": "a"}, 1)
    assert (twin.name, twin.origin, twin.state, table.n_rows) == ("twin", "sample", "ready", 1000)
    assert table.dataset_schema == model.dataset_schema
    assert report.summary
