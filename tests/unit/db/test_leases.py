from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from tests.unit.db.states import Sessions, add_job, add_project, claim, claimed, job_in, read
from understudy.db import claims, job_attempts, job_events, jobs, leases
from understudy.db.job_attempts import AttemptEnd
from understudy.db.orm import Job

CRASHED = AttemptEnd("crashed")
RETRY = leases.Retry(leases.CRASHES, 0)
ERROR = leases.JobError("no_rows", "None.")
# All statements that a worker uses to change or lock a job.
WRITES: dict[str, Callable[[Session, UUID, int], Job | None]] = {
    "heartbeat": lambda *of: leases.heartbeat(*of, lease_seconds=600, progress={"phase": "stale"}),
    "hold": leases.hold,
    "finish": lambda *of: leases.finish(*of, result={}, end=AttemptEnd("succeeded")),
    "fail": lambda *of: leases.fail(*of, error=ERROR, end=AttemptEnd("failed")),
    "cancel": lambda *of: leases.cancel(*of, AttemptEnd("cancelled")),
    "release": leases.release,
    "try_again": lambda *of: leases.try_again(*of, retry=RETRY, end=CRASHED),
}


def expire_lease(sessions: Sessions) -> None:
    with sessions.begin() as session:
        session.execute(text("update jobs set lease_until = clock_timestamp() - interval '1 s'"))


def row_of(sessions: Sessions, job_id: UUID) -> Any:
    with sessions() as session:
        return session.execute(text("select * from jobs where id = :id"), {"id": job_id}).one()


def reap(sessions: Sessions) -> list[Job]:
    with sessions.begin() as session:
        return leases.reap(session, backoff_seconds=0)


def test_second_delivery_claims_no_job(sessions: Sessions) -> None:
    add_job(sessions, add_project(sessions))

    assert claim(sessions) is not None
    assert claim(sessions) is None


