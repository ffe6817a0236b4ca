"""Routes for pipelines: create, validate, list, wait, label and cancel."""

from __future__ import annotations

import asyncio
from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import JSONResponse
from starlette.concurrency import run_in_threadpool

from app import paging
from app.bodies.labels import UpdateLabels, merged_labels
from app.bodies.pipelines import CreatePipeline, Pipeline, PipelinePage, ValidatedPipeline
from app.conditions import PreconditionDep, etag_of
from app.dependencies import IdempotencyKeyDep, ListDep, ReaderDep, ResourcesDep, WriterDep
from app.document import merge_patch_body, problems
from app.idempotency import IdempotentRoute
from app.job_waits import wait_until
from app.routes.jobs import WaitDep
from app.waiting import waiting_slot
from understudy import ids
from understudy.db import jobs, pipelines
from understudy.services import pipelines as pipeline_services

router = APIRouter(prefix="/v1/pipelines", tags=["jobs"], route_class=IdempotentRoute)


@router.post(
    "",
    status_code=202,
    response_model=Pipeline,
    response_model_exclude_none=True,
    summary="Create a pipeline",
    responses=problems(404, 409, 413, 422, 429),
)
def create_pipeline(
    body: CreatePipeline, resources: ResourcesDep, caller: WriterDep, key: IdempotencyKeyDep
) -> JSONResponse:
    """Create jobs that train a model, sample from it and evaluate the sample. Each job waits for its inputs.

    If a job fails, the later jobs fail with `not_ready`. If a job is cancelled, the later jobs are cancelled
    too.
    """
    rows = pipeline_services.create_pipeline(
        resources, caller.project_id, body.pipeline(), idempotency_key=key
    )
    pipeline = Pipeline.of(rows)
    headers = {"Location": f"/v1/pipelines/{pipeline.id}"}
    return JSONResponse(pipeline.model_dump(mode="json", exclude_none=True), 202, headers)


@router.post(
    "/validate",
    response_model_exclude_none=True,
    summary="Validate a pipeline",
    responses=problems(404, 409, 413, 422),
)
def validate_pipeline(
    body: CreatePipeline, resources: ResourcesDep, caller: WriterDep, key: IdempotencyKeyDep
) -> ValidatedPipeline:
    """Validate the parameters of a pipeline without creating jobs.

    The request fails with 409 if the dataset is pending.
    """
    validated = pipeline_services.validate_pipeline(resources, caller.project_id, body.pipeline())
    return ValidatedPipeline.of(validated)


@router.get("", response_model_exclude_none=True, summary="List pipelines", responses=problems(422))
def list_pipelines(
    resources: ResourcesDep,
    caller: ReaderDep,
    wanted: ListDep,
    dataset_id: Annotated[str | None, Query(description="Return only pipelines on this dataset.")] = None,
) -> PipelinePage:
    """Return the pipelines of the project, newest first."""
    paging.read_id_filter("dataset", dataset_id)
    with resources.sessions() as session:
        stored = pipelines.page(
            session,
            caller.project_id,
            filters=pipelines.PipelineFilters(dataset_id, wanted.labels, wanted.created),
            after=paging.read_id_cursor("pipeline", wanted.page.after),
            limit=wanted.page.limit,
        )
    return PipelinePage(
        data=[Pipeline.of(rows) for rows in stored.rows],
        has_more=stored.next is not None,
        next=paging.write_id_cursor("pipeline", stored.next),
    )


@router.get(
    "/{pipeline_id}",
    response_model_exclude_none=True,
    summary="Get a pipeline",
    responses=problems(404, 429),
)
async def get_pipeline(
    pipeline_id: str, resources: ResourcesDep, caller: ReaderDep, request: Request, wait: WaitDep
) -> Pipeline:
    """Return a pipeline with its jobs. `Prefer: wait=N` works as for a job."""
    key = ids.from_text("pipeline", pipeline_id)

    def read() -> Pipeline:
        with resources.read_sessions() as session:
            rows = pipelines.get(session, caller.project_id, key)
        return Pipeline.of(rows)

    readers: asyncio.Semaphore = request.app.state.readers
    async with readers:
        pipeline = await run_in_threadpool(read)
    if wait and pipeline.state not in jobs.TERMINAL_STATES:
        async with waiting_slot(request, caller):
            await wait_until(request, wait, lambda: read().state in jobs.TERMINAL_STATES)
        async with readers:
            pipeline = await run_in_threadpool(read)
    return pipeline


@router.patch(
    "/{pipeline_id}",
    response_model_exclude_none=True,
    summary="Update a pipeline",
    openapi_extra=merge_patch_body("UpdateLabels"),
    responses=problems(404, 412, 413, 415, 422),
)
def update_pipeline(
    pipeline_id: str,
    change: UpdateLabels,
    resources: ResourcesDep,
    caller: WriterDep,
    precondition: PreconditionDep,
) -> Pipeline:
    """Change the labels of a pipeline and of its jobs with a JSON Merge Patch."""
    key = ids.from_text("pipeline", pipeline_id)
    with resources.sessions.begin() as session:
        rows = pipelines.lock(session, caller.project_id, key)
        precondition.check(lambda: etag_of(Pipeline.of(rows)))
        for row in rows:
            jobs.set_labels(session, row, merged_labels(row.labels, change.labels))
        # The labels of an erased job are not stored.
        return Pipeline.of(pipelines.get(session, caller.project_id, key))


@router.post(
    "/{pipeline_id}/cancel",
    response_model_exclude_none=True,
    summary="Cancel a pipeline",
    responses=problems(404, 409),
)
def cancel_pipeline(pipeline_id: str, resources: ResourcesDep, caller: WriterDep) -> Pipeline:
    """Cancel the queued jobs of a pipeline, and request that a running job stop."""
    key = ids.from_text("pipeline", pipeline_id)
    return Pipeline.of(pipeline_services.cancel_pipeline(resources, caller.project_id, key))
