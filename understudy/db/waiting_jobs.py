"""Rows of jobs that wait for their inputs: they are queued, and their `run_after` equals `expires_at`."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from understudy.db import datasets, job_events, jobs, planned_results
from understudy.db.orm import CLOCK, Job

Json = dict[str, Any]


def is_waiting(session: Session, project_id: UUID, parameters: Json) -> bool:
    """Return whether a dataset or model that the parameters refer to is pending or planned.

    Raises
    ------
    NotFound
        If a dataset neither exists nor is planned.
    """
    planned = planned_results.find_planned(session, project_id, planned_results.inputs_of(parameters))
    existing = set(jobs.datasets_of(parameters)) - planned
    return datasets.are_pending(session, project_id, existing) or bool(planned)


def postpone(session: Session, job: Job) -> Job:
    """Make a queued job wait for its inputs. Only `make_due` makes it due before it expires."""
    return jobs.change(session, job, run_after=Job.expires_at)


def waiting_for(session: Session, project_id: UUID, text_ids: list[str]) -> list[Job]:
    """Lock and return the jobs that wait for any of the datasets or models, oldest first."""
    statement = (
        select(Job)
        .where(
            Job.project_id == project_id,
            Job.state == "queued",
            Job.run_after == Job.expires_at,
            jobs.refers_to(text_ids),
        )
        .order_by(Job.id)
        .with_for_update()
    )
    return list(session.scalars(statement.execution_options(populate_existing=True)))


def make_due(session: Session, job: Job, *, parameters: Json, queue: str) -> Job:
    """Make a waiting job due, with its resolved parameters."""
    return jobs.change(session, job, run_after=CLOCK, parameters=parameters, queue=queue)


def fail(session: Session, job: Job, *, code: str, detail: str) -> Job:
    """Set a waiting job to failed."""
    job = jobs.change(session, job, state="failed", error_code=code, error_detail=detail, finished_at=CLOCK)
    job_events.add(session, job, "failed", error_code=code)
    return job


def cancel(session: Session, job: Job, *, detail: str) -> Job:
    """Set a waiting job to cancelled."""
    values = {"state": "cancelled", "error_code": "cancelled", "error_detail": detail}
    job = jobs.change(session, job, cancel_requested_at=CLOCK, finished_at=CLOCK, **values)
    job_events.add(session, job, "cancelled")
    return job
