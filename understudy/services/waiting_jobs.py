"""Jobs that wait for datasets that are still being read, such as a `train` job right after an upload.

A waiting job is queued but not due: no worker claims it, because its `run_after` is its expiry time. When its
last dataset is ready, its parameters are resolved and it becomes due. If a dataset cannot be read, the job
fails.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.orm import Session

from understudy.db import datasets, jobs, waiting_jobs
from understudy.errors import Unavailable, UnderstudyError
from understudy.parameters.base import STORED_APART
from understudy.resources import Resources
from understudy.services.job_records import abandon_job, parameters_of
from understudy.services.jobs import queue_of, resolve

if TYPE_CHECKING:
    from understudy.db.orm import Job

Json = dict[str, Any]


def release_waiting(resources: Resources, session: Session, project_id: UUID, dataset_id: str) -> set[str]:
    """Make the jobs that waited for a dataset due, and return their queues.

    Call this function in the transaction that marks the dataset as ready.
    """
    queues = set()
    for job in waiting_jobs.waiting_for(session, project_id, dataset_id):
        if not datasets.are_pending(session, project_id, jobs.datasets_of(job.parameters)):
            _prepare(resources, session, job)
            queues.add(job.queue)
    return queues


def _prepare(resources: Resources, session: Session, job: Job) -> None:
    """Resolve the parameters of a waiting job and make it due, or set it to failed if they are invalid."""
    try:
        resolved = resolve(resources, session, job.project_id, parameters_of(job))
    except Unavailable:
        raise
    except UnderstudyError as error:
        waiting_jobs.fail(session, job, code=error.code, detail=error.detail)
        abandon_job(session, job)
        return
    stored = resolved.model_dump(mode="json", exclude=STORED_APART)
    queue = queue_of(resources, session, job.project_id, resolved)
    waiting_jobs.make_due(session, job, parameters=stored, queue=queue)
