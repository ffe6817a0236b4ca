"""Routes for datasets: upload, list, change and delete."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Depends, Query, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from app import paging
from app.bodies.datasets import Dataset, DatasetPage, DatasetState, UpdateDataset
from app.bodies.jobs import Job
from app.bodies.labels import merged_labels
from app.bodies.uploads import UploadedDataset
from app.conditions import PreconditionDep, etag_of
from app.content import BINARY
from app.dependencies import (
    IdempotencyKeyDep,
    LabelsDep,
    ListDep,
    ReaderDep,
    ReadOptionsDep,
    ResourcesDep,
    WriterDep,
)
from app.descriptions import Description, UploadQueryOptions, describe_upload
from app.document import merge_patch_body, problems
from app.idempotency import respond_once
from app.uploads import Upload, received_upload
from understudy import ids
from understudy.db import dataset_tables, datasets
from understudy.db.datasets import DatasetFilters
from understudy.job_kinds import gate
from understudy.parameters.base import Name
from understudy.resources import Resources
from understudy.services import datasets as dataset_services
from understudy.services.datasets import ArrivedFile, NewDataset

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from understudy.db import orm

router = APIRouter(prefix="/v1/datasets", tags=["datasets"])

FILE = {"schema": {"type": "string", "format": "binary"}}


class UploadQuery(BaseModel):
    """Query parameters of an upload."""

    name: Annotated[
        Name | None,
        Field(description="Name of the dataset. Defaults to the name of the first file without its suffix."),
    ] = None
    format: Annotated[
        str | None,
        Field(
            max_length=32,
            description="Format of the files, such as `csv`. Derived from the file's suffix or content "
            "type if omitted.",
        ),
    ] = None


async def _query_options(
    query: Annotated[UploadQuery, Query()], labels: LabelsDep, options: ReadOptionsDep
) -> UploadQueryOptions:
    return UploadQueryOptions(query.name, query.format, labels, options)


class DatasetQuery(BaseModel):
    """Filters for the list of datasets."""

    state: Annotated[DatasetState | None, Field(description="Return only datasets in this state.")] = None
    origin: Annotated[
        Literal["upload", "sample", "imputation"] | None,
        Field(description="Return only datasets of this origin."),
    ] = None
    model_id: Annotated[
        str | None, Field(description="Return only datasets that were generated with this model.")
    ] = None
    quarantined: Annotated[
        bool | None,
        Field(
            description="Return only datasets in quarantine (`true`), or only datasets that are not in "
            "quarantine (`false`)."
        ),
    ] = None


@router.post(
    "",
    status_code=202,
    response_model=UploadedDataset,
    summary="Upload a dataset",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": {"$ref": "#/components/schemas/UploadDatasetForm"}},
                # The body is one file, with the content type of its format.
                BINARY: FILE,
            },
        }
    },
    responses=problems(400, 409, 413, 415, 422, 429, 507),
)
async def upload_dataset(
    request: Request,
    resources: ResourcesDep,
    caller: WriterDep,
    query_options: Annotated[UploadQueryOptions, Depends(_query_options)],
    key: IdempotencyKeyDep,
) -> Response:
    """Store files and start the `ingest` job that reads them.

    Send a multipart form with the field `file`, or send one file as the request body and its media type as
    `Content-Type`. To create a dataset with several tables, repeat the field `file`. Each table is named
    after its file. The dataset is `pending` until the job has succeeded. If a table cannot be read, the
    dataset's `error` contains the reason. If the request has a `Content-Digest` or `Repr-Digest` header, the
    SHA-256 of the body must match it. Send large files in parts with `POST /v1/uploads`.
    """
    async with received_upload(request, resources) as upload:
        description = describe_upload(upload, query_options)
        digest = hashlib.sha256(upload.sha256 + description.model_dump_json().encode()).digest()

        async def respond() -> Response:
            return await run_in_threadpool(_store, resources, caller.project_id, description, upload, key)

        return await respond_once(request, digest, respond)


@router.get("", response_model_exclude_none=True, summary="List datasets", responses=problems(422))
def list_datasets(
    resources: ResourcesDep,
    caller: ReaderDep,
    wanted: ListDep,
    query: Annotated[DatasetQuery, Query()],
) -> DatasetPage:
    """Return the datasets of the project, newest first."""
    filters = DatasetFilters(
        state=query.state,
        origin=query.origin,
        model_id=paging.read_id_filter("model", query.model_id),
        labels=wanted.labels,
        is_quarantined=query.quarantined,
        created=wanted.created,
    )
    after = paging.read_id_cursor("dataset", wanted.page.after)
    with resources.sessions() as session:
        stored_page = datasets.page(
            session, caller.project_id, filters=filters, after=after, limit=wanted.page.limit
        )
        tables = dataset_tables.of_datasets(session, caller.project_id, stored_page.rows)
    return DatasetPage(
        data=[Dataset.of(row, tables[row.id]) for row in stored_page.rows],
        has_more=stored_page.next is not None,
        next=paging.write_id_cursor("dataset", stored_page.next),
    )


@router.get(
    "/{dataset_id}", response_model_exclude_none=True, summary="Get a dataset", responses=problems(404)
)
def get_dataset(dataset_id: str, resources: ResourcesDep, caller: ReaderDep) -> Dataset:
    """Return a dataset. A dataset can be used once its `state` is `ready`."""
    key = ids.from_text("dataset", dataset_id)
    with resources.sessions() as session:
        row = datasets.get(session, caller.project_id, key)
    return dataset_body(resources, row)


@router.patch(
    "/{dataset_id}",
    response_model_exclude_none=True,
    summary="Update a dataset",
    openapi_extra=merge_patch_body("UpdateDataset"),
    responses=problems(404, 412, 413, 415, 422),
)
def update_dataset(
    dataset_id: str,
    change: UpdateDataset,
    resources: ResourcesDep,
    caller: WriterDep,
    precondition: PreconditionDep,
) -> Dataset:
    """Change the name, the labels, or both with a JSON Merge Patch. Omitted fields keep their values."""
    key = ids.from_text("dataset", dataset_id)
    with resources.sessions.begin() as session:
        row = datasets.lock(session, caller.project_id, key)
        precondition.check(lambda: etag_of(_body(session, row)))
        labels = merged_labels(row.labels, change.labels)
        row = datasets.rename(session, caller.project_id, key, name=change.name, labels=labels)
        return _body(session, row)


@router.delete(
    "/{dataset_id}", status_code=204, summary="Delete a dataset", responses=problems(404, 409, 412, 422)
)
def delete_dataset(
    dataset_id: str,
    resources: ResourcesDep,
    caller: WriterDep,
    precondition: PreconditionDep,
    cascade: Annotated[
        bool,
        Query(
            description="Whether to also delete the models, datasets and reports that were derived from "
            "the dataset."
        ),
    ] = False,
) -> Response:
    """Delete a dataset and its files.

    If models, datasets or reports were derived from it, the request fails unless `cascade` is true. Deleting
    a sample whose report failed requires the scope `admin`.
    """

    def check(session: Session, row: orm.Dataset) -> None:
        precondition.check(lambda: etag_of(_body(session, row)))
        gate.check_deletion(row, caller)

    key = ids.from_text("dataset", dataset_id)
    dataset_services.delete_dataset(resources, caller.project_id, key, cascade=cascade, check=check)
    return Response(status_code=204)


def _store(
    resources: Resources, project_id: UUID, description: Description, upload: Upload, key: str | None
) -> Response:
    files = [
        ArrivedFile(table.name, table.format, file.path, file.sha256.digest(), file.size_bytes)
        for table, file in zip(description.tables, upload.files, strict=True)
    ]
    new = NewDataset(description.name, description.labels, description.options)
    dataset, job = dataset_services.upload_tables(resources, project_id, new, files, idempotency_key=key)
    return uploaded_response(resources, dataset, job)


def uploaded_response(resources: Resources, row: orm.Dataset, job: orm.Job) -> Response:
    """Return the response to a completed upload: the dataset and its `ingest` job."""
    body = UploadedDataset(dataset=dataset_body(resources, row), job=Job.of(job))
    headers = {"Location": f"/v1/datasets/{body.dataset.id}"}
    return JSONResponse(body.model_dump(mode="json", exclude_none=True), 202, headers)


def dataset_body(resources: Resources, row: orm.Dataset) -> Dataset:
    with resources.sessions() as session:
        return _body(session, row)


def _body(session: Session, row: orm.Dataset) -> Dataset:
    return Dataset.of(row, dataset_tables.of_datasets(session, row.project_id, [row])[row.id])
