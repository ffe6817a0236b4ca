"""Tests for events: each change adds one event in its transaction, and lists grow only at their end."""

from __future__ import annotations

from threading import Thread
from uuid import UUID

import pytest
from sqlalchemy import text

from app.bodies.events import EventType
from tests.rows import new_model, new_report, new_webhook
from tests.unit.db.states import STATES, Sessions, add_job, add_project, claimed, job_in
from understudy import ids
from understudy.db import api_keys, datasets, events, jobs, models, projects, reports, webhooks
from understudy.db.events import EventFilters


def types_of(sessions: Sessions, project_id: UUID, **filters: object) -> list[str]:
    """Return the types of a project's events in order, without the creation of the project."""
    with sessions() as session:
        page = events.page(session, project_id, filters=EventFilters(**filters), limit=200)  # type: ignore[arg-type]
    return [row.type for row in page.rows if row.type != "project.created"]


def test_api_accepts_exactly_the_existing_event_types() -> None:
    assert EventType.__args__ == events.TYPES  # type: ignore[attr-defined]


@pytest.mark.parametrize("state", STATES)
def test_each_state_of_a_job_has_one_event(sessions: Sessions, state: str) -> None:
    project_id = add_project(sessions)
    job_id, _ = job_in(sessions, project_id, state)
    expected = ["job.queued", "job.running", f"job.{state}"][: {"queued": 1, "running": 2}.get(state, 3)]
    assert types_of(sessions, project_id, job_id=job_id) == expected
    with sessions() as session:
        last = events.page(session, project_id).rows[-1]
    assert (last.subject_id, last.job_id, last.kind) == (job_id, job_id, "probe")
    assert last.error_code == ("no_rows" if state == "failed" else None)


def test_change_that_is_rolled_back_has_no_event(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    job = add_job(sessions, project_id)
    with sessions() as session:
        jobs.request_cancel(session, project_id, job.id)
        session.rollback()
    assert types_of(sessions, project_id) == ["job.queued"]


def test_heartbeats_and_labels_add_no_events(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    job = add_job(sessions, project_id)
    claimed(sessions)
    with sessions.begin() as session:
        session.execute(text("update jobs set progress = '{}', lease_until = clock_timestamp()"))
        jobs.set_labels(session, jobs.lock(session, project_id, job.id), {"a": "b"})
    assert types_of(sessions, project_id) == ["job.queued", "job.running"]


def test_shards_have_no_events(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    parent, shard = add_job(sessions, project_id), ids.new_id()
    with sessions.begin() as session:
        session.execute(
            text(
                "insert into jobs"
                " (id, project_id, kind, parameters, parameters_version, expires_at, parent_id, shard)"
                " select :shard, project_id, kind, parameters, parameters_version, expires_at, id, 1"
                " from jobs where id = :parent"
            ),
            {"shard": shard, "parent": parent.id},
        )
    assert types_of(sessions, project_id) == ["job.queued"]


def test_changes_to_datasets_models_and_reports_have_events(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    job = add_job(sessions, project_id)
    with sessions.begin() as session:
        dataset = datasets.add_pending(session, job, dataset_id=ids.new_id(), name="d")
        datasets.set_failed(session, project_id, dataset.id, code="no_rows", detail="None.")
        datasets.reopen(session, project_id, job.id)
        datasets.set_ready(session, project_id, dataset.id, relationship_candidates=[], locale="en")
        datasets.quarantine(session, dataset, {"reason": "unreviewed"})
        datasets.quarantine(session, dataset, {"reason": "failed"})
        datasets.rename(session, project_id, dataset.id, name="e", labels=None)
        datasets.end_quarantine(session, dataset)
        model = models.add(session, job, new_model(dataset.id))
        report = reports.add(session, job, new_report(dataset.id, dataset.id))
        reports.delete(session, project_id, [report.id])
        models.delete(session, project_id, [model.id])
        datasets.delete(session, project_id, [dataset.id])
    assert types_of(sessions, project_id) == [
        *("job.queued", "dataset.failed", "dataset.ready", "dataset.quarantined", "dataset.released"),
        *("model.created", "report.created", "report.deleted", "model.deleted", "dataset.deleted"),
    ]
    # These events refer to the dataset, although the job does not.
    assert "job.queued" not in types_of(sessions, project_id, dataset_id=dataset.id)
    assert types_of(sessions, project_id, type="model.created") == ["model.created"]


def test_changes_to_keys_and_projects_have_events(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    with sessions.begin() as session:
        new = api_keys.NewApiKey(ids.new_id(), project_id, "k", b"d", ["read"])
        api_keys.add(session, new)
        api_keys.revoke(session, project_id, new.id)
        projects.change(session, project_id, policy=None, gate="off")
        projects.limit_running_jobs(session, project_id, None)
    assert types_of(sessions, project_id) == ["api_key.created", "api_key.revoked", "project.updated"]


def test_list_ends_before_the_oldest_running_transaction(sessions: Sessions) -> None:
    """Check that an event never appears before one that was already listed."""
    project_id = add_project(sessions)
    with sessions() as slow:
        projects.change(slow, project_id, policy=None, gate="off")
        add_job(sessions, project_id)
        assert types_of(sessions, project_id) == []
        slow.commit()
    assert types_of(sessions, project_id) == ["project.updated", "job.queued"]


def test_pages_are_ordered_and_complete(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    for _ in range(3):
        add_job(sessions, project_id)
    listed, after = [], None
    with sessions() as session:
        while (page := events.page(session, project_id, after=after, limit=1)).next is not None:
            listed, after = [*listed, *page.rows], page.next
    rows = [*listed, *page.rows]
    assert [row.type for row in rows] == ["project.created", *["job.queued"] * 3]
    assert [row.id for row in rows] == sorted(row.id for row in rows)
    assert [row.created_at for row in rows] == sorted(row.created_at for row in rows)


def test_deletion_of_a_webhook_does_not_interrupt_a_job(sessions: Sessions) -> None:
    """Check that an event of a job does not wait for the deletion, and has no delivery."""
    project_id = add_project(sessions)
    with sessions.begin() as session:
        webhook = webhooks.add(session, new_webhook(project_id))
    with sessions() as deleting:
        webhooks.remove(deleting, webhooks.lock(deleting, project_id, webhook.id))
        thread = Thread(target=add_job, args=(sessions, project_id))
        thread.start()
        thread.join(10)
        assert not thread.is_alive()
        deleting.commit()
    assert types_of(sessions, project_id) == ["job.queued"]
    with sessions() as session:
        assert session.scalar(text("select count(*) from webhook_deliveries")) == 0
