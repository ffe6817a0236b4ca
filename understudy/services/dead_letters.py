"""Operators' use cases for failed jobs in all projects."""

from __future__ import annotations

from uuid import UUID

from understudy.db import datasets, dead_letters, jobs
from understudy.db.dead_letters import DeadLetter
from understudy.resources import Resources
from understudy.services.failure_classes import DEAD_LETTER_CODES


def list_dead_letters(
    resources: Resources, *, project: str | None = None, limit: int = 100
) -> list[DeadLetter]:
    """Return the jobs that may have failed because of the service, newest first."""
    with resources.sessions() as session:
        return dead_letters.newest(session, DEAD_LETTER_CODES, project=project, limit=limit)


def requeue_job(resources: Resources, job_id: UUID) -> None:
    """Begin a new round of a failed or cancelled job, even if the project has many queued jobs.

    Raises
    ------
    NotFound
        If no project has a job with this ID.
    Conflict
        If the job is queued, running or succeeded, or its data was erased.
    """
    with resources.sessions.begin() as session:
        project_id = dead_letters.project_of(session, job_id)
        job = jobs.retry(session, project_id, job_id, ttl_seconds=resources.settings.job_ttl_seconds)
        datasets.reopen(session, project_id, job_id)
    resources.queue.ring(queue=job.queue)
