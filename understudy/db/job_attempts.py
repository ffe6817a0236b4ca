"""Attempt rows, one for each claim of a job."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from understudy.db.orm import CLOCK, Job, JobAttempt


@dataclass(frozen=True)
class AttemptEnd:
    """The outcome of an attempt, and the resources that it used, if known."""

    outcome: str
    error_code: str | None = None
    exit_signal: int | None = None
    peak_memory_bytes: int | None = None
    cpu_seconds: float | None = None


def add(session: Session, job: Job, *, code_version: str) -> None:
    """Add the attempt of a job that has just been claimed."""
    assert job.lease_token is not None
    assert job.lease_owner is not None
    session.add(
        JobAttempt(
            job_id=job.id,
            attempt=job.attempt,
            project_id=job.project_id,
            token=job.lease_token,
            worker=job.lease_owner,
            code_version=code_version,
        )
    )
    session.flush()


def end(session: Session, token: int, attempt_end: AttemptEnd) -> None:
    """Store the end of the attempt with this token."""
    statement = (
        update(JobAttempt)
        .where(JobAttempt.token == token, JobAttempt.ended_at.is_(None))
        .values(
            ended_at=CLOCK,
            outcome=attempt_end.outcome,
            error_code=attempt_end.error_code,
            exit_signal=attempt_end.exit_signal,
            peak_memory_bytes=attempt_end.peak_memory_bytes,
            cpu_seconds=attempt_end.cpu_seconds,
        )
        .execution_options(synchronize_session=False)
    )
    session.execute(statement)


def of_job(session: Session, project_id: UUID, job_id: UUID) -> list[JobAttempt]:
    """Return the attempts of a job, in order."""
    statement = select(JobAttempt).where(JobAttempt.project_id == project_id, JobAttempt.job_id == job_id)
    return list(session.scalars(statement.order_by(JobAttempt.attempt)))


def of_shards(session: Session, project_id: UUID, job_id: UUID) -> list[tuple[int, JobAttempt]]:
    """Return the attempts for a job's shards in order, each with its shard number."""
    statement = (
        select(Job.shard, JobAttempt)
        .join(Job, Job.id == JobAttempt.job_id)
        .where(JobAttempt.project_id == project_id, Job.parent_id == job_id)
        .order_by(Job.shard, JobAttempt.attempt)
    )
    return [(shard, attempt) for shard, attempt in session.execute(statement) if shard is not None]


def outcome(session: Session, token: int) -> str | None:
    """Return the outcome of the attempt with this token, or None if it has not ended or does not exist."""
    return session.scalar(select(JobAttempt.outcome).where(JobAttempt.token == token))


def running(session: Session, tokens: Iterable[int]) -> set[int]:
    """Return the tokens of attempts that have not ended."""
    statement = select(JobAttempt.token).where(
        JobAttempt.token.in_(list(tokens)), JobAttempt.ended_at.is_(None)
    )
    return set(session.scalars(statement))


def in_use(session: Session, tokens: Iterable[int], grace: timedelta) -> set[int]:
    """Return the tokens of attempts that are running or ended less than `grace` ago."""
    is_recent = JobAttempt.ended_at.is_(None) | (JobAttempt.ended_at > CLOCK - grace)
    return set(session.scalars(select(JobAttempt.token).where(JobAttempt.token.in_(list(tokens)), is_recent)))
