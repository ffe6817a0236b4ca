"""Rows of jobs, as callers read and change them. `understudy.db.leases` contains the statements of workers.

All times come from the database's `clock_timestamp()`, so they do not depend on the clocks of processes.
Every state change writes its event in the same transaction.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import ColumnElement, exists, func, or_, select, true, update
from sqlalchemy.orm import Session, aliased

from understudy import ids
from understudy.db import job_events, pages
from understudy.db.orm import CLOCK, Job, Project, Report
from understudy.db.pages import ANY_TIME, CreatedBetween
from understudy.errors import Conflict, NotFound
from understudy.tracing import current_context

Json = dict[str, Any]

ACTIVE_STATES = ("queued", "running")
TERMINAL_STATES = ("succeeded", "failed", "cancelled")
# Version of the parameters' format, stored with each job, and the versions that this code can run. A job
# whose result has a planned ID has the newest version because earlier workers would ignore this ID.
PARAMETERS_VERSION = 2
PARAMETERS_VERSION_PLANNED = 3
PARAMETERS_VERSION_MIN = 2
PARAMETERS_VERSION_MAX = 3
# Maximum number of overdue jobs that are counted.
OVERDUE_MAX = 100
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
    created: CreatedBetween = ANY_TIME


class MakingJob(Protocol):
    """The fields of a job that are needed to store its result.

    Both the database row and the view that job kinds receive have these fields.
    """

    @property
    def id(self) -> UUID: ...
    @property
    def project_id(self) -> UUID: ...
    @property
    def labels(self) -> Mapping[str, str]: ...
    @property
    def planned_id(self) -> UUID | None: ...


@dataclass(frozen=True)
class NewJob:
    """A job to be queued. The job expires if no worker claims it within `ttl_seconds`.

    Parameters
    ----------
    planned_id : UUID, optional
        ID of the model or dataset that the job will create. Jobs that refer to this ID wait for it.
    pipeline_id : UUID, optional
        ID of the pipeline that the job belongs to.
    """

    project_id: UUID
    kind: str
    parameters: Json
    labels: Mapping[str, str]
    ttl_seconds: float
    job_id: UUID | None = None
    queue: str = "default"
    priority: int = 0
    planned_id: UUID | None = None
    pipeline_id: UUID | None = None


def add(session: Session, new: NewJob) -> Job:
    """Add a queued job."""
    job = Job(
        id=new.job_id or ids.new_id(),
        project_id=new.project_id,
        kind=new.kind,
        parameters=new.parameters,
        parameters_version=PARAMETERS_VERSION if new.planned_id is None else PARAMETERS_VERSION_PLANNED,
        labels=dict(new.labels),
        queue=new.queue,
        priority=new.priority,
        expires_at=CLOCK + timedelta(seconds=new.ttl_seconds),
        trace_context=current_context(),
        planned_id=new.planned_id,
        pipeline_id=new.pipeline_id,
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
    """Return jobs, newest first. Shards are not listed."""
    filters = filters or JobFilters()
    statement = select(Job).where(Job.project_id == project_id, Job.parent_id.is_(None))
    if filters.state is not None:
        statement = statement.where(Job.state == filters.state)
    if filters.kind is not None:
        statement = statement.where(Job.kind == filters.kind)
    if filters.dataset_id is not None:
        statement = statement.where(refers_to([filters.dataset_id]))
    if filters.model_id is not None:
        statement = statement.where(refers_to([filters.model_id]))
    if filters.labels:
        statement = statement.where(Job.labels.contains(dict(filters.labels)))
    statement = filters.created.narrow(statement, Job.created_at)
    return pages.newest_first(session, statement, Job.id, after=after, limit=limit)


def datasets_of(parameters: Json) -> list[UUID]:
    """Return the IDs of the datasets that a job's parameters refer to."""
    texts = (parameters.get(name) for name in REFERENCES if name != "model_id")
    return [ids.from_text("dataset", text) for text in texts if text is not None]


def set_labels(session: Session, job: Job, labels: Mapping[str, str]) -> None:
    """Replace the labels of a locked job."""
    job.labels = dict(labels)
    session.flush()


def active_on(session: Session, project_id: UUID, text_ids: Iterable[str]) -> list[Job]:
    """Return the queued and running jobs whose parameters refer to any of these datasets or models."""
    statement = select(Job).where(
        Job.project_id == project_id,
        Job.parent_id.is_(None),
        Job.state.in_(ACTIVE_STATES),
        refers_to(list(text_ids)),
    )
    return list(session.scalars(statement))


def counts(session: Session, project_id: UUID) -> dict[str, int]:
    """Return the number of the project's jobs in each state. States without jobs are omitted."""
    statement = select(Job.state, func.count()).where(Job.project_id == project_id, Job.parent_id.is_(None))
    return dict(session.execute(statement.group_by(Job.state)).all())


