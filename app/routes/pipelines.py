"""Route for pipelines, which create several jobs with one request."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from fastapi.responses import JSONResponse

from app.bodies.pipelines import CreatePipeline, Pipeline
from app.dependencies import IdempotencyKeyDep, ResourcesDep, WriterDep
from app.document import problems
from app.idempotency import IdempotentRoute
from understudy.services import pipelines

router = APIRouter(prefix="/v1/pipelines", tags=["jobs"], route_class=IdempotentRoute)


@router.post(
    "",
    status_code=202,
    response_model=Pipeline,
    response_model_exclude_none=True,
    summary="Create a pipeline",
    responses={
        200: {"model": Pipeline, "description": "The pipeline is valid."},
        **problems(404, 409, 413, 422, 429),
    },
)
def create_pipeline(
    body: CreatePipeline,
    resources: ResourcesDep,
    caller: WriterDep,
    key: IdempotencyKeyDep,
    validate_only: Annotated[
        bool, Query(description="Whether to validate the pipeline without creating it.")
    ] = False,
) -> JSONResponse:
    """Create jobs that train a model, sample from it and evaluate the sample. Each job waits for its inputs.

    `Location` is the URL of the last job. If a job fails, the later jobs fail with `not_ready`. If a job is
    cancelled, the later jobs are cancelled too. While the dataset is pending, validation fails with 409.
    """
    new = body.pipeline()
    if validate_only:
        validated = pipelines.validate_pipeline(resources, caller.project_id, new)
        return JSONResponse(Pipeline.of_validated(validated).model_dump(mode="json", exclude_none=True))
    rows = pipelines.create_pipeline(resources, caller.project_id, new, idempotency_key=key)
    pipeline = Pipeline.of(rows)
    headers = {"Location": f"/v1/jobs/{pipeline.stages[-1].job_id}"}
    return JSONResponse(pipeline.model_dump(mode="json", exclude_none=True), 202, headers)
