"""Routes of models, which are fitted synthesizers."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app import paging
from app.bodies.models import TrainedModel, TrainedModelPage
from app.dependencies import LabelsDep, PageDep, ReaderDep, ResourcesDep, WriterDep
from app.document import problems
from understudy import ids
from understudy.db import models
from understudy.db.models import ModelFilters
from understudy.services import models as model_services

router = APIRouter(prefix="/v1/models", tags=["models"])


@router.get("", response_model_exclude_none=True, summary="List models", responses=problems(422))
def list_models(
    resources: ResourcesDep,
    caller: ReaderDep,
    page: PageDep,
    labels: LabelsDep,
    dataset_id: Annotated[
        str | None, Query(description="Return only models that were trained on this dataset.")
    ] = None,
) -> TrainedModelPage:
    """Return the models of the project, newest first."""
    filters = ModelFilters(dataset_id=paging.read_id_filter("dataset", dataset_id), labels=labels)
    after = paging.read_id_cursor("model", page.after)
    with resources.sessions() as session:
        stored_page = models.page(session, caller.project_id, filters=filters, after=after, limit=page.limit)
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


@router.delete("/{model_id}", status_code=204, summary="Delete a model", responses=problems(404, 409))
def delete_model(model_id: str, resources: ResourcesDep, caller: WriterDep) -> Response:
    """Delete a model and its file. The request fails while a job or a dataset still needs the model."""
    model_services.delete_model(resources, caller.project_id, ids.from_text("model", model_id))
    return Response(status_code=204)