def count_queued(session: Session, project_id: UUID) -> int:
    """Return the number of the project's queued jobs without shards, which do not count toward the limit."""
    statement = select(func.count()).where(
        Job.project_id == project_id, Job.parent_id.is_(None), Job.state == "queued"
    )
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
    session: Session,
    queues: Collection[str],
    age: timedelta,
    *,
    running_jobs_max: int | None,
    in_other_queues: bool = False,
) -> int:
    """Return the number of jobs that have been claimable for longer than `age`.

    If a project has reached its maximum number of running jobs, only the shards of these jobs are counted.
    The count stops at `OVERDUE_MAX` because a queue may be long.

    Parameters
    ----------
    queues : collection of str
        Queues to count jobs in.
    running_jobs_max : int, optional
        Maximum number of running jobs for a project without its own limit.
    in_other_queues : bool
        Whether to count the jobs of all queues except `queues`.
    """
    n_max = func.coalesce(Project.running_jobs_max, running_jobs_max)
    # A split job counts as one running job.
    is_running = (Job.state == "running") & Job.parent_id.is_(None)
    n_running = select(func.count()).where(Job.project_id == Project.id, is_running)
    busy = select(Project.id).where(n_max <= n_running.scalar_subquery())
    parent = aliased(Job)
    due_since = func.greatest(Job.created_at, Job.run_after)
    overdue = select(Job.id).where(
        Job.state == "queued",
        Job.expires_at > CLOCK,
        due_since < CLOCK - age,
        Job.queue.not_in(queues) if in_other_queues else Job.queue.in_(queues),
        Job.project_id.not_in(busy) | Job.parent_id.in_(select(parent.id).where(parent.state == "running")),
    )
    return session.scalar(select(func.count()).select_from(overdue.limit(OVERDUE_MAX).subquery())) or 0


def count_running(session: Session, worker: str | None = None) -> int:
    """Return the number of jobs that are running on one worker or on all workers.

    A job with shards is not counted, because its worker also runs the shards.
    """
    shard = aliased(Job)
    has_shards = exists().where(shard.parent_id == Job.id)
    statement = select(func.count()).where(Job.state == "running", ~has_shards)
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
        If the job has succeeded or failed.
    """
    job = lock(session, project_id, job_id)
    if job.state in ("succeeded", "failed"):
        raise Conflict(
            f"Job {ids.to_text('job', job_id)} has already {job.state}, so it cannot be cancelled. "
            "No action is needed.",
            code="already_finished",
        )
    if job.state == "queued":
        job = change(session, job, state="cancelled", cancel_requested_at=CLOCK, finished_at=CLOCK)
        job_events.add(session, job, "cancelled")
    elif job.state == "running" and job.cancel_requested_at is None:
        job = change(session, job, cancel_requested_at=CLOCK)
        job_events.add(session, job, "cancel_requested")
    cancel_shards(session, job)
    return job


def cancel_shards(session: Session, job: Job) -> None:
    """Cancel the active shards of a job."""
    statement = select(Job).where(Job.parent_id == job.id, Job.state.in_(ACTIVE_STATES)).order_by(Job.id)
    for shard in session.scalars(statement).all():
        # The shard may have ended before it is locked.
        if lock(session, shard.project_id, shard.id).state in ACTIVE_STATES:
            request_cancel(session, shard.project_id, shard.id)


def retry(session: Session, project_id: UUID, job_id: UUID, *, ttl_seconds: float) -> Job:
    """Begin a new round of a failed or cancelled job. No other function changes a terminal state.

    Raises
    ------
    NotFound
        If the project has no such job.
    Conflict
        If the job is queued, running or succeeded, or its data was erased.
    """
    job = lock(session, project_id, job_id)
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
    job = change(
        session,
        job,
        state="queued",
        round=Job.round + 1,
        crashes=0,
        transient_failures=0,
        internal_errors=0,
        memory_failures=0,
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
    is_chosen = or_(
        Job.id.in_(list(job_ids)),
        Job.parent_id.in_(list(job_ids)),
        refers_to(list(text_ids)) & ~has_report,
    )
    return _erase(session, project_id, is_chosen)


def erase_all(session: Session, project_id: UUID) -> list[Job]:
    """Erase the data of all jobs of a project. The caller cancels the returned jobs that are active."""
    return _erase(session, project_id, true())


def _erase(session: Session, project_id: UUID, is_chosen: ColumnElement[bool]) -> list[Job]:
    statement = (
        update(Job)
        .where(Job.project_id == project_id, Job.erased_at.is_(None), is_chosen)
        .values(erased_at=CLOCK)
        .returning(Job)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return list(session.scalars(statement))


def lock(session: Session, project_id: UUID, job_id: UUID) -> Job:
    """Lock and return a job, or raise `NotFound`."""
    statement = select(Job).where(Job.id == job_id, Job.project_id == project_id).with_for_update()
    job = session.scalar(statement.execution_options(populate_existing=True))
    if job is None:
        raise _not_found(job_id)
    return job


def change(session: Session, job: Job, **values: Any) -> Job:
    """Change a locked job and return it. Only modules of this package call this function."""
    # Every change of state is conditional on the previous state, even if the row is locked.
    statement = (
        update(Job)
        .where(Job.id == job.id, Job.state == job.state)
        .values(**values)
        .returning(Job)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    return session.scalars(statement).one()


def refers_to(text_ids: list[str]) -> Any:  # `Any` is an SQL condition.
    """Return an SQL condition for jobs with parameters that refer to any of the datasets or models."""
    return or_(*(Job.parameters[name].astext.in_(text_ids) for name in REFERENCES))


def _not_found(job_id: UUID) -> NotFound:
    return NotFound(
        f"Job {ids.to_text('job', job_id)} does not exist in this project. "
        "Check the ID and the project of the API key."
    )
