"""What workers and the rescue do to jobs: the statements on which "finished once" rests.

A claim gives the job a lease that ends by the database's clock, and a fencing token that is never used
again. Everything that a worker writes later compares the token and the state; whoever lost the lease
changes nothing, however late it wakes up. Each change, its attempt and its event are one transaction.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from understudy.db import job_attempts, job_events
from understudy.db.job_attempts import AttemptEnd
from understudy.db.jobs import PARAMETERS_VERSION
from understudy.db.orm import CLOCK, FENCE, Job

BACKOFF_SECONDS_MAX = 600
NO_LEASE: dict[str, Any] = {"lease_token": None, "lease_owner": None, "lease_until": None}


@dataclass(frozen=True)
class Allowance:
    """How often one class of failure is tried again, and what a job fails with when that is used up."""

    counter: str
    failures_max: int
    error_code: str
    error_detail: str


CRASHES = Allowance(
    "crashes",
    3,
    "worker_crashed",
    "The worker died on each of 3 tries. Try less data or fewer columns; a retry begins anew.",
)


@dataclass(frozen=True)
class Retry:
    """How often a job is tried again after a failure, and after which pause; the pause doubles each time."""

    allowance: Allowance
    backoff_seconds: float


@dataclass(frozen=True)
class JobError:
    """What a job failed with."""

    code: str
    detail: str


@dataclass(frozen=True)
class Claimant:
    """Who asks for a job: a worker, the version of its code, and what it can run."""

    worker: str
    code_version: str
    kinds: Collection[str]
    queues: Collection[str] = ("default",)


def claim(session: Session, claimant: Claimant, *, lease_seconds: float) -> Job | None:
    """Take the job that is first in line among those of the claimant's kinds and queues; None if none is due.

    By priority, then age: a job that is tried again keeps its place. Jobs that another session is taking
    are passed over, so that workers never wait for each other.
    """
    first = (
        select(Job.id)
        .where(
            Job.state == "queued",
            Job.run_after <= CLOCK,
            Job.expires_at > CLOCK,
            Job.parameters_version == PARAMETERS_VERSION,
            Job.kind.in_(claimant.kinds),
            Job.queue.in_(claimant.queues),
        )
        .order_by(Job.priority.desc(), Job.created_at, Job.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    statement = (
        update(Job)
        .where(Job.id == first, Job.state == "queued")
        .values(
            state="running",
            attempt=Job.attempt + 1,
            lease_token=FENCE.next_value(),
            lease_owner=claimant.worker,
            lease_until=_in(lease_seconds),
            started_at=CLOCK,
            progress=None,
        )
    )
    job = _returned(session, statement)
    if job is not None:
        job_attempts.add(session, job, code_version=claimant.code_version)
        job_events.add(session, job, "started")
    return job


def heartbeat(
    session: Session,
    job_id: UUID,
    token: int,
    *,
    lease_seconds: float,
    progress: dict[str, Any] | None,
) -> Job | None:
    """Renew the lease and store the progress; None means that the job is ours no longer."""
    values: dict[str, Any] = {"lease_until": _in(lease_seconds)}
    if progress is not None:
        values["progress"] = progress
    return _change(session, job_id, token, **values)


def is_cancel_requested(session: Session, job_id: UUID, token: int) -> bool:
    """Tell whether the job, if it is still ours, shall stop; writes nothing, unlike a heartbeat."""
    statement = select(Job.cancel_requested_at).where(Job.id == job_id, Job.lease_token == token)
    return session.scalar(statement) is not None


def hold(session: Session, job_id: UUID, token: int) -> Job | None:
    """Lock a job until the transaction ends, if it is still ours: results may be added to it meanwhile."""
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
    """End a job well; None, and nothing is written, if it is ours no longer."""
    job = _end(session, job_id, token, end, state="succeeded", result=result, finished_at=CLOCK)
    if job is not None:
        job_events.add(session, job, "succeeded")
    return job


def fail(session: Session, job_id: UUID, token: int, *, error: JobError, end: AttemptEnd) -> Job | None:
    """End a job with an error for good; None, and nothing is written, if it is ours no longer."""
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
    """End a job whose cancellation was asked for; None, and nothing is written, if it is ours no longer."""
    job = _end(session, job_id, token, end, state="cancelled", finished_at=CLOCK)
    if job is not None:
        job_events.add(session, job, "cancelled")
    return job


def release(session: Session, job_id: UUID, token: int) -> Job | None:
    """Hand a job back unharmed, since the worker stops; that counts for nothing."""
    job = hold(session, job_id, token)
    if job is None:
        return None
    end = AttemptEnd("released")
    if job.cancel_requested_at is not None:
        return cancel(session, job_id, token, end)
    job = _end(session, job_id, token, end, state="queued", run_after=CLOCK, started_at=None, progress=None)
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
    """Queue a job after a failure that may pass, or end it if that happened too often or it shall stop."""
    job = hold(session, job_id, token)
    if job is None:
        return None
    if job.cancel_requested_at is not None:
        return cancel(session, job_id, token, end)
    allowance = retry.allowance
    n_before: int = getattr(job, allowance.counter)
    counted = {allowance.counter: n_before + 1}
    if n_before + 1 >= allowance.failures_max:
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
        **counted,
    )
    assert job is not None
    job_events.add(session, job, "retrying", outcome=end.outcome, error_code=end.error_code)
    return job


def reap(session: Session, *, backoff_seconds: float, limit: int = 20) -> list[Job]:
    """Settle the jobs whose workers fell silent, and return them as they are now.

    Any number of processes may do so at once: a job is locked, and those locked by others are passed over.
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
    """Fail the queued jobs that waited longer than they were allowed to, and return them."""
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
            error_detail="No worker took the job before it expired. Retry it when workers are running.",
            finished_at=CLOCK,
        )
    )
    job = _returned(session, statement)
    assert job is not None
    job_events.add(session, job, "failed", error_code="expired")
    return job


def _give_up(session: Session, job: Job, token: int, allowance: Allowance, end: AttemptEnd) -> Job | None:
    _change(session, job.id, token, **{allowance.counter: allowance.failures_max})
    error = JobError(allowance.error_code, allowance.error_detail)
    return fail(session, job.id, token, error=error, end=end)


def _end(session: Session, job_id: UUID, token: int, end: AttemptEnd, **values: Any) -> Job | None:
    job = _change(session, job_id, token, **NO_LEASE, **values)
    if job is not None:
        job_attempts.end(session, token, end)
    return job


def _change(session: Session, job_id: UUID, token: int, **values: Any) -> Job | None:
    statement = (
        update(Job).where(Job.id == job_id, Job.lease_token == token, Job.state == "running").values(**values)
    )
    return _returned(session, statement)


def _returned(session: Session, statement: Any) -> Job | None:  # Update's type parameters do not fit
    statement = statement.returning(Job).execution_options(synchronize_session=False, populate_existing=True)
    job: Job | None = session.scalars(statement).one_or_none()
    return job


def _in(seconds: float) -> Any:  # an SQL expression
    return CLOCK + timedelta(seconds=seconds)


def _jitter(base_seconds: float, n_before: int) -> Any:  # an SQL expression
    """Return a random interval below a bound that doubles with each failure."""
    bound = min(base_seconds * 2.0**n_before, BACKOFF_SECONDS_MAX)
    return func.random() * timedelta(seconds=bound)
