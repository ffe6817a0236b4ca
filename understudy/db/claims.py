"""The claim of a job by a worker, and the rule that selects the job.

The function `claim_job` of migration 0013 contains the statement. It examines the projects that have queued
jobs in batches of 32, starting after the project that was served last. In each batch, projects that use the
fewest slots come first. If projects use the same number of slots, the one that has waited longest since its
last claim comes first. A project with many queued jobs therefore does not delay the jobs of other projects.
Within a project, jobs are ordered by priority and then by age, so a retried job keeps its position. Jobs that
another session is claiming are skipped, so workers never wait for each other.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from understudy.db import job_attempts, job_events
from understudy.db.jobs import PARAMETERS_VERSION_MAX, PARAMETERS_VERSION_MIN
from understudy.db.orm import CLOCK, FENCE, Job

CLAIM = text(
    "select * from claim_job("
    ":worker, :code_version, :kinds, :queues, :version_min, :version_max, :lease, :running_max)"
)


@dataclass(frozen=True)
class Claimant:
    """A worker that claims a job, with its code version and the kinds and queues that it serves.

    Parameters
    ----------
    running_jobs_max : int, optional
        Maximum number of running jobs for a project without its own limit. None means no limit.
    """

    worker: str
    code_version: str
    kinds: Collection[str]
    queues: Collection[str] = ("default",)
    running_jobs_max: int | None = None


def claim(session: Session, claimant: Claimant, *, lease_seconds: float) -> Job | None:
    """Claim the next due job that matches the claimant's kinds and queues, or return None.

    The job, its attempt and its event are written by one statement.
    """
    values = {
        "worker": claimant.worker,
        "code_version": claimant.code_version,
        "kinds": list(claimant.kinds),
        "queues": list(claimant.queues),
        "version_min": PARAMETERS_VERSION_MIN,
        "version_max": PARAMETERS_VERSION_MAX,
        "lease": timedelta(seconds=lease_seconds),
        "running_max": claimant.running_jobs_max,
    }
    statement = select(Job).from_statement(CLAIM).execution_options(populate_existing=True)
    return session.scalars(statement, values).one_or_none()


def claim_shard(session: Session, claimant: Claimant, parent_id: UUID, *, lease_seconds: float) -> Job | None:
    """Claim the next due shard of a job that the claimant is running, or return None.

    The limit of running jobs does not apply, because the claimant runs the shard in the job's slot. A shard
    that ran out of memory waits in another queue that only workers with more memory serve.
    """
    first = (
        select(Job.id)
        .where(
            Job.parent_id == parent_id,
            Job.state == "queued",
            Job.kind.in_(claimant.kinds),
            Job.queue.in_(claimant.queues),
            Job.run_after <= CLOCK,
            Job.expires_at > CLOCK,
            Job.parameters_version.between(PARAMETERS_VERSION_MIN, PARAMETERS_VERSION_MAX),
        )
        .order_by(Job.shard)
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
            lease_until=CLOCK + timedelta(seconds=lease_seconds),
            started_at=CLOCK,
            progress=None,
        )
        .returning(Job)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    job: Job | None = session.scalars(statement).one_or_none()
    if job is not None:
        job_attempts.add(session, job, code_version=claimant.code_version)
        job_events.add(session, job, "started")
    return job
