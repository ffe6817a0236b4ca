"""Datasets: stored tables, uploaded or synthetic."""

from __future__ import annotations

import hashlib
from typing import Annotated, Literal
from uuid import UUID

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, StreamingResponse
from starlette.concurrency import run_in_threadpool

from app import paging
from app.content import BINARY, StoredContent, is_unchanged, not_modified, send_stored
from app.dependencies import IdempotencyKeyDep, LabelsDep, PageDep, ReaderDep, ResourcesDep, WriterDep
from app.descriptions import Description, describe_upload
from app.document import problems
from app.idempotency import answer_once
from app.schemas import (
    Dataset,
    DatasetPage,
    DatasetState,
    Job,
    TableSchema,
    UpdateDataset,
    UploadedDataset,
)
from app.uploads import Upload, received_upload
from understudy import ids
from understudy.db import artifacts, datasets
from understudy.db.datasets import DatasetFilters
from understudy.errors import Conflict, InvalidInput
from understudy.job_kinds.base import Name
from understudy.resources import Resources
from understudy.services import artifacts as artifact_services
from understudy.services import datasets as dataset_services
from understudy.tables.reading import FormatName

router = APIRouter(prefix="/v1/datasets", tags=["datasets"])

FILE = {"schema": {"type": "string", "format": "binary"}}

NameQuery = Annotated[
    Name | None, Query(description="Name of a file that is sent bare; else of the file, without its suffix.")
]
FormatQuery = Annotated[
    str | None,
    Query(
        alias="format",
        max_length=32,
        description="`csv`, `parquet`, `jsonl` or `arrow`; else by the file's suffix or the content type.",
    ),
]


@router.post(
    "",
    status_code=202,
    response_model=UploadedDataset,
    summary="Upload a table",
    openapi_extra={
        "requestBody": {
            "required": True,
            "content": {
                "multipart/form-data": {"schema": {"$ref": "#/components/schemas/UploadDatasetForm"}},
                "text/csv": FILE,
                "application/vnd.apache.parquet": FILE,
                "application/x-ndjson": FILE,
                "application/vnd.apache.arrow.file": FILE,
            },
        }
    },
    responses=problems(400, 409, 413, 415, 422, 429, 507),
)
async def upload_dataset(
    request: Request,
    resources: ResourcesDep,
    caller: WriterDep,
    labels: LabelsDep,
    key: IdempotencyKeyDep,
    name: NameQuery = None,
    file_format: FormatQuery = None,
) -> Response:
    """Store a table and start the `ingest` job that reads it.

    Send a form with the field `file`, or the bare file as the body with its content type. The dataset is
    `pending` until the job has succeeded; what is wrong with the table stands in the dataset's `error`.
    """
    bytes_max = resources.limits.upload_bytes_max
    async with received_upload(request, resources.staging_folder, bytes_max=bytes_max) as upload:
        description = describe_upload(upload, name=name, file_format=file_format, labels=labels)
        digest = hashlib.sha256(upload.sha256 + description.model_dump_json().encode()).digest()

        async def answer() -> Response:
            return await run_in_threadpool(_store, resources, caller.project_id, description, upload, key)

        return await answer_once(request, digest, answer)


@router.get("", response_model_exclude_none=True, summary="List datasets", responses=problems(422))
def list_datasets(
    resources: ResourcesDep,
    caller: ReaderDep,
    page: PageDep,
    labels: LabelsDep,
    state: Annotated[DatasetState | None, Query()] = None,
    origin: Annotated[Literal["upload", "sample", "imputation"] | None, Query()] = None,
    model_id: Annotated[str | None, Query(description="Only those made with this model.")] = None,
) -> DatasetPage:
    """Return datasets, newest first."""
    model = paging.read_id_filter("model", model_id)
    filters = DatasetFilters(state=state, origin=origin, model_id=model, labels=labels)
    after = paging.read_id_cursor("dataset", page.after)
    with resources.sessions() as session:
        found = datasets.page(session, caller.project_id, filters=filters, after=after, limit=page.limit)
    return DatasetPage(
        data=[Dataset.of(row) for row in found.rows],
        has_more=found.next is not None,
        next=paging.write_id_cursor("dataset", found.next),
    )


@router.get(
    "/{dataset_id}", response_model_exclude_none=True, summary="Look at a dataset", responses=problems(404)
)
def get_dataset(dataset_id: str, resources: ResourcesDep, caller: ReaderDep) -> Dataset:
    """Return a dataset; its `state` says whether it can be used."""
    key = ids.from_text("dataset", dataset_id)
    with resources.sessions() as session:
        return Dataset.of(datasets.get(session, caller.project_id, key))


@router.patch(
    "/{dataset_id}",
    response_model_exclude_none=True,
    summary="Rename or label a dataset",
    responses=problems(404, 413, 422),
)
def update_dataset(
    dataset_id: str, change: UpdateDataset, resources: ResourcesDep, caller: WriterDep
) -> Dataset:
    """Change the name, the labels, or both; what is left out stays as it is."""
    key = ids.from_text("dataset", dataset_id)
    row = dataset_services.update_dataset(
        resources, caller.project_id, key, name=change.name, labels=change.labels
    )
    return Dataset.of(row)


