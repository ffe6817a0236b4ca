"""Rows of uploads that were skipped: where they stand, and why."""

from __future__ import annotations

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import StreamingResponse

from app.content import BINARY, is_unchanged, not_modified
from app.dependencies import ReaderDep, ResourcesDep, TableQuery
from app.document import problems
from understudy import ids
from understudy.db import artifacts, dataset_tables, datasets
from understudy.errors import NotFound
from understudy.services import artifacts as artifact_services
from understudy.services.schemas import check_ready

FILE = {"schema": {"type": "string", "format": "binary"}}

router = APIRouter(prefix="/v1/datasets/{dataset_id}/rejects", tags=["datasets"])


@router.get(
    "",
    response_class=Response,
    summary="Download the rows that were skipped",
    responses={
        200: {"description": "The file.", "content": {BINARY: FILE}},
        304: {"description": "It is what `If-None-Match` names."},
        **problems(404, 409, 422),
    },
)
def download_rejects(
    dataset_id: str,
    resources: ResourcesDep,
    caller: ReaderDep,
    request: Request,
    file_format: Annotated[Literal["parquet", "csv"], Query(alias="format")] = "parquet",
    table: TableQuery = None,
) -> Response:
    """Return where the rows stand that were skipped under `bad_rows=skip`, and why: line, column, reason.

    The table is empty if there were none. Only uploaded datasets have one.
    """
    with resources.sessions() as session:
        row = datasets.get(session, caller.project_id, ids.from_text("dataset", dataset_id))
        if row.origin != "upload":
            raise NotFound(f"Dataset {dataset_id} was not uploaded, so no rows of it were skipped.")
        check_ready(row.state, row.id)
        position = dataset_tables.choose(session, row, table).position
        role = dataset_tables.role_of("rejects", position)
        found = artifacts.find(session, caller.project_id, row.job_id, role)
    etag = f'"{found.sha256.hex() if found else "none"}-{file_format}"'
    if is_unchanged(request, etag):
        return not_modified(etag)
    chunks = artifact_services.stream_rejects(resources, found, file_format)
    suffix = "" if position is None else f"-{position}"
    filename = f"{dataset_id}{suffix}.rejects.{file_format}"
    headers = {"ETag": etag, "Content-Disposition": f'attachment; filename="{filename}"'}
    return StreamingResponse(chunks, headers=headers, media_type=BINARY)
