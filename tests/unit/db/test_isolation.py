"""Tests that no function reads or changes the rows of another project."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy.orm import Session

from tests.rows import new_model, new_report, new_upload, new_webhook
from tests.unit.db.states import Sessions, add_job, add_project, read
from understudy import ids
from understudy.db import (
    api_keys,
    artifacts,
    dataset_tables,
    datasets,
    erasures,
    events,
    job_attempts,
    job_events,
    jobs,
    models,
    reports,
    uploads,
    webhooks,
)
from understudy.db.artifacts import NewArtifact
from understudy.db.dataset_tables import NewTable
from understudy.errors import NotFound

Rows = dict[str, UUID]


@pytest.fixture
def rows(sessions: Sessions) -> Rows:
    """Add a row to each table for one project, and add a second project without rows."""
    owner, stranger = add_project(sessions), add_project(sessions)
    job = add_job(sessions, owner)
    with sessions.begin() as session:
        dataset = datasets.add_pending(session, job, dataset_id=ids.new_id(), name="d")
        dataset_tables.add(session, dataset, [NewTable("a", "csv"), NewTable("b", "csv")])
        model = models.add(session, job, new_model(dataset.id))
        report = reports.add(session, job, new_report(dataset.id, dataset.id))
        artifacts.add(session, owner, job.id, NewArtifact("table_1", 1, "k", b"", 1))
        key = api_keys.add(session, api_keys.NewApiKey(ids.new_id(), owner, "k", b"d", ["read"]))
        upload = uploads.add(session, owner, new_upload())
        uploads.put_part(session, upload, uploads.StoredPart(1, "part", b"", 1), kept=timedelta(hours=1))
        webhook = webhooks.add(session, new_webhook(owner))
    added = {
        "webhook": webhook,
        "upload": upload,
        "dataset": dataset,
        "model": model,
        "report": report,
        "key": key,
        "job": job,
    }
    return {"owner": owner, "stranger": stranger, **{name: row.id for name, row in added.items()}}


RAISING: dict[str, Callable[[Session, UUID, Rows], object]] = {
    "jobs.get": lambda s, p, rows: jobs.get(s, p, rows["job"]),
    "jobs.request_cancel": lambda s, p, rows: jobs.request_cancel(s, p, rows["job"]),
    "jobs.retry": lambda s, p, rows: jobs.retry(s, p, rows["job"], ttl_seconds=1),
    "datasets.get": lambda s, p, rows: datasets.get(s, p, rows["dataset"]),
    "datasets.are_pending": lambda s, p, rows: datasets.are_pending(s, p, [rows["dataset"]]),
    "datasets.lock": lambda s, p, rows: datasets.lock(s, p, rows["dataset"]),
    "datasets.made_by": lambda s, p, rows: datasets.made_by(s, p, rows["job"]),
    "datasets.rename": lambda s, p, rows: datasets.rename(s, p, rows["dataset"], name="x", labels=None),
    "models.get": lambda s, p, rows: models.get(s, p, rows["model"]),
    "models.lock": lambda s, p, rows: models.lock(s, p, rows["model"]),
    "uploads.get": lambda s, p, rows: uploads.get(s, p, rows["upload"]),
    "uploads.lock": lambda s, p, rows: uploads.lock(s, p, rows["upload"]),
    "reports.get": lambda s, p, rows: reports.get(s, p, rows["report"]),
    "artifacts.get": lambda s, p, rows: artifacts.get(s, p, rows["job"], "table_1"),
    "webhooks.get": lambda s, p, rows: webhooks.get(s, p, rows["webhook"]),
    "webhooks.lock": lambda s, p, rows: webhooks.lock(s, p, rows["webhook"]),
    "artifacts.of_file": lambda s, p, rows: artifacts.of_file(s, p, rows["job"], "table_1"),
}
EMPTY: dict[str, Callable[[Session, UUID, Rows], object]] = {
    "jobs.page": lambda s, p, rows: jobs.page(s, p).rows,
    "jobs.active_on": lambda s, p, rows: jobs.active_on(s, p, [ids.to_text("dataset", rows["dataset"])]),
    "jobs.erase": lambda s, p, rows: jobs.erase(s, p, [rows["job"]], []),
    "erasures.hold": lambda s, p, rows: erasures.hold(s, p, {"dataset": [rows["dataset"]]}),
    "uploads.of_datasets": lambda s, p, rows: uploads.of_datasets(s, p, [rows["dataset"]]),
    "jobs.counts": lambda s, p, rows: jobs.counts(s, p),
    "jobs.count_queued": lambda s, p, rows: jobs.count_queued(s, p),
    "datasets.page": lambda s, p, rows: datasets.page(s, p).rows,
    "datasets.made_from": lambda s, p, rows: datasets.made_from(
        s, p, model_ids=[rows["model"]], dataset_ids=[rows["dataset"]]
    ),
    "uploads.page": lambda s, p, rows: uploads.page(s, p).rows,
    "uploads.count_open": lambda s, p, rows: uploads.count_open(s, p),
    "uploads.parts": lambda s, p, rows: uploads.parts(s, p, [rows["upload"]]),
    "uploads.find_part": lambda s, p, rows: uploads.find_part(s, p, rows["upload"], 1),
    "models.page": lambda s, p, rows: models.page(s, p).rows,
    "models.trained_on": lambda s, p, rows: models.trained_on(s, p, [rows["dataset"]]),
    "reports.page": lambda s, p, rows: reports.page(s, p).rows,
    "reports.about": lambda s, p, rows: reports.about(s, p, [rows["dataset"]]),
    "job_events.page": lambda s, p, rows: job_events.page(s, p, rows["job"]).rows,
    "job_attempts.of_job": lambda s, p, rows: job_attempts.of_job(s, p, rows["job"]),
    "job_attempts.of_shards": lambda s, p, rows: job_attempts.of_shards(s, p, rows["job"]),
    "artifacts.of_job": lambda s, p, rows: artifacts.of_job(s, p, rows["job"]),
    "artifacts.delete_of_jobs": lambda s, p, rows: artifacts.delete_of_jobs(s, p, [rows["job"]]),
    "webhooks.page": lambda s, p, rows: webhooks.page(s, p, after=None, limit=50).rows,
    "webhooks.count": lambda s, p, rows: webhooks.count(s, p),
    "events.page": lambda s, p, rows: [
        row for row in events.page(s, p).rows if row.type != "project.created"
    ],
    "api_keys.revoke": lambda s, p, rows: api_keys.revoke(s, p, rows["key"]),
}


@pytest.mark.parametrize("name", RAISING)
def test_row_of_another_project_is_not_found(sessions: Sessions, rows: Rows, name: str) -> None:
    with sessions() as session, pytest.raises(NotFound):
        RAISING[name](session, rows["stranger"], rows)


@pytest.mark.parametrize("name", EMPTY)
def test_lists_contain_no_rows_of_another_project(sessions: Sessions, rows: Rows, name: str) -> None:
    with sessions() as session:
        assert not EMPTY[name](session, rows["stranger"], rows)


@pytest.mark.parametrize("module", [reports, models, datasets])
def test_row_of_another_project_is_not_deleted(sessions: Sessions, rows: Rows, module: object) -> None:
    name = {reports: "report", models: "model", datasets: "dataset"}[module]
    with sessions.begin() as session:
        module.delete(session, rows["stranger"], [rows[name]])
        module.get(session, rows["owner"], rows[name])


def test_state_of_a_dataset_of_another_project_is_not_changed(sessions: Sessions, rows: Rows) -> None:
    with sessions.begin() as session:
        datasets.set_failed(session, rows["stranger"], rows["dataset"], code="x", detail="x")
        datasets.reopen(session, rows["stranger"], rows["job"])
        assert datasets.get(session, rows["owner"], rows["dataset"]).state == "pending"


def test_tables_of_a_dataset_of_another_project_are_not_found(sessions: Sessions, rows: Rows) -> None:
    with sessions() as session:
        dataset = datasets.get(session, rows["owner"], rows["dataset"])
        tables = dataset_tables.of_datasets(session, rows["owner"], [dataset])[dataset.id]
        assert [(table.name, table.n_rows) for table in tables] == [("a", None), ("b", None)]
        assert dataset_tables.of_datasets(session, rows["stranger"], [dataset]) == {dataset.id: []}


def test_dataset_of_another_project_is_not_set_to_ready(sessions: Sessions, rows: Rows) -> None:
    with sessions() as session, pytest.raises(NotFound):
        datasets.set_ready(
            session, rows["stranger"], rows["dataset"], relationship_candidates=[], locale="en"
        )


def test_owner_can_read_all_rows_of_the_project(sessions: Sessions, rows: Rows) -> None:
    """Check that no function passes the tests above only because it never finds any row."""
    missing = {
        "jobs.retry",
        "uploads.of_datasets",
        "datasets.made_from",
        "job_attempts.of_job",
        "job_attempts.of_shards",
        "jobs.active_on",
    }
    for name, function in {**RAISING, **EMPTY}.items():
        if name not in missing:
            with sessions() as session:
                assert function(session, rows["owner"], rows), name
    assert read(sessions, rows["owner"], rows["job"]).state == "queued"
