"""Jobs that may have failed because of the service. Operators see these jobs without any data."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from understudy.db.orm import Job, Project
from understudy.errors import NotFound


@dataclass(frozen=True)
class DeadLetter:
    """A failed job, without its parameters, labels and error detail."""

    job_id: UUID
    project: str
    kind: str
    error_code: str | None
    n_attempts: int
    failed_at: datetime | None


def newest(
    session: Session, error_codes: Collection[str], *, project: str | None = None, limit: int = 100
) -> list[DeadLetter]:
    """Return the jobs that failed with one of the codes and can be retried, newest first.

    Parameters
    ----------
    project : str, optional
        Name of the projects to include. None means all projects.
    """
    statement = (
        select(Job.id, Project.name, Job.kind, Job.error_code, Job.attempt, Job.finished_at)
        .join(Project, Project.id == Job.project_id)
        .where(Job.state == "failed", Job.error_code.in_(error_codes), Job.erased_at.is_(None))
        .order_by(Job.finished_at.desc())
        .limit(limit)
    )
    if project is not None:
        statement = statement.where(Project.name == project)
    return [DeadLetter(*row) for row in session.execute(statement)]


def project_of(session: Session, job_id: UUID) -> UUID:
    """Return the ID of a job's project, or raise `NotFound`."""
    project_id = session.scalar(select(Job.project_id).where(Job.id == job_id))
    if project_id is None:
        raise NotFound("No job has this ID. `understudy dead-letters` lists the failed jobs.")
    return project_id
