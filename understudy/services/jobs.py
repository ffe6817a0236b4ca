"""Use cases of jobs for callers: submit, validate, cancel and retry.

`job_runs` contains the execution of jobs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import datasets, erasures, idempotency, jobs, pipelines, waiting_jobs
from understudy.db.jobs import NewJob
from understudy.db.session import transaction_failpoint
from understudy.errors import NotFound, TooLarge, TooManyRequests
from understudy.failpoints import failpoint
from understudy.job_kinds import KINDS
from understudy.job_kinds.base import Estimate
from understudy.parameters.base import STORED_APART, JobParameters
from understudy.parameters.needs import DEFAULT_QUEUE, LARGE_QUEUE
from understudy.resources import Resources
from understudy.services.job_records import abandon_job, limits_of, needs_of, parameters_of

if TYPE_CHECKING:
    from understudy.db.orm import Job


@dataclass(frozen=True)
class PipelinePlace:
    """The place of a job in a pipeline.

    Parameters
    ----------
    planned_id : UUID or None
        ID that the job will give to its result, so that other jobs can wait for it.
    """

    pipeline_id: UUID | None
    planned_id: UUID | None


NO_PIPELINE = PipelinePlace(None, None)


def submit_job(
    resources: Resources,
    project_id: UUID,
    parameters: JobParameters,
    *,
    idempotency_key: str | None = None,
) -> Job:
    """Add a job and, after the commit, send the workers a message without content.

    If a dataset of the job is still being read, or its model is still being trained by a pipeline, the job
    waits for it (`waiting_jobs`).

    Parameters
    ----------
    idempotency_key : str, optional
        A key that `idempotency.begin` has marked. If an interrupted request with the same key has added a
        job, that job is returned and no job is added.

    Raises
    ------
    NotFound, Conflict, InvalidInput, TooLarge
        If the kind's `resolve` rejects the parameters.
    TooManyRequests
        If the project has reached its limit of queued jobs.
    """
    with resources.sessions.begin() as session:
        earlier = find_earlier(session, project_id, idempotency_key)
        if earlier is not None:
            return earlier
        check_quota(resources, session, project_id)
        job = add_job(resources, session, project_id, parameters)
        remember(session, job, idempotency_key)
        transaction_failpoint(session, "submit.before_commit")
    failpoint("submit.after_commit")
    resources.queue.ring(queue=job.queue)
    failpoint("submit.after_ring")
    return job


def add_job(
    resources: Resources,
    session: Session,
    project_id: UUID,
    parameters: JobParameters,
    *,
    place: PipelinePlace = NO_PIPELINE,
) -> Job:
    """Add a job in a transaction of the caller, and raise the same errors as `submit_job`.

    Parameters
    ----------
    place : PipelinePlace, optional
        Place of the job in a pipeline.
    """
    sent = parameters.model_dump(mode="json", exclude=STORED_APART)
    is_waiting = waiting_jobs.is_waiting(session, project_id, sent)
    resolved = parameters if is_waiting else resolve(resources, session, project_id, parameters)
    stored_parameters = resolved.model_dump(mode="json", exclude=STORED_APART)
    _hold_references(session, project_id, stored_parameters)
    new = NewJob(
        project_id=project_id,
        kind=resolved.kind,
        parameters=stored_parameters,
        labels=resolved.labels,
        queue=DEFAULT_QUEUE if is_waiting else queue_of(resources, session, project_id, resolved),
        priority=resolved.priority,
        ttl_seconds=resources.settings.job_ttl_seconds,
        planned_id=place.planned_id,
        pipeline_id=place.pipeline_id,
    )
    job = jobs.add(session, new)
    return waiting_jobs.postpone(session, job) if is_waiting else job


def queue_of(resources: Resources, session: Session, project_id: UUID, resolved: JobParameters) -> str:
    """Return the queue that the kind requires, or the `large` queue if the job needs a lot of memory."""
    queue = needs_of(session, project_id, resolved).queue
    threshold = resources.settings.large_job_bytes
    if queue != DEFAULT_QUEUE or threshold is None:
        return queue
    is_large = _estimate(session, project_id, resolved).peak_memory_bytes >= threshold
    return LARGE_QUEUE if is_large else queue


def _hold_references(session: Session, project_id: UUID, parameters: dict[str, Any]) -> None:
    """Prevent the deletion of the datasets and models of a job until its row is added.

    The deletion then finds the job and erases it.
    """
    mentioned: dict[str, list[UUID]] = {"dataset": [], "model": []}
    for name in jobs.REFERENCES:
        noun = "model" if name == "model_id" else "dataset"
        if parameters.get(name) is not None:
            mentioned[noun].append(ids.from_text(noun, parameters[name]))
    if not erasures.hold(session, project_id, mentioned):
        raise NotFound(
            "A dataset or model that the job uses was deleted. Create a job that uses existing datasets "
            "and models."
        )


def validate_job(resources: Resources, project_id: UUID, parameters: JobParameters) -> JobParameters:
    """Return the parameters that `submit_job` would store. Raise the same errors, but change nothing."""
    with resources.sessions() as session:
        return resolve(resources, session, project_id, parameters)


def estimate_job(resources: Resources, project_id: UUID, resolved: JobParameters) -> Estimate:
    """Return the estimated cost of a job from the parameters that `validate_job` returned."""
    with resources.sessions() as session:
        return _estimate(session, project_id, resolved)


def cancel_job(resources: Resources, project_id: UUID, job_id: UUID) -> Job:
    """Cancel a queued job immediately, or request that a running job stop.

    The worker detects the request within a second.
    """
    with resources.sessions.begin() as session:
        job = jobs.request_cancel(session, project_id, job_id)
        abandon_job(session, job)
        transaction_failpoint(session, "cancel.before_commit")
    failpoint("cancel.after_commit")
    return job


def retry_job(resources: Resources, project_id: UUID, job_id: UUID) -> Job:
    """Queue a failed or cancelled job again, with the same ID and parameters."""
    with resources.sessions.begin() as session:
        check_quota(resources, session, project_id)
        pipeline_id = jobs.get(session, project_id, job_id).pipeline_id
        if pipeline_id is not None:
            # The jobs of a pipeline are always locked in the same order.
            pipelines.lock(session, project_id, pipeline_id)
        job = jobs.retry(session, project_id, job_id, ttl_seconds=resources.settings.job_ttl_seconds)
        datasets.reopen(session, project_id, job_id)
        job = _await_inputs(resources, session, job)
    resources.queue.ring(queue=job.queue)
    return job


def _await_inputs(resources: Resources, session: Session, job: Job) -> Job:
    """Make a retried job wait for its inputs, or resolve its parameters if it failed while waiting."""
    if KINDS[job.kind].estimate is None:
        return job
    if waiting_jobs.is_waiting(session, job.project_id, job.parameters):
        return waiting_jobs.postpone(session, job)
    if job.attempt:
        return job
    resolved = resolve(resources, session, job.project_id, parameters_of(job))
    stored_parameters = resolved.model_dump(mode="json", exclude=STORED_APART)
    queue = queue_of(resources, session, job.project_id, resolved)
    return waiting_jobs.make_due(session, job, parameters=stored_parameters, queue=queue)


def resolve(
    resources: Resources, session: Session, project_id: UUID, parameters: JobParameters
) -> JobParameters:
    """Return the parameters with all omitted values filled in."""
    kind: Any = KINDS[parameters.kind]
    resolved: JobParameters = kind.resolve(session, project_id, parameters, limits_of(resources.limits))
    _check_fits(_estimate(session, project_id, resolved), resources.settings.job_memory_bytes_max)
    return resolved


def _estimate(session: Session, project_id: UUID, resolved: JobParameters) -> Estimate:
    kind: Any = KINDS[resolved.kind]
    estimate: Estimate = kind.estimate(session, project_id, resolved)
    return estimate


def _check_fits(estimate: Estimate, memory_bytes_max: int) -> None:
    if estimate.peak_memory_bytes > memory_bytes_max:
        raise TooLarge(
            f"The job would need about {estimate.peak_memory_bytes:,} bytes of memory, but the limit"
            f" (job_memory_bytes_max) is {memory_bytes_max:,}. Use fewer rows or columns.",
            code="does_not_fit",
        )


def check_quota(resources: Resources, session: Session, project_id: UUID, n_new: int = 1) -> None:
    """Raise `TooManyRequests` if new jobs would exceed the project's limit of queued jobs."""
    n_max = resources.limits.queued_jobs_max
    n_queued = jobs.count_queued(session, project_id)
    if n_queued + n_new > n_max:
        raise TooManyRequests(
            f"This project has {n_queued} queued jobs, and the limit (queued_jobs_max) is {n_max}. Try again "
            "after some of them have started.",
            code="too_many_jobs",
            retry_after_seconds=30,
        )


def find_earlier(session: Session, project_id: UUID, key: str | None) -> Job | None:
    """Return the job that an interrupted request with the same idempotency key added, or None."""
    row = None if key is None else idempotency.lock(session, project_id, key)
    if row is None or row.job_id is None:
        return None
    return jobs.get(session, project_id, row.job_id)


def remember(session: Session, job: Job, key: str | None) -> None:
    """Store a job with its idempotency key, in the transaction that adds the job."""
    row = None if key is None else idempotency.lock(session, job.project_id, key)
    if row is not None:
        row.job_id = job.id
