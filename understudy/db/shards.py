"""Rows of shards. A shard is a job for a part of another job, its parent. Callers see only the parent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session, aliased

from understudy import ids
from understudy.db import job_events, jobs
from understudy.db.orm import CLOCK, Artifact, Job

Json = dict[str, Any]


@dataclass(frozen=True)
class ShardProgress:
    """Counts of all shards, of succeeded shards, and of rows that running shards have processed."""

    n_shards: int
    n_succeeded: int
    n_rows_running: int


def add_missing(
    session: Session, parent: Job, parameters: Mapping[int, Json], *, ttl_seconds: float
) -> list[Job]:
    """Add the shards of a job that has none yet, and return them.

    All shards are added in one transaction. Existing shards are kept, even if the setting for the number of
    rows per shard has changed. If the parent was retried, its failed and cancelled shards are queued again.
    The caller holds the lock of the parent. Shards get the creation time of their parent plus their number in
    microseconds. They are therefore claimed in order, at the parent's position in the queue.
    """
    existing = of_job(session, parent)
    for shard in existing:
        if shard.state in ("failed", "cancelled") and shard.round < parent.round:
            jobs.retry(session, shard.project_id, shard.id, ttl_seconds=ttl_seconds)
    added = [
        Job(
            id=ids.new_id(),
            project_id=parent.project_id,
            kind=parameters[number]["kind"],
            parameters=parameters[number],
            parameters_version=jobs.PARAMETERS_VERSION,
            queue=parent.queue,
            priority=parent.priority,
            created_at=parent.created_at + timedelta(microseconds=number),
            expires_at=CLOCK + timedelta(seconds=ttl_seconds),
            parent_id=parent.id,
            shard=number,
        )
        for number in sorted(() if existing else parameters)
    ]
    session.add_all(added)
    session.flush()
    for job in added:
        session.refresh(job)
        job_events.add(session, job, "queued")
    return added


def of_job(session: Session, parent: Job) -> list[Job]:
    """Return the shards of a job, in order."""
    statement = select(Job).where(Job.parent_id == parent.id).order_by(Job.shard)
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def progress(session: Session, parent: Job) -> ShardProgress:
    """Return the progress of a job's shards."""
    n_rows = Job.progress["rows_done"].as_integer()
    is_running = Job.state == "running"
    statement = select(
        func.count(),
        func.count().filter(Job.state == "succeeded"),
        func.coalesce(func.sum(n_rows).filter(is_running), 0),
    ).where(Job.parent_id == parent.id)
    n_shards, n_succeeded, n_rows_running = session.execute(statement).one()
    return ShardProgress(n_shards, n_succeeded, int(n_rows_running))


def first_failure(session: Session, parent: Job) -> Job | None:
    """Return a shard that has failed or was cancelled, or None."""
    statement = select(Job).where(Job.parent_id == parent.id, Job.state.in_(("failed", "cancelled")))
    return session.scalar(statement.order_by(Job.finished_at).limit(1))


def adopt_artifacts(session: Session, parent: Job, role: str) -> list[Artifact]:
    """Turn the shards' files into parts of one file of their parent, and return the parts in order."""
    shard = aliased(Job)
    rows = session.execute(
        select(Artifact, shard.shard)
        .join(shard, shard.id == Artifact.job_id)
        .where(shard.parent_id == parent.id, Artifact.role == role)
        .order_by(shard.shard)
    ).all()
    for artifact, number in rows:
        assert number is not None
        session.execute(
            update(Artifact)
            .where(Artifact.id == artifact.id)
            .values(job_id=parent.id, role=part_role(role, number))
        )
    return [artifact for artifact, _ in rows]


def part_role(role: str, number: int) -> str:
    """Return the role for one part of a file. Sorting by role puts the parts in order."""
    return f"{role}_part_{number:06d}"


def delete_old(session: Session, age: timedelta) -> None:
    """Delete the shards of jobs that ended longer ago than `age`. The sweep then finds their blobs."""
    parent = aliased(Job)
    ended = select(parent.id).where(parent.finished_at < CLOCK - age)
    session.execute(
        delete(Job)
        .where(Job.parent_id.in_(ended), Job.state.in_(jobs.TERMINAL_STATES))
        .execution_options(synchronize_session=False)
    )
