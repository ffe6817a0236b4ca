"""Jobs that wait for their inputs, such as a `train` job right after an upload, or the jobs of a pipeline.

A waiting job is queued but not due: no worker claims it, because its `run_after` is its expiry time. When its
last dataset is ready and its model exists, its parameters are resolved and it becomes due. If an input cannot
be created, the job ends too.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from understudy.db import waiting_jobs
from understudy.errors import Unavailable, UnderstudyError
from understudy.parameters.base import STORED_APART
from understudy.resources import Resources
from understudy.services.job_records import abandon_job, parameters_of
from understudy.services.jobs import queue_of, resolve

if TYPE_CHECKING:
    from understudy.db.orm import Job


def release_waiting(resources: Resources, session: Session, made_by: Job) -> set[str]:
    """Make the jobs that waited for the result of a job due, and return their queues.

    Call this function in the transaction that ends the job, after the job has ended.
    """
    result = made_by.result or {}
    made = [result[name] for name in ("dataset_id", "model_id") if name in result]
    project_id = made_by.project_id
    queues = set()
    for job in waiting_jobs.waiting_for(session, project_id, made) if made else ():
        if not waiting_jobs.is_waiting(session, project_id, job.parameters):
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
