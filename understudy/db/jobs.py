"""Rows of jobs, as callers read and change them. `understudy.db.leases` contains the statements of workers.

All times are from the database's `clock_timestamp()`, so that they do not depend on the clocks of processes.
Every change of state writes its event in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import exists, func, or_, select, update
from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import job_events, pages
from understudy.db.orm import CLOCK, Job, Report
from understudy.errors import Conflict, NotFound
from understudy.tracing import current_context

Json = dict[str, Any]

ACTIVE_STATES = ("queued", "running")
TERMINAL_STATES = ("succeeded", "failed", "cancelled")
# Version of the parameters' format, stored with each job. A worker claims only jobs of its own version.
PARAMETERS_VERSION = 2
# Names of the parameters that contain the ID of another row.
REFERENCES = ("dataset_id", "synthetic_dataset_id", "holdout_dataset_id", "model_id")


@dataclass(frozen=True)
class JobFilters:
    """Filters of a list of jobs, with IDs as text. Fields that are None or empty do not filter."""

    state: str | None = None
    kind: str | None = None
    dataset_id: str | None = None
    model_id: str | None = None
    labels: Mapping[str, str] | None = None


class MakingJob(Protocol):
    """The fields of a job that are needed to store its result.

    A row and a job kind's view of a job both have these fields.
    """

    @property
    def id(self) -> UUID: ...
    @property
    def project_id(self) -> UUID: ...
    @property
    def labels(self) -> Mapping[str, str]: ...


@dataclass(frozen=True)
class NewJob:
    """A job to be queued. The job expires if no worker claims it within `ttl_seconds`."""

    project_id: UUID
    kind: str
    parameters: Json
    labels: Mapping[str, str]
    ttl_seconds: float
    job_id: UUID | None = None
    queue: str = "default"
    priority: int = 0


def add(session: Session, new: NewJob) -> Job:
    """Add a queued job."""
    job = Job(
        id=new.job_id or ids.new_id(),
        project_id=new.project_id,
        kind=new.kind,
        parameters=new.parameters,
        parameters_version=PARAMETERS_VERSION,
        labels=dict(new.labels),
        queue=new.queue,
        priority=new.priority,
        expires_at=CLOCK + timedelta(seconds=new.ttl_seconds),
        trace_context=current_context(),
    )
    session.add(job)
    session.flush()
    session.refresh(job)
    job_events.add(session, job, "queued")
    return job


def get(session: Session, project_id: UUID, job_id: UUID) -> Job:
    """Return the current row of a job, or raise `NotFound`."""
    statement = select(Job).where(Job.id == job_id, Job.project_id == project_id)
    job = session.scalar(statement.execution_options(populate_existing=True))
    if job is None:
        raise _not_found(job_id)
    return job


def page(
    session: Session,
    project_id: UUID,
    *,
    filters: JobFilters | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> pages.Page[Job, UUID]:
    """Return jobs, newest first."""
    filters = filters or JobFilters()
    statement = select(Job).where(Job.project_id == project_id)
    if filters.state is not None:
        statement = statement.where(Job.state == filters.state)
    if filters.kind is not None:
        statement = statement.where(Job.kind == filters.kind)
    if filters.dataset_id is not None:
        statement = statement.where(_refers_to([filters.dataset_id]))
    if filters.model_id is not None:
        statement = statement.where(_refers_to([filters.model_id]))
    if filters.labels:
        statement = statement.where(Job.labels.contains(dict(filters.labels)))
    return pages.newest_first(session, statement, Job.id, after=after, limit=limit)


def active_on(session: Session, project_id: UUID, text_ids: Iterable[str]) -> list[Job]:
    """Return the queued and running jobs whose parameters refer to any of these datasets or models."""
    statement = select(Job).where(
        Job.project_id == project_id, Job.state.in_(ACTIVE_STATES), _refers_to(list(text_ids))
    )
    return list(session.scalars(statement))


def counts(session: Session, project_id: UUID) -> dict[str, int]:
    """Return the number of the project's jobs by state. States without jobs are omitted."""
    statement = select(Job.state, func.count()).where(Job.project_id == project_id).group_by(Job.state)
    return dict(session.execute(statement).all())


def count_queued(session: Session, project_id: UUID) -> int:
    """Return the number of the project's queued jobs."""
    statement = select(func.count()).where(Job.project_id == project_id, Job.state == "queued")
    return session.scalar(statement) or 0


def count_due(session: Session) -> dict[str, int]:
    """Return the number of jobs in the installation that a worker could claim now, by queue."""
    statement = (
        select(Job.queue, func.count())
        .where(Job.state == "queued", Job.run_after <= CLOCK)
        .group_by(Job.queue)
    )
    return dict(session.execute(statement).all())


