"""Routes for jobs: create, list, wait, cancel and retry."""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Query, Request, Response
from fastapi.openapi.models import Example
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field

from app import paging
from app.bodies.jobs import Job, JobKindName, JobPage, JobState, ValidatedJob
from app.bodies.labels import UpdateLabels, merged_labels
from app.conditions import PreconditionDep, etag_of
from app.dependencies import IdempotencyKeyDep, ListDep, ReaderDep, ResourcesDep, WriterDep
from app.document import merge_patch_body, problems
from app.idempotency import IdempotentRoute
from app.job_waits import AwaitedJob, job_body, read_job, read_wait, wait_for
from understudy import ids
from understudy.db import jobs
from understudy.db.jobs import JobFilters
from understudy.job_kinds import RequestedParameters
from understudy.services import deletion
from understudy.services import jobs as job_services


class JobRoute(IdempotentRoute):
    """A route that waits for the queued job before it responds if the request has `Prefer: wait`.

    The wait begins after the response has been stored under the idempotency key, so a repeated request can
    wait too.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler, followed by the wait."""
        handler = super().get_route_handler()
        if "POST" not in (self.methods or ()):
            return handler

        async def respond(request: Request) -> Response:
            response = await handler(request)
            seconds = read_wait(request.headers.get("prefer"))
            if not seconds or response.status_code != 202:
                return response
            return await _held(request, response, seconds)

        return respond


async def _held(request: Request, response: Response, seconds: int) -> Response:
    """Delay the response with a queued job until the job has finished, but for at most `seconds`."""
    job_id = json.loads(bytes(response.body))["id"]
    awaited = AwaitedJob(request.state.caller, ids.from_text("job", job_id))
    job = await wait_for(request, request.app.state.resources, awaited, seconds)
    kept = {name: value for name, value in response.headers.items() if not name.startswith("content-")}
    headers = {**kept, "Preference-Applied": f"wait={seconds}"}
    return JSONResponse(job.model_dump(mode="json", exclude_none=True), response.status_code, headers)


async def _wait(
    response: Response,
    prefer: Annotated[
        str | None,
        Header(
            description="`wait=30` delays the response until the job has finished, for at most 30 seconds "
            "(RFC 7240). The longest possible wait is 60 seconds."
        ),
    ] = None,
) -> int:
    seconds = read_wait(prefer)
    if seconds:
        response.headers["Preference-Applied"] = f"wait={seconds}"
    return seconds


WaitDep = Annotated[int, Depends(_wait)]

router = APIRouter(prefix="/v1/jobs", tags=["jobs"], route_class=JobRoute)

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


@router.post(
    "",
    status_code=202,
    response_model=Job,
    response_model_exclude_none=True,
    summary="Create a job",
    responses=problems(404, 409, 413, 422, 429),
)
def create_job(
    parameters: Annotated[RequestedParameters, Body(openapi_examples=EXAMPLES)],
    resources: ResourcesDep,
    caller: WriterDep,
    key: IdempotencyKeyDep,
    wait: WaitDep,
) -> JSONResponse:
    """Create a job and add it to the queue. The field `kind` of the body determines the other fields.

    Omitted parameters, such as the seed, are chosen by the service and included in the response. If a dataset
    of the job is still being read, the job stays queued until the dataset is ready, and the service chooses
    the parameters then.
    """
    row = job_services.submit_job(resources, caller.project_id, parameters, idempotency_key=key)
    job = Job.of(row)
    headers = {"Location": f"/v1/jobs/{job.id}"}
    return JSONResponse(job.model_dump(mode="json", exclude_none=True), 202, headers)


@router.post(
    "/validate",
    response_model_exclude_none=True,
    summary="Validate a job",
    responses=problems(404, 409, 413, 422),
)
def validate_job(
    parameters: Annotated[RequestedParameters, Body(openapi_examples=EXAMPLES)],
    resources: ResourcesDep,
    caller: WriterDep,
    key: IdempotencyKeyDep,
) -> ValidatedJob:
    """Validate the parameters of a job, and return them with a cost estimate. No job is created."""
    validated = job_services.validate_job(resources, caller.project_id, parameters)
    estimate = job_services.estimate_job(resources, caller.project_id, validated)
    return ValidatedJob.of(validated, estimate)


