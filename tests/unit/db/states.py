"""Helpers that bring a job into each of its states with the statements under test."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy.orm import Session, sessionmaker

from tests.rows import new_job
from understudy.db import claims, jobs, leases, projects
from understudy.db.job_attempts import AttemptEnd
from understudy.db.orm import Job

KINDS = ("probe",)
LEASE_SECONDS = 60.0
TTL_SECONDS = 3600.0
STATES = ("queued", "running", "succeeded", "failed", "cancelled")
Sessions = sessionmaker[Session]


def add_project(sessions: Sessions) -> UUID:
    """Add a project."""
    with sessions.begin() as session:
        return projects.add(session, "tests").id


def add_job(
    sessions: Sessions, project_id: UUID, *, ttl_seconds: float = TTL_SECONDS, priority: int = 0
) -> Job:
    """Add a queued job."""
    with sessions.begin() as session:
        return jobs.add(session, new_job(project_id, ttl_seconds=ttl_seconds, priority=priority))


def claim(sessions: Sessions, *, lease_seconds: float = LEASE_SECONDS) -> Job | None:
    """Claim the first job in the queue."""
    with sessions.begin() as session:
        return claims.claim(session, claims.Claimant("worker@test", "1", KINDS), lease_seconds=lease_seconds)


def claimed(sessions: Sessions, *, lease_seconds: float = LEASE_SECONDS) -> tuple[UUID, int]:
    """Claim the first queued job, which must exist, and return its ID and token."""
    job = claim(sessions, lease_seconds=lease_seconds)
    assert job is not None
    assert job.lease_token is not None
    return job.id, job.lease_token


def job_in(sessions: Sessions, project_id: UUID, state: str) -> tuple[UUID, int]:
    """Return the ID and the last token of a new job in a given state. An unclaimed job has the token 0."""
    job = add_job(sessions, project_id)
    if state == "queued":
        return job.id, 0
    job_id, token = claimed(sessions)
    with sessions.begin() as session:
        if state == "succeeded":
            leases.finish(session, job_id, token, result={}, end=AttemptEnd("succeeded"))
        elif state == "failed":
            leases.fail(
                session, job_id, token, error=leases.JobError("no_rows", "None."), end=AttemptEnd("failed")
            )
        elif state == "cancelled":
            jobs.request_cancel(session, project_id, job_id)
            leases.cancel(session, job_id, token, AttemptEnd("cancelled"))
    return job_id, token


def read(sessions: Sessions, project_id: UUID, job_id: UUID) -> Job:
    """Return the current row of a job."""
    with sessions() as session:
        return jobs.get(session, project_id, job_id)
