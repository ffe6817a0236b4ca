"""Routes of jobs: create, list, wait, cancel and retry."""

from __future__ import annotations

import asyncio
import re
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response
from fastapi.openapi.models import Example
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from app import paging
from app.bodies.jobs import Job, JobAttempt, JobPage, JobState, ValidatedJob
from app.dependencies import IdempotencyKeyDep, LabelsDep, PageDep, ReaderDep, ResourcesDep, WriterDep
from app.document import problems
from app.idempotency import IdempotentRoute
from app.stopping import Stopping
from app.waiting import Waiting, waiting_slot
from understudy import ids
from understudy.db import job_attempts, jobs
from understudy.db.jobs import TERMINAL_STATES, JobFilters
from understudy.job_kinds import RequestedParameters
from understudy.resources import Resources
from understudy.services import deletion
from understudy.services import jobs as job_services

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=IdempotentRoute)

EXAMPLES: dict[str, Example] = {
    "train": {
        "value": {
            "kind": "train",
            "dataset_id": "ds_01kaz7m2q5e1h9v3x8r6t4n0bc",
            "synthesizer": {"name": "tree_chain", "preset": "fast"},
            "seed": 7,
            "labels": {"team": "ops"},
        }
    },
    "sample": {"value": {"kind": "sample", "model_id": "mdl_01kaz7n3r7g5x9a3b1d6e8f0hj", "n_rows": 100_000}},
    "sample_with_conditions": {
        "value": {
            "kind": "sample",
            "model_id": "mdl_01kaz7n3r7g5x9a3b1d6e8f0hj",
            "conditions": [
                {
                    "where": {"income": {"equals": ">50K"}, "age": {"minimum": 30, "maximum": 39}},
                    "n_rows": 5000,
                }
            ],
        }
    },
    "sample_rebalanced": {
        "value": {
            "kind": "sample",
            "model_id": "mdl_01kaz7n3r7g5x9a3b1d6e8f0hj",
            "n_rows": 100_000,
            "rebalance": {
                "column": "fraud",
                "shares": [{"value": "yes", "share": 0.5}, {"value": "no", "share": 0.5}],
            },
        }
    },
    "impute": {
        "value": {
            "kind": "impute",
            "model_id": "mdl_01kaz7n3r7g5x9a3b1d6e8f0hj",
            "dataset_id": "ds_01kaz7m2q5e1h9v3x8r6t4n0bc",
            "n_draws": 5,
        }
    },
    "evaluate": {
        "value": {
            "kind": "evaluate",
            "dataset_id": "ds_01kaz7m2q5e1h9v3x8r6t4n0bc",
            "synthetic_dataset_id": "ds_01kaz7q8t9j7z1c5d3f8g0h2km",
            "target": "carrier",
        }
    },
}
WAIT_SECONDS_MAX = 60
FIRST_POLL_SECONDS = 0.02
LAST_POLL_SECONDS = 0.5
WAIT_PREFERENCE = re.compile(r"(?:^|[,;\s])wait=(\d{1,6})(?=$|[,;\s])", re.IGNORECASE)


@router.post(
    "",
    status_code=202,
    response_model=Job,
    response_model_exclude_none=True,
    summary="Create a job",
    responses={
        200: {
            "model": ValidatedJob,
            "description": "The parameters are valid, and no job was created. Sent only if `validate_only` "
            "is true.",
        },
        **problems(404, 409, 413, 422, 429),
    },
)
def create_job(
    parameters: Annotated[RequestedParameters, Body(openapi_examples=EXAMPLES)],
    resources: ResourcesDep,
    caller: WriterDep,
    key: IdempotencyKeyDep,
    validate_only: Annotated[
        bool,
        Query(description="Validate the parameters and estimate the cost without creating the job."),
    ] = False,
) -> JSONResponse:
    """Create a job and add it to the queue. The field `kind` of the body determines the other fields.

    Omitted parameters, such as the seed, are chosen by the service and included in the response.
    """
    if validate_only:
        validated = job_services.validate_job(resources, caller.project_id, parameters)
        estimate = job_services.estimate_job(resources, caller.project_id, validated)
        return JSONResponse(ValidatedJob.of(validated, estimate).model_dump(mode="json"))
    row = job_services.submit_job(resources, caller.project_id, parameters, idempotency_key=key)
    job = Job.of(row)
    headers = {"Location": f"/v1/jobs/{job.id}"}
    return JSONResponse(job.model_dump(mode="json", exclude_none=True), 202, headers)


class JobQuery(BaseModel):
    """Filters of the list of jobs."""

    state: Annotated[JobState | None, Field(description="Return only jobs in this state.")] = None
    kind: Annotated[
        str | None, Field(max_length=64, description="Return only jobs of this kind.", examples=["train"])
    ] = None