def count_overdue(
    session: Session, queues: Collection[str] | None, age: timedelta, *, limit: int = 100
) -> int:
    """Return the number of jobs, of some or all queues, that have been claimable for longer than `age`.

    The count stops at `limit`, because a queue may be long.
    """
    due_since = func.greatest(Job.created_at, Job.run_after)
    overdue = select(Job.id).where(Job.state == "queued", Job.expires_at > CLOCK, due_since < CLOCK - age)
    if queues is not None:
        overdue = overdue.where(Job.queue.in_(queues))
    return session.scalar(select(func.count()).select_from(overdue.limit(limit).subquery())) or 0


def count_running(session: Session, worker: str | None = None) -> int:
    """Return the number of running jobs, of one worker or of all workers."""
    statement = select(func.count()).where(Job.state == "running")
    if worker is not None:
        statement = statement.where(Job.lease_owner == worker)
    return session.scalar(statement) or 0


def request_cancel(session: Session, project_id: UUID, job_id: UUID) -> Job:
    """Cancel a queued job immediately, or ask the worker of a running job to stop.

    Repeated calls have no effect.

    Raises
    ------
    NotFound
        If the project has no such job.
    Conflict
        If it has succeeded or failed.
    """
    job = _lock(session, project_id, job_id)
    if job.state in ("succeeded", "failed"):
        raise Conflict(
            f"Job {ids.to_text('job', job_id)} has already {job.state} and cannot be cancelled.",
            code="already_finished",
        )
    if job.state == "queued":
        job = _change(session, job, state="cancelled", cancel_requested_at=CLOCK, finished_at=CLOCK)
        job_events.add(session, job, "cancelled")
    elif job.state == "running" and job.cancel_requested_at is None:
        job = _change(session, job, cancel_requested_at=CLOCK)
        job_events.add(session, job, "cancel_requested")
    return job


def retry(session: Session, project_id: UUID, job_id: UUID, *, ttl_seconds: float) -> Job:
    """Begin a new round of a failed or cancelled job. No other function changes a terminal state.

    Raises
    ------
    NotFound
        If the project has no such job.
    Conflict
        If it is queued, running or succeeded, or its data was erased.
    """
    job = _lock(session, project_id, job_id)
    if job.state not in ("failed", "cancelled"):
        raise Conflict(
            f"Job {ids.to_text('job', job_id)} is {job.state}. Only failed or cancelled jobs can be retried.",
            code="not_retryable",
        )
    if job.erased_at is not None:
        raise Conflict(
            f"Job {ids.to_text('job', job_id)} cannot be retried, because data that it used or created was"
            " deleted. Create a new job.",
            code="not_retryable",
        )
    job = _change(
        session,
        job,
        state="queued",
        round=Job.round + 1,
        crashes=0,
        transient_failures=0,
        internal_errors=0,
        run_after=CLOCK,
        expires_at=CLOCK + timedelta(seconds=ttl_seconds),
        cancel_requested_at=None,
        progress=None,
        error_code=None,
        error_detail=None,
        started_at=None,
        finished_at=None,
    )
    job_events.add(session, job, "queued")
    return job


def erase(session: Session, project_id: UUID, job_ids: Iterable[UUID], text_ids: Iterable[str]) -> list[Job]:
    """Erase the data of the given jobs and of all jobs that refer to any of the given datasets or models.

    Jobs whose reports still exist keep their data. The caller cancels the returned jobs that are active.
    """
    has_report = exists().where(Report.job_id == Job.id)
    statement = (
        update(Job)
        .where(
            Job.project_id == project_id,
            Job.erased_at.is_(None),
            or_(Job.id.in_(list(job_ids)), _refers_to(list(text_ids)) & ~has_report),
        )
        .values(erased_at=CLOCK)
        .returning(Job)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return list(session.scalars(statement))


def _lock(session: Session, project_id: UUID, job_id: UUID) -> Job:
    statement = select(Job).where(Job.id == job_id, Job.project_id == project_id).with_for_update()
    job = session.scalar(statement.execution_options(populate_existing=True))
    if job is None:
        raise _not_found(job_id)
    return job


def _change(session: Session, job: Job, **values: Any) -> Job:
    # Every change of state is conditional on the previous state, even if the row is locked.
    statement = (
        update(Job)
        .where(Job.id == job.id, Job.state == job.state)
        .values(**values)
        .returning(Job)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return session.scalars(statement).one()


def _refers_to(text_ids: list[str]) -> Any:  # `Any` is an SQL condition.
    return or_(*(Job.parameters[name].astext.in_(text_ids) for name in REFERENCES))


def _not_found(job_id: UUID) -> NotFound:
    return NotFound(
        f"Job {ids.to_text('job', job_id)} does not exist in this project. "
        "Check the ID and the project of the API key."
    )
