"""Route for the rows that were skipped when an upload was read."""

from __future__ import annotations

from threading import Event
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from app.conditions import is_unchanged
from app.content import not_modified
from app.dependencies import ReaderDep, ResourcesDep, TableName
from app.document import problems
from app.downloads import Chunks, ConvertedDownload
from app.head_requests import is_head
from understudy import ids
from understudy.access import TableReference
from understudy.services import artifacts as artifact_services
from understudy.services.access import open_rejects
from understudy.services.artifacts import StoredTable
from understudy.tables.formats import FORMATS
from understudy.tables.names import file_stem

MEDIA_TYPES = {name: FORMATS[name].media_type for name in ("parquet", "csv")}
FILE = {"schema": {"type": "string", "format": "binary"}}

router = APIRouter(prefix="/v1/datasets/{dataset_id}/rejects", tags=["datasets"])


class RejectsQuery(BaseModel):
    """Query parameters for downloading skipped rows."""

    format: Annotated[Literal["parquet", "csv"], Field(description="Format of the file.")] = "parquet"
    table: TableName = None


@router.get(
    "",
    response_class=Response,
    summary="Download the list of skipped rows",
    responses={
        200: {"description": "The file is returned.", "content": dict.fromkeys(MEDIA_TYPES.values(), FILE)},
        304: {"description": "The file has not changed: its ETag matches `If-None-Match`."},
        **problems(404, 409, 422, 429, 507),
    },
)
def download_rejects(
    dataset_id: str,
    resources: ResourcesDep,
    caller: ReaderDep,
    request: Request,
    query: Annotated[RejectsQuery, Query()],
) -> Response:
    """Return the line number and the error of each row that was skipped with `bad_rows=skip`.

    The table is empty if no row was skipped. Only uploaded datasets have a table of skipped rows.
    """
    reference = TableReference(ids.from_text("dataset", dataset_id), query.table)
    chosen, artifact = open_rejects(resources, caller, reference)
    etag = f'"{artifact.sha256.hex() if artifact else "none"}-{query.format}"'
    if is_unchanged(request, etag):
        return not_modified(etag)
    filename = f"{dataset_id}-{file_stem(chosen.name, chosen.position)}.rejects.{query.format}"
    headers = {
        "ETag": etag,
        "Content-Disposition": f'attachment; filename="{filename}"',
        "Content-Type": MEDIA_TYPES[query.format],
    }
    if is_head(request):
        return Response(headers=headers)
    if artifact is None:
        content = artifact_services.empty_rejects(resources, query.format)
        return Response(content, headers=headers)

    def open_chunks(has_left: Event) -> Chunks:
        return artifact_services.stream_table(StoredTable(resources, [artifact], has_left), query.format)

    return ConvertedDownload(open_chunks, headers=headers)
