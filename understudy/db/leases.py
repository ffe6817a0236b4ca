"""Statements that workers and `rescue_jobs` use to change jobs. They ensure that a job finishes only once.

A claim (`understudy.db.claims`) gives the job a lease, which ends by the database's clock, and a fencing
token, which is never used again. Every later statement of the worker compares the token and the state, so a
worker that has lost the lease changes nothing, even if it continues much later. Each change, its attempt and
its event are written in one transaction.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from understudy.db import job_attempts, job_events
from understudy.db.job_attempts import AttemptEnd
from understudy.db.orm import CLOCK, Job
from understudy.failpoints import failpoint

BACKOFF_SECONDS_MAX = 600
RELEASED = AttemptEnd("released")
NO_LEASE: dict[str, Any] = {"lease_token": None, "lease_owner": None, "lease_until": None}


@dataclass(frozen=True)
class Allowance:
    """The maximum number of failures in one class, and the error of a job that reaches this maximum."""

    counter: str
    failures_max: int
    error_code: str
    error_detail: str


CRASHES = Allowance(
    "crashes",
    3,
    "worker_crashed",
    "The worker crashed during each of 3 attempts. Use fewer rows or columns, or retry the job.",
)


@dataclass(frozen=True)
class Retry:
    """The retries of a job after a failure. The pause before a retry doubles each time.

    Parameters
    ----------
    queue : str, optional
        The queue of the next attempt. None keeps the queue.
    """

    allowance: Allowance
    backoff_seconds: float
    queue: str | None = None


@dataclass(frozen=True)
class JobError:
    """The error of a failed job."""

    code: str
    detail: str


def heartbeat(
    session: Session,
    job_id: UUID,
    token: int,
    *,
    lease_seconds: float,
    progress: dict[str, Any] | None,
) -> Job | None:
    """Renew the lease and store the progress, or return None if the lease is lost."""
    values: dict[str, Any] = {"lease_until": _in(lease_seconds)}
    if progress is not None:
        values["progress"] = progress
    return _change(session, job_id, token, **values)


def is_cancel_requested(session: Session, job_id: UUID, token: int) -> bool:
    """Return whether cancellation of the job is requested and the token is current, without writing."""
    statement = select(Job.cancel_requested_at).where(Job.id == job_id, Job.lease_token == token)
    return session.scalar(statement) is not None


def hold(session: Session, job_id: UUID, token: int) -> Job | None:
    """Lock a job until the transaction ends, to add results. Return None if the lease is lost."""
    statement = (
        select(Job)
        .where(Job.id == job_id, Job.lease_token == token, Job.state == "running")
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    return session.scalar(statement)


def finish(
    session: Session, job_id: UUID, token: int, *, result: dict[str, Any], end: AttemptEnd
) -> Job | None:
    """Set a job to succeeded. If the lease is lost, write nothing and return None."""
    job = _end(session, job_id, token, end, state="succeeded", result=result, finished_at=CLOCK)
    if job is not None:
        job_events.add(session, job, "succeeded")
    return job


def fail(session: Session, job_id: UUID, token: int, *, error: JobError, end: AttemptEnd) -> Job | None:
    """Set a job to failed. If the lease is lost, write nothing and return None."""
    job = _end(
        session,
        job_id,
        token,
        end,
        state="failed",
        error_code=error.code,
        error_detail=error.detail,
        finished_at=CLOCK,
    )
    if job is not None:
        job_events.add(session, job, "failed", error_code=error.code)
    return job


def cancel(session: Session, job_id: UUID, token: int, end: AttemptEnd) -> Job | None:
    """Set a job to cancelled. If the lease is lost, write nothing and return None."""
    job = _end(session, job_id, token, end, state="cancelled", finished_at=CLOCK)
    if job is not None:
        job_events.add(session, job, "cancelled")
    return job


def release(
    session: Session,
    job_id: UUID,
    token: int,
    end: AttemptEnd = RELEASED,
    *,
    backoff_seconds: float = 0,
) -> Job | None:
    """Requeue a job because its worker is stopping or lacks disk space, without counting a failure.

    Parameters
    ----------
    backoff_seconds : float
        The job waits for a random time from 0 to twice this value, and at most `BACKOFF_SECONDS_MAX`.
    """
    job = hold(session, job_id, token)
    if job is None:
        return None
    if job.cancel_requested_at is not None:
        return cancel(session, job_id, token, end)
    values = {"run_after": CLOCK + _jitter(backoff_seconds, 1), "started_at": None, "progress": None}
    job = _end(session, job_id, token, end, state="queued", **values)
    assert job is not None
    job_events.add(session, job, "released")
    return job


def try_again(
    session: Session,
    job_id: UUID,
    token: int,
    *,
    retry: Retry,
    end: AttemptEnd,
) -> Job | None:
    """Requeue a job after a transient failure, or end it after too many failures or if it is cancelled."""
    job = hold(session, job_id, token)
    if job is None:
        return None
    if job.cancel_requested_at is not None:
        return cancel(session, job_id, token, end)
    allowance = retry.allowance
    n_before: int = getattr(job, allowance.counter)
    counted = {allowance.counter: n_before + 1}
    # A job that has expired is not queued again, so that it fails with its own error.
    has_expired = bool(session.scalar(select(Job.expires_at <= CLOCK).where(Job.id == job_id)))
    if has_expired or n_before + 1 >= allowance.failures_max:
        return _give_up(session, job, token, allowance, end)
    job = _end(
        session,
        job_id,
        token,
        end,
        state="queued",
        run_after=CLOCK + _jitter(retry.backoff_seconds, n_before),
        started_at=None,
        progress=None,
        queue=retry.queue or job.queue,
        **counted,
    )
    assert job is not None
    job_events.add(session, job, "retrying", outcome=end.outcome, error_code=end.error_code)
    return job


def reap(session: Session, *, backoff_seconds: float, limit: int = 20) -> list[Job]:
    """Requeue or fail jobs with expired leases, and return their new rows.

    Several processes can call this function at the same time. Each process locks its jobs and skips jobs that
    are already locked.
    """
    statement = (
        select(Job.id, Job.lease_token)
        .where(Job.state == "running", Job.lease_until < CLOCK)
        .order_by(Job.lease_until)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    settled = []
    for job_id, token in session.execute(statement).all():
        failpoint("reap.selected")
        assert token is not None
        job = try_again(
            session,
            job_id,
            token,
            retry=Retry(CRASHES, backoff_seconds),
            end=AttemptEnd("lost"),
        )
        assert job is not None
        settled.append(job)
    return settled


def expire(session: Session, *, limit: int = 100) -> list[Job]:
    """Set the queued jobs that have expired to failed, and return these jobs."""
    overdue = (
        select(Job.id)
        .where(Job.state == "queued", Job.expires_at <= CLOCK)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    job_ids = list(session.scalars(overdue))
    return [_expire_one(session, job_id) for job_id in job_ids]


def _expire_one(session: Session, job_id: UUID) -> Job:
    statement = (
        update(Job)
        .where(Job.id == job_id, Job.state == "queued")
        .values(
            state="failed",
            error_code="expired",
            error_detail="No worker claimed the job before it expired. Retry it when workers are running.",
            finished_at=CLOCK,
        )
    )
    job = _returned(session, statement)
    assert job is not None
    job_events.add(session, job, "failed", error_code="expired")
    return job


def _give_up(session: Session, job: Job, token: int, allowance: Allowance, end: AttemptEnd) -> Job | None:
    n_before: int = getattr(job, allowance.counter)
    _change(session, job.id, token, **{allowance.counter: n_before + 1})
    error = JobError(allowance.error_code, allowance.error_detail)
    return fail(session, job.id, token, error=error, end=end)


def _end(session: Session, job_id: UUID, token: int, end: AttemptEnd, **values: Any) -> Job | None:
    job = _change(session, job_id, token, **NO_LEASE, **{"progress": None, **values})
    if job is not None:
        job_attempts.end(session, token, end)
    return job


def _change(session: Session, job_id: UUID, token: int, **values: Any) -> Job | None:
    statement = (
        update(Job).where(Job.id == job_id, Job.lease_token == token, Job.state == "running").values(**values)
    )
    return _returned(session, statement)


def _returned(
    session: Session, statement: Any
) -> Job | None:  # `Any` is an UPDATE statement. mypy cannot match its type parameters.
    statement = statement.returning(Job).execution_options(synchronize_session=False, populate_existing=True)
    job: Job | None = session.scalars(statement).one_or_none()
    return job


def _in(seconds: float) -> Any:  # `Any` is an SQL expression.
    return CLOCK + timedelta(seconds=seconds)


def _jitter(base_seconds: float, n_before: int) -> Any:  # `Any` is an SQL expression.
    """Return a random interval below a bound. The bound doubles with each failure."""
    bound = min(base_seconds * 2.0**n_before, BACKOFF_SECONDS_MAX)
    return func.random() * timedelta(seconds=bound)
