"""Routes for models, which are fitted synthesizers."""

from __future__ import annotations

from typing import Annotated, BinaryIO

from fastapi import APIRouter, Query, Request, Response

from app import paging
from app.bodies.labels import merged_labels
from app.bodies.models import TrainedModel, TrainedModelPage, UpdateModel
from app.conditions import PreconditionDep, etag_of, is_unchanged
from app.content import BINARY, StoredContent, not_modified, send_stored
from app.dependencies import ListDep, ReaderDep, ResourcesDep, WriterDep
from app.document import merge_patch_body, problems
from understudy import ids
from understudy.db import models
from understudy.db.models import ModelFilters
from understudy.services import models as model_services
from understudy.services.artifacts import open_artifact

router = APIRouter(prefix="/v1/models", tags=["models"])


@router.get("", response_model_exclude_none=True, summary="List models", responses=problems(422))
def list_models(
    resources: ResourcesDep,
    caller: ReaderDep,
    wanted: ListDep,
    dataset_id: Annotated[
        str | None, Query(description="Return only models that were trained on this dataset.")
    ] = None,
) -> TrainedModelPage:
    """Return the models of the project, newest first."""
    filters = ModelFilters(
        dataset_id=paging.read_id_filter("dataset", dataset_id), labels=wanted.labels, created=wanted.created
    )
    after = paging.read_id_cursor("model", wanted.page.after)
    with resources.sessions() as session:
        stored_page = models.page(
            session, caller.project_id, filters=filters, after=after, limit=wanted.page.limit
        )
    return TrainedModelPage(
        data=[TrainedModel.of(row) for row in stored_page.rows],
        has_more=stored_page.next is not None,
        next=paging.write_id_cursor("model", stored_page.next),
    )


@router.get("/{model_id}", response_model_exclude_none=True, summary="Get a model", responses=problems(404))
def get_model(model_id: str, resources: ResourcesDep, caller: ReaderDep) -> TrainedModel:
    """Return a model with the schemas of its tables and its model card."""
    key = ids.from_text("model", model_id)
    with resources.sessions() as session:
        return TrainedModel.of(models.get(session, caller.project_id, key))


@router.get(
    "/{model_id}/file",
    response_class=Response,
    summary="Download the file of a model",
    responses={
        200: {
            "description": "The model file is returned.",
            "content": {BINARY: {"schema": {"type": "string", "format": "binary"}}},
        },
        206: {
            "description": "The requested range is returned.",
            "content": {BINARY: {"schema": {"type": "string", "format": "binary"}}},
        },
        **problems(404, 409, 416, 429),
    },
)
def download_model(model_id: str, resources: ResourcesDep, caller: ReaderDep, request: Request) -> Response:
    """Return the model file, which `understudy.load` reads. Requires the scope `read_real`.

    The request fails with 409 under the same conditions as a request for live rows.
    """
    artifact = model_services.find_file(resources, caller, ids.from_text("model", model_id))
    etag = f'"{artifact.sha256.hex()}"'
    if is_unchanged(request, etag):
        return not_modified(etag)

    def open_(is_checked_later: bool) -> BinaryIO:
        return open_artifact(resources, artifact, is_checked_later=is_checked_later)

    filename = f"{model_id}.model"
    content = StoredContent(open_, artifact.sha256, artifact.size_bytes, etag, filename, BINARY)
    return send_stored(request, content)


@router.patch(
    "/{model_id}",
    response_model_exclude_none=True,
    summary="Update a model",
    openapi_extra=merge_patch_body("UpdateModel"),
    responses=problems(404, 412, 413, 415, 422),
)
def update_model(
    model_id: str,
    change: UpdateModel,
    resources: ResourcesDep,
    caller: WriterDep,
    precondition: PreconditionDep,
) -> TrainedModel:
    """Change the name, the labels, or both with a JSON Merge Patch. Omitted fields keep their values."""
    key = ids.from_text("model", model_id)
    with resources.sessions.begin() as session:
        row = models.lock(session, caller.project_id, key)
        precondition.check(lambda: etag_of(TrainedModel.of(row)))
        labels = merged_labels(row.labels, change.labels)
        models.change(session, row, name=change.name or row.name, labels=labels)
        return TrainedModel.of(row)


@router.delete("/{model_id}", status_code=204, summary="Delete a model", responses=problems(404, 409, 412))
def delete_model(
    model_id: str, resources: ResourcesDep, caller: WriterDep, precondition: PreconditionDep
) -> Response:
    """Delete a model and its file. The request fails while a job or a dataset still needs the model."""
    model_services.delete_model(
        resources,
        caller.project_id,
        ids.from_text("model", model_id),
        check=lambda _, row: precondition.check(lambda: etag_of(TrainedModel.of(row))),
    )
    return Response(status_code=204)