@router.get("", response_model_exclude_none=True, summary="List jobs", responses=problems(422))
def list_jobs(
    resources: ResourcesDep,
    caller: ReaderDep,
    page: PageDep,
    labels: LabelsDep,
    query: Annotated[JobQuery, Query()],
) -> JobPage:
    """Return the jobs of the project, newest first."""
    filters = JobFilters(state=query.state, kind=query.kind, labels=labels)
    after = paging.read_id_cursor("job", page.after)
    with resources.sessions() as session:
        stored_page = jobs.page(session, caller.project_id, filters=filters, after=after, limit=page.limit)
    return JobPage(
        data=[Job.of(row) for row in stored_page.rows],
        has_more=stored_page.next is not None,
        next=paging.write_id_cursor("job", stored_page.next),
    )


async def _wait_seconds(
    response: Response,
    prefer: Annotated[
        str | None,
        Header(
            description=(
                "`wait=30` delays the response until the job has finished, for at most 30 seconds (RFC "
                "7240). The longest possible wait is 60 seconds."
            )
        ),
    ] = None,
) -> int:
    seconds = read_wait(prefer)
    if seconds:
        response.headers["Preference-Applied"] = f"wait={seconds}"
    return seconds


@router.get("/{job_id}", response_model_exclude_none=True, summary="Get a job", responses=problems(404, 429))
async def get_job(
    job_id: str,
    resources: ResourcesDep,
    caller: ReaderDep,
    request: Request,
    wait_seconds: Annotated[int, Depends(_wait_seconds)],
) -> Job:
    """Return a job with its attempts.

    With `Prefer: wait=N`, the response is sent when the job has finished or after N seconds, whichever comes
    first. At most 64 requests of an API key can wait at the same time, including event streams.
    """
    key = ids.from_text("job", job_id)
    if wait_seconds:
        async with waiting_slot(request, caller):
            await _wait_until_final(request, resources, caller.project_id, key, wait_seconds)
    readers: asyncio.Semaphore = request.app.state.readers
    async with readers:
        return await run_in_threadpool(_read_job, resources, caller.project_id, key)


@router.post(
    "/{job_id}/cancel",
    response_model_exclude_none=True,
    summary="Cancel a job",
    responses=problems(404, 409),
)
def cancel_job(job_id: str, resources: ResourcesDep, caller: WriterDep) -> Job:
    """Cancel a queued job, or request that a running job stop. Repeating the request has no effect."""
    return Job.of(job_services.cancel_job(resources, caller.project_id, ids.from_text("job", job_id)))


@router.delete("/{job_id}", status_code=204, summary="Erase a job", responses=problems(404, 409))
def delete_job(job_id: str, resources: ResourcesDep, caller: WriterDep) -> Response:
    """Erase the parameters, labels, result and error detail of a job. Its ID, kind, state and times are kept.

    The request fails while the job is active, or while a dataset, model or report that it created exists.
    """
    deletion.delete_job(resources, caller.project_id, ids.from_text("job", job_id))
    return Response(status_code=204)


@router.post(
    "/{job_id}/retry",
    status_code=202,
    response_model_exclude_none=True,
    summary="Retry a job",
    responses=problems(404, 409, 429),
)
def retry_job(job_id: str, resources: ResourcesDep, caller: WriterDep, response: Response) -> Job:
    """Add a failed or cancelled job to the queue again, with the same ID and parameters."""
    response.headers["Location"] = f"/v1/jobs/{job_id}"
    return Job.of(job_services.retry_job(resources, caller.project_id, ids.from_text("job", job_id)))


def _read_job(resources: Resources, project_id: UUID, job_id: UUID) -> Job:
    with resources.read_sessions() as session:
        row = jobs.get(session, project_id, job_id)
        if not row.attempt:
            return Job.of(row, [])
        own = [JobAttempt.of(attempt) for attempt in job_attempts.of_job(session, project_id, job_id)]
        of_shards = job_attempts.of_shards(session, project_id, job_id) if row.kind == "sample" else []
        return Job.of(row, [*own, *(JobAttempt.of(attempt, shard) for shard, attempt in of_shards)])


def _is_final(resources: Resources, project_id: UUID, job_id: UUID) -> bool:
    with resources.read_sessions() as session:
        return jobs.get(session, project_id, job_id).state in TERMINAL_STATES


async def _wait_until_final(
    request: Request, resources: Resources, project_id: UUID, job_id: UUID, seconds: int
) -> None:
    """Wait until the job finishes, the time ends, the caller disconnects or the process stops.

    The wait does not occupy a thread.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    pause = FIRST_POLL_SECONDS
    waiting: Waiting = request.app.state.waiting
    stopping: Stopping = request.app.state.stopping
    while not await waiting.read(_is_final, resources, project_id, job_id):
        remaining = deadline - loop.time()
        if remaining <= 0 or stopping.has_begun or await request.is_disconnected():
            return
        await stopping.sleep(min(pause, remaining))
        pause = min(2 * pause, LAST_POLL_SECONDS)


def read_wait(prefer: str | None) -> int:
    """Return the seconds to wait that a `Prefer` header contains, or 0 if it contains none."""
    match = WAIT_PREFERENCE.search(prefer or "")
    return min(int(match[1]), WAIT_SECONDS_MAX) if match else 0
