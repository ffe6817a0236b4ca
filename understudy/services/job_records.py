"""From a row of `jobs` to its kind, and what its kind wants to know of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.orm import Session

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
    """Return the kind of a job; its parameters' type is known to the kind alone."""
    return KINDS[row.kind]


def parameters_of(row: Job) -> JobParameters:
    """Return the parameters as they were resolved."""
    parameters: JobParameters = kind_of(row).parameters.model_validate(row.parameters)
    return parameters


def facts_of(row: Job) -> JobContext:
    """Return what a kind may know of the job."""
    return JobContext(id=row.id, project_id=row.project_id, labels=row.labels)


def limits_of(limits: ResourceLimits) -> Limits:
    """Return the limits that parameters are checked against."""
    return Limits(
        upload_bytes_max=limits.upload_bytes_max,
        dataset_rows_max=limits.dataset_rows_max,
        dataset_columns_max=limits.dataset_columns_max,
        sample_rows_max=limits.sample_rows_max,
    )


def needs_of(session: Session, project_id: UUID, parameters: JobParameters) -> Needs:
    """Return what the work of a job needs of its worker."""
    kind: Any = KINDS[parameters.kind]
    needs: Needs = kind.needs(session, project_id, parameters)
    return needs


def abandon_job(session: Session, row: Job) -> None:
    """Let the kind settle what waited for a job that has failed or was cancelled; else do nothing."""
    if row.state not in ("failed", "cancelled"):
        return
    code = row.error_code or "cancelled"
    detail = row.error_detail or f"{CODES[code]}."
    try:
        with session.begin_nested():
            kind = kind_of(row)
            if kind.abandon is not None:
                kind.abandon(session, facts_of(row), parameters_of(row), code, detail)
    except Unavailable:
        raise
    except Exception:  # a bug here must keep neither this job nor those behind it from their end
        logger.exception("job_not_abandoned", kind=row.kind)
