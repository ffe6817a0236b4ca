"""Counts and sums over all projects, for metrics."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from understudy.db.orm import CLOCK, Artifact, Job, JobAttempt


@dataclass(frozen=True)
class AttemptTotals:
    """Attempts at one kind of job that ended with the same outcome."""

    kind: str
    outcome: str
    n_attempts: int
    seconds: float
    cpu_seconds: float


@dataclass(frozen=True)
class DueJobs:
    """The due jobs of a queue, and how long the oldest has been due."""

    queue: str
    n_jobs: int
    oldest_seconds: float


def count_jobs(session: Session) -> list[tuple[str, str, int]]:
    """Return the kind, the state and the number of jobs."""
    statement = select(Job.kind, Job.state, func.count()).group_by(Job.kind, Job.state)
    return [(kind, state, n) for kind, state, n in session.execute(statement)]


def due_jobs(session: Session) -> list[DueJobs]:
    """Return the due jobs of each queue that has any."""
    age = func.coalesce(func.extract("epoch", CLOCK - func.min(Job.run_after)), 0.0)
    statement = select(Job.queue, func.count(), age)
    statement = statement.where(Job.state == "queued", Job.run_after <= CLOCK, Job.expires_at > CLOCK)
    rows = session.execute(statement.group_by(Job.queue))
    return [DueJobs(queue, n, float(seconds or 0)) for queue, n, seconds in rows]


def attempt_totals(session: Session) -> list[AttemptTotals]:
    """Return the totals of ended attempts by kind and outcome."""
    durations = func.extract("epoch", JobAttempt.ended_at - JobAttempt.started_at)
    seconds = func.coalesce(func.sum(durations), 0.0)
    cpu_seconds = func.coalesce(func.sum(JobAttempt.cpu_seconds), 0.0)
    statement = (
        select(Job.kind, JobAttempt.outcome, func.count(), seconds, cpu_seconds)
        .join(Job, Job.id == JobAttempt.job_id)
        .where(JobAttempt.outcome.is_not(None))
        .group_by(Job.kind, JobAttempt.outcome)
    )
    return [
        AttemptTotals(kind, outcome or "", n, float(run or 0), float(cpu or 0))
        for kind, outcome, n, run, cpu in session.execute(statement)
    ]


def stored_bytes(session: Session) -> int:
    """Return the total size of all blobs that rows refer to."""
    return int(session.scalar(select(func.coalesce(func.sum(Artifact.size_bytes), 0))) or 0)