class JobQuery(BaseModel):
    """Filters for the list of jobs."""

    state: Annotated[JobState | None, Field(description="Return only jobs in this state.")] = None
    kind: Annotated[
        JobKindName | None, Field(description="Return only jobs of this kind.", examples=["train"])
    ] = None
    dataset_id: Annotated[str | None, Field(description="Return only jobs that use this dataset.")] = None
    model_id: Annotated[str | None, Field(description="Return only jobs that use this model.")] = None


@router.get("", response_model_exclude_none=True, summary="List jobs", responses=problems(422))
def list_jobs(
    resources: ResourcesDep,
    caller: ReaderDep,
    wanted: ListDep,
    query: Annotated[JobQuery, Query()],
) -> JobPage:
    """Return the jobs of the project, newest first."""
    paging.read_id_filter("dataset", query.dataset_id)
    paging.read_id_filter("model", query.model_id)
    filters = JobFilters(
        state=query.state,
        kind=query.kind,
        dataset_id=query.dataset_id,
        model_id=query.model_id,
        labels=wanted.labels,
        created=wanted.created,
    )
    after = paging.read_id_cursor("job", wanted.page.after)
    with resources.sessions() as session:
        stored_page = jobs.page(
            session, caller.project_id, filters=filters, after=after, limit=wanted.page.limit
        )
    return JobPage(
        data=[Job.of(row) for row in stored_page.rows],
        has_more=stored_page.next is not None,
        next=paging.write_id_cursor("job", stored_page.next),
    )


@router.get("/{job_id}", response_model_exclude_none=True, summary="Get a job", responses=problems(404, 429))
async def get_job(
    job_id: str, resources: ResourcesDep, caller: ReaderDep, request: Request, wait: WaitDep
) -> Job:
    """Return a job with its attempts.

    With `Prefer: wait=N`, the response is sent when the job has finished or after N seconds, whichever comes
    first. An API key can have at most 64 waiting requests at a time, including event streams.
    """
    return await wait_for(request, resources, AwaitedJob(caller, ids.from_text("job", job_id)), wait)


@router.patch(
    "/{job_id}",
    response_model_exclude_none=True,
    summary="Update a job",
    openapi_extra=merge_patch_body("UpdateLabels"),
    responses=problems(404, 412, 413, 415, 422),
)
def update_job(
    job_id: str,
    change: UpdateLabels,
    resources: ResourcesDep,
    caller: WriterDep,
    precondition: PreconditionDep,
) -> Job:
    """Change the labels of a job with a JSON Merge Patch. Omitted labels keep their values."""
    key = ids.from_text("job", job_id)
    with resources.sessions.begin() as session:
        row = jobs.lock(session, caller.project_id, key)
        precondition.check(lambda: etag_of(job_body(session, row)))
        jobs.set_labels(session, row, merged_labels(row.labels, change.labels))
    return read_job(resources, caller.project_id, key)


@router.post(
    "/{job_id}/cancel",
    response_model_exclude_none=True,
    summary="Cancel a job",
    responses=problems(404, 409),
)
def cancel_job(job_id: str, resources: ResourcesDep, caller: WriterDep) -> Job:
    """Cancel a queued job, or request that a running job stop. Repeating the request has no effect."""
    return Job.of(job_services.cancel_job(resources, caller.project_id, ids.from_text("job", job_id)))


@router.delete("/{job_id}", status_code=204, summary="Erase a job", responses=problems(404, 409, 412))
def delete_job(
    job_id: str, resources: ResourcesDep, caller: WriterDep, precondition: PreconditionDep
) -> Response:
    """Erase the parameters, labels, result and error detail of a job. Its ID, kind, state and times are kept.

    The request fails while the job is active, or while a dataset, model or report that it created exists.
    """
    deletion.delete_job(
        resources,
        caller.project_id,
        ids.from_text("job", job_id),
        check=lambda session, row: precondition.check(lambda: etag_of(job_body(session, row))),
    )
    return Response(status_code=204)


@router.post(
    "/{job_id}/retry",
    status_code=202,
    response_model_exclude_none=True,
    summary="Retry a job",
    responses=problems(404, 409, 429),
)
def retry_job(
    job_id: str, resources: ResourcesDep, caller: WriterDep, response: Response, wait: WaitDep
) -> Job:
    """Add a failed or cancelled job to the queue again, with the same ID and parameters."""
    job = Job.of(job_services.retry_job(resources, caller.project_id, ids.from_text("job", job_id)))
    response.headers["Location"] = f"/v1/jobs/{job.id}"
    return job