def test_concurrent_workers_claim_each_job_once(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    added = {add_job(sessions, project_id).id for _ in range(30)}

    with ThreadPoolExecutor(4) as pool:
        claims = list(pool.map(lambda _: claim(sessions), range(40)))

    claimed_ids = [job.id for job in claims if job is not None]
    # A claim returns None if all queued jobs are locked by other sessions.
    assert len(claimed_ids) == len(set(claimed_ids))
    while (job := claim(sessions)) is not None:
        claimed_ids.append(job.id)
    assert sorted(claimed_ids) == sorted(added)


def test_queue_is_ordered_by_priority_and_then_by_age(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    ordinary, urgent, later = (add_job(sessions, project_id, priority=p).id for p in (0, 5, 0))

    assert [claimed(sessions)[0] for _ in range(3)] == [urgent, ordinary, later]


def test_retried_job_keeps_its_place_in_the_queue(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    first, _second = add_job(sessions, project_id).id, add_job(sessions, project_id).id
    job_id, token = claimed(sessions)
    with sessions.begin() as session:
        leases.try_again(session, job_id, token, retry=leases.Retry(leases.CRASHES, 0), end=CRASHED)

    assert claimed(sessions)[0] == first


def test_token_of_each_claim_is_higher_than_the_previous_one(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    tokens = [job_in(sessions, project_id, "succeeded")[1] for _ in range(3)]

    assert tokens == sorted(set(tokens))


@pytest.mark.parametrize(
    "change",
    [
        "run_after = clock_timestamp() + interval '1 minute'",
        "expires_at = clock_timestamp()",
        "parameters_version = parameters_version + 2",
        "kind = 'unknown'",
    ],
)
def test_job_that_is_not_due_or_has_an_unknown_format_is_not_claimed(sessions: Sessions, change: str) -> None:
    add_job(sessions, add_project(sessions))
    with sessions.begin() as session:
        session.execute(text("update jobs set " + change))  # noqa: S608 - from the list above

    assert claim(sessions) is None


def test_heartbeat_renews_the_lease_and_stores_the_progress(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    job_id, token = job_in(sessions, project_id, "running")
    before = read(sessions, project_id, job_id).lease_until
    progress = {"phase": "fitting", "fraction": 0.5}

    with sessions.begin() as session:
        leases.heartbeat(session, job_id, token, lease_seconds=600, progress=progress)

    after = read(sessions, project_id, job_id)
    assert before is not None
    assert after.lease_until is not None
    assert after.lease_until > before
    assert after.progress == progress


def test_heartbeat_notifies_the_worker_of_a_cancellation(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    job_id, token = job_in(sessions, project_id, "running")
    with sessions.begin() as session:
        assert not leases.is_cancel_requested(session, job_id, token)
        jobs.request_cancel(session, project_id, job_id)

    with sessions.begin() as session:
        assert leases.is_cancel_requested(session, job_id, token)
        job = leases.heartbeat(session, job_id, token, lease_seconds=9, progress=None)
    assert job is not None
    assert job.cancel_requested_at is not None


def test_job_with_a_valid_lease_is_not_rescued(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    job_id, _ = job_in(sessions, project_id, "running")

    assert reap(sessions) == []
    assert read(sessions, project_id, job_id).state == "running"


def test_lost_job_is_requeued_and_its_attempt_is_marked_lost(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    job_id, token = job_in(sessions, project_id, "running")
    expire_lease(sessions)

    (job,) = reap(sessions)

    assert (job.state, job.crashes, job.lease_token) == ("queued", 1, None)
    with sessions() as session:
        assert job_attempts.outcome(session, token) == "lost"
        assert job_events.page(session, project_id, job_id).rows[-1].type == "retrying"


@pytest.mark.parametrize("name", WRITES)
def test_stale_token_changes_nothing_while_another_attempt_runs(sessions: Sessions, name: str) -> None:
    project_id = add_project(sessions)
    job_id, stale = job_in(sessions, project_id, "running")
    expire_lease(sessions)
    reap(sessions)
    assert claimed(sessions) == (job_id, stale + 1)
    before = row_of(sessions, job_id)

    with sessions.begin() as session:
        assert WRITES[name](session, job_id, stale) is None

    assert row_of(sessions, job_id) == before
    with sessions() as session:
        assert job_attempts.outcome(session, stale) == "lost"
        assert job_attempts.outcome(session, stale + 1) is None


@pytest.mark.parametrize("name", WRITES)
def test_current_token_permits_each_write(sessions: Sessions, name: str) -> None:
    job_id, token = job_in(sessions, add_project(sessions), "running")

    with sessions.begin() as session:
        assert WRITES[name](session, job_id, token) is not None


def test_job_fails_after_its_third_crash(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    job_id = add_job(sessions, project_id).id
    for _ in range(3):
        assert claimed(sessions)[0] == job_id
        expire_lease(sessions)
        reap(sessions)

    job = read(sessions, project_id, job_id)
    assert (job.state, job.error_code, job.crashes, job.attempt) == ("failed", "worker_crashed", 3, 3)
    assert claim(sessions) is None


def test_concurrent_rescues_handle_a_job_once(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    job_id, _ = job_in(sessions, project_id, "running")
    expire_lease(sessions)
    both_ready = threading.Barrier(2)

    def rescue(_: int) -> int:
        both_ready.wait()
        return len(reap(sessions))

    with ThreadPoolExecutor(2) as pool:
        assert sum(pool.map(rescue, range(2))) == 1
    assert read(sessions, project_id, job_id).crashes == 1


def test_rescue_skips_jobs_locked_by_another_rescue(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    job_in(sessions, project_id, "running")
    expire_lease(sessions)

    with sessions.begin() as session:
        assert len(leases.reap(session, backoff_seconds=0)) == 1
        assert reap(sessions) == []


def test_lost_job_with_a_cancel_request_is_cancelled(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    job_id, _ = job_in(sessions, project_id, "running")
    with sessions.begin() as session:
        jobs.request_cancel(session, project_id, job_id)
    expire_lease(sessions)

    (job,) = reap(sessions)

    assert (job.state, job.crashes) == ("cancelled", 0)


@pytest.mark.parametrize("operation", ["release", "try_again"])
def test_job_with_a_cancel_request_is_not_requeued(sessions: Sessions, operation: str) -> None:
    project_id = add_project(sessions)
    job_id, token = job_in(sessions, project_id, "running")
    with sessions.begin() as session:
        jobs.request_cancel(session, project_id, job_id)

    with sessions.begin() as session:
        if operation == "release":
            leases.release(session, job_id, token)
        else:
            leases.try_again(session, job_id, token, retry=leases.Retry(leases.CRASHES, 0), end=CRASHED)

    assert read(sessions, project_id, job_id).state == "cancelled"


def test_job_that_expired_during_its_attempt_fails_with_the_error_of_the_attempt(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    job_id, token = job_in(sessions, project_id, "running")
    with sessions.begin() as session:
        session.execute(text("update jobs set expires_at = clock_timestamp()"))

    with sessions.begin() as session:
        leases.try_again(session, job_id, token, retry=leases.Retry(leases.CRASHES, 0), end=CRASHED)

    job = read(sessions, project_id, job_id)
    assert (job.state, job.error_code, job.crashes) == ("failed", "worker_crashed", 1)


def test_release_does_not_count_as_a_failure(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    job_id, token = job_in(sessions, project_id, "running")

    with sessions.begin() as session:
        leases.release(session, job_id, token)

    job = read(sessions, project_id, job_id)
    assert (job.state, job.crashes, job.transient_failures, job.internal_errors) == ("queued", 0, 0, 0)


def test_pause_before_the_next_attempt_does_not_exceed_its_maximum(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    job_id, token = job_in(sessions, project_id, "running")

    with sessions.begin() as session:
        leases.try_again(session, job_id, token, retry=leases.Retry(leases.CRASHES, 1000), end=CRASHED)

    with sessions() as session:
        pause = session.scalar(text("select extract(epoch from run_after - clock_timestamp()) from jobs"))
    # The delay is random and at most 600 s. A very short delay may already have passed when it is measured.
    assert -1 < pause <= leases.BACKOFF_SECONDS_MAX


def test_expired_job_fails(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    job_id = add_job(sessions, project_id, ttl_seconds=0).id

    with sessions.begin() as session:
        assert [job.id for job in leases.expire(session)] == [job_id]

    job = read(sessions, project_id, job_id)
    assert (job.state, job.error_code) == ("failed", "expired")


def test_running_job_does_not_expire(sessions: Sessions) -> None:
    project_id = add_project(sessions)
    job_id, _ = job_in(sessions, project_id, "running")
    with sessions.begin() as session:
        session.execute(text("update jobs set expires_at = clock_timestamp()"))

    with sessions.begin() as session:
        assert leases.expire(session) == []
    assert read(sessions, project_id, job_id).state == "running"


def test_rolled_back_claim_leaves_the_job_in_the_queue(sessions: Sessions) -> None:
    job_id = add_job(sessions, add_project(sessions)).id
    with sessions() as session:
        claims.claim(session, claims.Claimant("w", "1", ("probe",)), lease_seconds=9)
        session.rollback()

    assert claimed(sessions)[0] == job_id