@router.delete(
    "/{dataset_id}", status_code=204, summary="Delete a dataset", responses=problems(404, 409, 422)
)
def delete_dataset(
    dataset_id: str,
    resources: ResourcesDep,
    caller: WriterDep,
    cascade: Annotated[
        bool, Query(description="Also delete the models, datasets and reports that were derived from it.")
    ] = False,
) -> Response:
    """Delete a dataset and its file; without `cascade` refused if something was derived from it."""
    key = ids.from_text("dataset", dataset_id)
    dataset_services.delete_dataset(resources, caller.project_id, key, cascade=cascade)
    return Response(status_code=204)


@router.get(
    "/{dataset_id}/schema",
    response_model=TableSchema,
    summary="Read the schema of a dataset",
    responses={304: {"description": "It is what `If-None-Match` names."}, **problems(404, 409)},
)
def get_schema(dataset_id: str, resources: ResourcesDep, caller: ReaderDep, request: Request) -> Response:
    """Return the kinds and exact types of the columns, with the evidence for each kind."""
    with resources.sessions() as session:
        row = datasets.get(session, caller.project_id, ids.from_text("dataset", dataset_id))
    _require_ready(row.state, dataset_id)
    etag = f'"{row.version}"'
    if is_unchanged(request, etag):
        return not_modified(etag)
    body = TableSchema.model_validate(row.table_schema).model_dump(mode="json")
    return JSONResponse(body, headers={"ETag": etag})


@router.head("/{dataset_id}/content", include_in_schema=False)
@router.get(
    "/{dataset_id}/content",
    response_class=Response,
    summary="Download a dataset",
    responses={
        200: {"description": "The file.", "content": {BINARY: FILE}},
        206: {"description": "The range that was asked for; Parquet only.", "content": {BINARY: FILE}},
        304: {"description": "It is what `If-None-Match` names."},
        **problems(404, 409, 416, 422),
    },
)
def download_dataset(
    dataset_id: str,
    resources: ResourcesDep,
    caller: ReaderDep,
    request: Request,
    file_format: Annotated[
        FormatName, Query(alias="format", description="Parquet is sent as it is stored.")
    ] = "parquet",
    csv_safe: Annotated[
        bool,
        Query(description="CSV only: an apostrophe before what a spreadsheet would take for a formula."),
    ] = False,
) -> Response:
    """Return the whole table as one file. Parquet has an ETag (its SHA-256) and takes a Range."""
    if csv_safe and file_format != "csv":
        raise InvalidInput(
            f"`csv_safe` goes with format csv only, not with {file_format}. Leave it out.",
            code="invalid_parameters",
        )
    with resources.sessions() as session:
        row = datasets.get(session, caller.project_id, ids.from_text("dataset", dataset_id))
        _require_ready(row.state, dataset_id)
        artifact = artifacts.get(session, caller.project_id, row.job_id, "table")
    sha256 = artifact.sha256.hex()
    variant = f"{file_format}-safe" if csv_safe else file_format
    etag = f'"{sha256}"' if file_format == "parquet" else f'"{sha256}-{variant}"'
    if is_unchanged(request, etag):
        return not_modified(etag)
    filename = f"{dataset_id}.{file_format}"
    if file_format == "parquet":
        file = artifact_services.open_artifact(resources, artifact)
        return send_stored(request, StoredContent(file, artifact.size_bytes, etag, filename))
    headers = {"ETag": etag, "Content-Disposition": f'attachment; filename="{filename}"'}
    if request.method == "HEAD":
        return Response(headers=headers, media_type=BINARY)
    chunks = artifact_services.stream_table(resources, artifact, file_format, without_formulas=csv_safe)
    return StreamingResponse(chunks, headers=headers, media_type=BINARY)


def _store(
    resources: Resources, project_id: UUID, description: Description, upload: Upload, key: str | None
) -> Response:
    dataset, job = dataset_services.upload_dataset(
        resources,
        project_id,
        name=description.name,
        format=description.format,
        labels=description.labels,
        source=upload.source,
        sha256=upload.sha256,
        size_bytes=upload.size_bytes,
        idempotency_key=key,
    )
    body = UploadedDataset(dataset=Dataset.of(dataset), job=Job.of(job))
    headers = {"Location": f"/v1/datasets/{body.dataset.id}"}
    return JSONResponse(body.model_dump(mode="json", exclude_none=True), 202, headers)


def _require_ready(state: str, dataset_id: str) -> None:
    if state == "ready":
        return
    remedy = {
        "pending": "is still being read; wait for its job (GET /v1/jobs/{id} with `Prefer: wait=60`)",
        "failed": "could not be read; its `error` says why",
    }
    raise Conflict(f"Dataset {dataset_id} {remedy[state]}.", code="not_ready")
