"""Tests for the usage of projects, which triggers record and `compact` adds up by day."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from tests.unit.db.states import Sessions, add_job, add_project, claimed, job_in
from understudy.db import jobs, leases, projects, usage
from understudy.db.job_attempts import AttemptEnd
from understudy.db.orm_usage import UsageRecord
from understudy.db.usage import MEASURES, Usage

TODAY = datetime.now(UTC).date()
DAY = date(2026, 1, 31)


def days_of(sessions: Sessions, project_id: UUID) -> list[Usage]:
    with sessions() as session:
        return usage.list_days(session, project_id, DAY, TODAY + timedelta(days=1))


def total(sessions: Sessions, project_id: UUID, name: str) -> float:
    """Return the sum over all days, because a test can run at midnight."""
    return sum(getattr(day, name) for day in days_of(sessions, project_id))


def add_record(sessions: Sessions, project_id: UUID, day: date, **measures: float) -> None:
    """Add a record of a given day."""
    with sessions.begin() as session:
        session.add(UsageRecord(project_id=project_id, day=day, **measures))


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
def test_job_counts_when_it_ends(sessions: Sessions, state: str) -> None:
    project_id = add_project(sessions)
    add_job(sessions, project_id)
    assert total(sessions, project_id, "n_jobs") == 0
    job_in(sessions, project_id, state)
    assert total(sessions, project_id, "n_jobs") == 1


def test_shard_adds_its_cpu_time_but_is_not_counted(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    parent, shard = add_job(sessions, project_id), add_job(sessions, project_id, priority=1)
    with sessions.begin() as session:
        session.execute(
            text("update jobs set parent_id = :parent, shard = 1 where id = :shard"),
            {"parent": parent.id, "shard": shard.id},
        )
    job_id, token = claimed(sessions)
    with sessions.begin() as session:
        leases.finish(session, job_id, token, result={}, end=AttemptEnd("succeeded", cpu_seconds=1.5))
    assert job_id == shard.id
    assert total(sessions, project_id, "n_jobs") == 0
    assert total(sessions, project_id, "cpu_seconds") == 1.5


def test_change_that_is_rolled_back_is_not_usage(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    job = add_job(sessions, project_id)
    with sessions() as session:
        jobs.request_cancel(session, project_id, job.id)
        session.rollback()
    assert days_of(sessions, project_id) == []


def test_compaction_changes_no_sum(sessions: Sessions) -> None:
    first, second = add_project(sessions), add_project(sessions)
    for n in range(1, 6):
        add_record(sessions, first, DAY, n_jobs=n, cpu_seconds=n / 2)
        add_record(sessions, second, DAY + timedelta(days=n % 2), bytes_written=n * 10**12)
    before = days_of(sessions, first), days_of(sessions, second)
    assert before[0] == [Usage(DAY, 15, 7.5, 0, 0, 0)]
    assert [day.bytes_written for day in before[1]] == [6 * 10**12, 9 * 10**12]
    moved = []
    with sessions.begin() as session:
        while n_moved := usage.compact(session, 4):
            moved.append(n_moved)
            assert (days_of(sessions, first), days_of(sessions, second)) == before
    assert moved[:2] == [4, 4]
    assert (days_of(sessions, first), days_of(sessions, second)) == before


def test_two_processes_never_move_the_same_record(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    for _ in range(3):
        add_record(sessions, project_id, DAY, rows_sampled=7)
    with sessions.begin() as one, sessions.begin() as other:
        assert usage.compact(one, 10) >= 3
        assert usage.compact(other, 10) == 0
    assert [day.rows_sampled for day in days_of(sessions, project_id)] == [21]


def test_deleted_project_has_no_usage(sessions: Sessions) -> None:
    deleted, other = add_project(sessions), add_project(sessions)
    for project_id in (deleted, other):
        add_record(sessions, project_id, DAY, n_jobs=1)
        with sessions.begin() as session:
            usage.compact(session, 1_000)
        add_record(sessions, project_id, DAY, n_jobs=1)
    with sessions.begin() as session:
        projects.erase(session, deleted)
        usage.delete_unlocked(session, deleted)
        assert not usage.exists(session, deleted)
        assert usage.exists(session, other)
    # An attempt can end after the deletion.
    add_record(sessions, deleted, DAY, cpu_seconds=1)
    with sessions.begin() as session:
        usage.compact(session, 1_000)
        assert not usage.exists(session, deleted)
    assert total(sessions, other, "n_jobs") == 2


def test_every_measure_is_added_up(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    for n in (1, 2):
        add_record(sessions, project_id, DAY, **{name: i * n for i, name in enumerate(MEASURES, start=1)})
        with sessions.begin() as session:
            while usage.compact(session, 1_000):
                pass
    (day,) = days_of(sessions, project_id)
    assert [getattr(day, name) for name in MEASURES] == [3, 6, 9, 12, 15]
