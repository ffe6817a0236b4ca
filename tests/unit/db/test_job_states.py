"""Tests that every state permits the legal transitions and refuses all others."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.unit.db.states import STATES, Sessions, add_job, add_project, claimed, job_in, read
from understudy.db import job_attempts, job_events, jobs, leases
from understudy.db.job_attempts import AttemptEnd
from understudy.errors import Conflict

END = AttemptEnd("failed", error_code="unavailable")
PATIENT = leases.Allowance("transient_failures", 5, "unavailable", "Gone.")

# Each worker operation with a valid token maps to the state that it sets for a running job. A job in any
# other state is unchanged.
BY_TOKEN: dict[str, tuple[str, Callable[[Session, UUID, int], object]]] = {
    "heartbeat": (
        "running",
        lambda session, job, token: leases.heartbeat(session, job, token, lease_seconds=9, progress=None),
    ),
    "finish": (
        "succeeded",
        lambda session, job, token: leases.finish(
            session, job, token, result={}, end=AttemptEnd("succeeded")
        ),
    ),
    "fail": (
        "failed",
        lambda session, job, token: leases.fail(
            session, job, token, error=leases.JobError("no_rows", "None."), end=END
        ),
    ),
    "cancel": ("cancelled", lambda session, job, token: leases.cancel(session, job, token, END)),
    "release": ("queued", leases.release),
    "try_again": (
        "queued",
        lambda session, job, token: leases.try_again(
            session, job, token, retry=leases.Retry(PATIENT, 0), end=END
        ),
    ),
}
# Each operation of a caller maps a state to the next state. None means that the operation is refused.
BY_CALLER: dict[str, dict[str, str | None]] = {
    "request_cancel": {
        "queued": "cancelled",
        "running": "running",
        "succeeded": None,
        "failed": None,
        "cancelled": "cancelled",
    },
    "retry": {
        "queued": None,
        "running": None,
        "succeeded": None,
        "failed": "queued",
        "cancelled": "queued",
    },
}
TERMINAL = ("succeeded", "failed", "cancelled")


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", BY_TOKEN)
def test_operations_of_a_worker_change_only_a_running_job(sessions: Sessions, name: str, state: str) -> None:
    project_id = add_project(sessions)
    job_id, token = job_in(sessions, project_id, state)
    after, operation = BY_TOKEN[name]

    with sessions.begin() as session:
        outcome = operation(session, job_id, token)

    assert (outcome is not None) == (state == "running")
    assert read(sessions, project_id, job_id).state == (after if state == "running" else state)


@pytest.mark.parametrize("name", BY_TOKEN)
def test_operations_with_a_stale_token_change_nothing(sessions: Sessions, name: str) -> None:
    project_id = add_project(sessions)
    job_id, stale = job_in(sessions, project_id, "running")
    with sessions.begin() as session:
        leases.release(session, job_id, stale)
    _, token = claimed(sessions)

    with sessions.begin() as session:
        outcome = BY_TOKEN[name][1](session, job_id, stale)

    job = read(sessions, project_id, job_id)
    assert outcome is None
    assert (job.state, job.lease_token) == ("running", token)


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("name", BY_CALLER)
def test_operations_of_callers_change_states_only_as_listed(
    sessions: Sessions, name: str, state: str
) -> None:
    project_id = add_project(sessions)
    job_id, _ = job_in(sessions, project_id, state)
    after = BY_CALLER[name][state]

    with sessions.begin() as session:
        if after is None:
            with pytest.raises(Conflict):
                _by_caller(session, name, project_id, job_id)
        else:
            assert _by_caller(session, name, project_id, job_id).state == after

    assert read(sessions, project_id, job_id).state == (after or state)


@pytest.mark.parametrize("after", STATES)
@pytest.mark.parametrize("before", STATES)
def test_trigger_refuses_illegal_transitions(sessions: Sessions, before: str, after: str) -> None:
    """Use SQL that satisfies the check constraints, so that only the state machine can refuse it."""
    project_id = add_project(sessions)
    job_id, _ = job_in(sessions, project_id, before)
    statement = text(
        "update jobs set state = :after, priority = priority + 1,"
        " lease_token = case when :after = 'running' then coalesce(lease_token, 1) end,"
        " lease_until = case when :after = 'running' then clock_timestamp() end,"
        " finished_at = case when :after in ('succeeded', 'failed', 'cancelled') then clock_timestamp() end"
        " where id = :id"
    )
    is_legal = before not in TERMINAL and (before, after) != ("queued", "succeeded")

    with sessions() as session:
        if is_legal:
            session.execute(statement, {"after": after, "id": job_id})
        else:
            with pytest.raises(IntegrityError):
                session.execute(statement, {"after": after, "id": job_id})


@pytest.mark.parametrize(
    ("state", "is_allowed"), [("failed", True), ("cancelled", True), ("succeeded", False)]
)
def test_trigger_allows_a_new_round_only_after_failure_or_cancellation(
    sessions: Sessions, state: str, is_allowed: bool
) -> None:
    project_id = add_project(sessions)
    job_id, _ = job_in(sessions, project_id, state)
    statement = text("update jobs set state = 'queued', round = round + 1, finished_at = null where id = :id")

    with sessions() as session:
        if is_allowed:
            session.execute(statement, {"id": job_id})
        else:
            with pytest.raises(IntegrityError):
                session.execute(statement, {"id": job_id})


def test_running_job_cannot_get_another_token(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    job_id, _ = job_in(sessions, project_id, "running")

    with sessions() as session, pytest.raises(IntegrityError):
        session.execute(text("update jobs set lease_token = lease_token + 1 where id = :id"), {"id": job_id})


@pytest.mark.parametrize("state", TERMINAL)
def test_round_has_exactly_one_terminal_event(sessions: Sessions, state: str) -> None:
    project_id = add_project(sessions)
    job_id, _ = job_in(sessions, project_id, state)

    with sessions() as session:
        rows = job_events.page(session, project_id, job_id).rows
        assert [row.type for row in rows if row.type in TERMINAL] == [state]
        with pytest.raises(IntegrityError):
            job_events.add(session, read(sessions, project_id, job_id), "failed")


def test_events_and_attempts_are_recorded_in_order(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    job_id, token = job_in(sessions, project_id, "running")
    with sessions.begin() as session:
        leases.release(session, job_id, token)
    _, token = claimed(sessions)
    with sessions.begin() as session:
        leases.try_again(session, job_id, token, retry=leases.Retry(PATIENT, 0), end=END)
    _, token = claimed(sessions)
    with sessions.begin() as session:
        leases.finish(session, job_id, token, result={"x": 1}, end=AttemptEnd("succeeded"))

    with sessions() as session:
        types = [row.type for row in job_events.page(session, project_id, job_id).rows]
        outcomes = [row.outcome for row in job_attempts.of_job(session, project_id, job_id)]
    assert types == ["queued", "started", "released", "started", "retrying", "started", "succeeded"]
    assert outcomes == ["released", "failed", "succeeded"]


def test_retry_begins_a_new_round_with_reset_counters(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    add_job(sessions, project_id)
    job_id, token = claimed(sessions)
    once = leases.Allowance("crashes", 1, "worker_crashed", "Dead.")
    with sessions.begin() as session:
        leases.try_again(session, job_id, token, retry=leases.Retry(once, 0), end=AttemptEnd("crashed"))

    with sessions.begin() as session:
        job = jobs.retry(session, project_id, job_id, ttl_seconds=60)

    assert (job.state, job.round, job.attempt, job.crashes) == ("queued", 2, 1, 0)
    assert (job.error_code, job.error_detail, job.finished_at) == (None, None, None)


def test_job_cancelled_before_its_first_claim_can_be_retried_and_cancelled_again(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    job_id = add_job(sessions, project_id).id

    for _ in range(3):
        with sessions.begin() as session:
            assert jobs.request_cancel(session, project_id, job_id).state == "cancelled"
        with sessions.begin() as session:
            assert jobs.retry(session, project_id, job_id, ttl_seconds=60).state == "queued"


def _by_caller(session: Session, name: str, project_id: UUID, job_id: UUID) -> object:
    if name == "retry":
        return jobs.retry(session, project_id, job_id, ttl_seconds=60)
    return jobs.request_cancel(session, project_id, job_id)
