"""Rows of job events, in chronological order."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from understudy.db import pages
from understudy.db.orm import Job, JobEvent

TERMINAL_TYPES = ("succeeded", "failed", "cancelled")
TYPES = ("queued", "started", "retrying", "released", "lost", "cancel_requested", *TERMINAL_TYPES)


def add(session: Session, job: Job, type: str, **data: Any) -> None:  # noqa: A002 - the column's name
    """Add an event in the transaction that changes the job. `data` may contain only codes and numbers."""
    assert type in TYPES, type
    session.add(
        JobEvent(
            project_id=job.project_id,
            job_id=job.id,
            type=type,
            round=job.round,
            attempt=job.attempt,
            data=data,
        )
    )
    session.flush()


def page(
    session: Session, project_id: UUID, job_id: UUID, *, after: int | None = None, limit: int = 50
) -> pages.Page[JobEvent, int]:
    """Return the events of a job, oldest first, skipping the first `after` events.

    Callers refer to an event by its sequence number within the job. Unlike the row ID, the sequence number
    reveals nothing about the jobs of other projects.
    """
    # A job's row is locked while its events are written, so the event IDs follow the commit order. Individual
    # events are never deleted, so the offset of an event does not change.
    statement = (
        select(JobEvent)
        .where(JobEvent.project_id == project_id, JobEvent.job_id == job_id)
        .order_by(JobEvent.id)
        .offset(after or 0)
        .limit(limit + 1)
    )
    rows = list(session.scalars(statement))
    return pages.Page(rows[:limit], (after or 0) + limit if len(rows) > limit else None)
