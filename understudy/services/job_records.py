"""Convert rows of the `jobs` table to the types that job kinds use."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import datasets, planned_results, waiting_jobs
from understudy.errors import CODES, Unavailable
from understudy.job_kinds import KINDS
from understudy.job_kinds.base import JobContext, JobKind, Limits
from understudy.logs import get_logger
from understudy.parameters.base import JobParameters
from understudy.parameters.needs import Needs
from understudy.resources import ResourceLimits

if TYPE_CHECKING:
    from understudy.db.orm import Job

logger = get_logger(__name__)


def kind_of(row: Job) -> JobKind[Any]:
    """Return the kind of a job, which determines the type of the job's parameters."""
    return KINDS[row.kind]


def parameters_of(row: Job) -> JobParameters:
    """Return the resolved parameters of a job."""
    parameters: JobParameters = kind_of(row).parameters.model_validate(row.parameters)
    return parameters


def facts_of(row: Job) -> JobContext:
    """Return the properties of a job that are passed to its kind."""
    return JobContext(id=row.id, project_id=row.project_id, labels=row.labels, planned_id=row.planned_id)


def limits_of(limits: ResourceLimits) -> Limits:
    """Return the limits that parameters are checked against."""
    return Limits(
        upload_bytes_max=limits.upload_bytes_max,
        dataset_rows_max=limits.dataset_rows_max,
        dataset_columns_max=limits.dataset_columns_max,
        sample_rows_max=limits.sample_rows_max,
    )


def needs_of(session: Session, project_id: UUID, parameters: JobParameters) -> Needs:
    """Return the requirements that a job places on its worker."""
    kind: Any = KINDS[parameters.kind]
    needs: Needs = kind.needs(session, project_id, parameters)
    return needs


def abandon_job(session: Session, row: Job) -> None:
    """Update the rows and end the jobs that waited for a job, if it has failed or was cancelled."""
    # The rows of an erased job are deleted.
    if row.state not in ("failed", "cancelled") or row.erased_at is not None:
        return
    code = row.error_code or "cancelled"
    detail = row.error_detail or f"{CODES[code]}."
    try:
        with session.begin_nested():
            kind = kind_of(row)
            if kind.abandon is not None:
                kind.abandon(session, facts_of(row), parameters_of(row), code, detail)
            _end_waiting(session, row, detail)
    except Unavailable:
        raise
    except Exception:  # An error here must not keep this job or later jobs from being marked as finished.
        logger.exception("job_not_abandoned", kind=row.kind)


def _end_waiting(session: Session, row: Job, detail: str) -> None:
    """End the jobs that waited for a result that was not created."""
    if row.planned_id is not None:
        _end_pipeline(session, row)
        return
    dataset_id = datasets.of_job(session, row.project_id, row.id)
    if dataset_id is None:
        return
    text = ids.to_text("dataset", dataset_id)
    for job in waiting_jobs.waiting_for(session, row.project_id, [text]):
        if job.state != "queued":
            # It is a later stage of a pipeline whose first stage has just ended.
            continue
        waiting_jobs.fail(
            session, job, code="not_ready", detail=f"Dataset {text} could not be read: {detail}"
        )
        _end_pipeline(session, job)


def _end_pipeline(session: Session, row: Job) -> None:
    """End the later stages of a pipeline.

    They are cancelled if this stage was cancelled, and fail otherwise.
    """
    texts = planned_results.text_ids_of([row.planned_id])
    stage = f"Job {ids.to_text('job', row.id)} ({row.kind}), whose result this job needs,"
    for job in waiting_jobs.waiting_for(session, row.project_id, texts) if texts else ():
        if row.state == "cancelled":
            detail = f"{stage} was cancelled. Retry that job, then retry this one."
            waiting_jobs.cancel(session, job, detail=detail)
        else:
            detail = f"{stage} has failed. Read its `error` field, retry that job, then retry this one."
            waiting_jobs.fail(session, job, code="not_ready", detail=detail)
        _end_pipeline(session, job)
