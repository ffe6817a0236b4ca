"""Route for downloading a dataset."""

from __future__ import annotations

from threading import Event
from typing import TYPE_CHECKING, Annotated, BinaryIO, Literal, get_args

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field

from app.accept import preferred
from app.conditions import is_unchanged
from app.content import BINARY, StoredContent, not_modified, redirect, send_stored
from app.dependencies import ReaderDep, ResourcesDep, TableName
from app.document import problems
from app.downloads import Chunks, ConvertedDownload
from app.head_requests import is_head
from understudy import ids
from understudy.access import TableReference
from understudy.errors import InvalidInput
from understudy.parameters.read_options import FormatName
from understudy.resources import Resources
from understudy.services import artifacts as artifact_services
from understudy.services.access import open_file
from understudy.services.artifacts import StoredTable
from understudy.services.shard_results import combined
from understudy.tables.formats import FORMATS
from understudy.tables.names import file_stem

if TYPE_CHECKING:
    from understudy.db import orm

router = APIRouter(prefix="/v1/datasets/{dataset_id}/content", tags=["datasets"])

FILE = {"schema": {"type": "string", "format": "binary"}}
FORMAT_NAMES: tuple[FormatName, ...] = get_args(FormatName)
# Media types of downloads by format. Parquet, the default, is first.
MEDIA_TYPES: dict[FormatName, str] = {
    name: FORMATS[name].media_type for name in sorted(FORMAT_NAMES, key=lambda name: name != "parquet")
}
FORMAT_OF_TYPE: dict[str, FormatName] = {
    **{media_type: name for name, media_type in MEDIA_TYPES.items()},
    BINARY: "parquet",
}


class DownloadQuery(BaseModel):
    """Query parameters of a download."""

    format: Annotated[
        FormatName | None,
        Field(
            description="Format of the file. By default, the header `Accept` selects the format. Without "
            "this header, the format is `parquet`, which needs no conversion."
        ),
    ] = None
    csv_safe: Annotated[
        bool,
        Field(
            description="Whether to put an apostrophe before values that a spreadsheet would interpret as "
            "formulas. CSV only."
        ),
    ] = False
    csv_style: Annotated[
        Literal["source", "plain"] | None,
        Field(
            description="Style of the file. `source` (default) keeps the delimiter, quotation marks, line "
            "endings and encoding of the uploaded CSV file. `plain` uses commas, quoted text and UTF-8. CSV "
            "only."
        ),
    ] = None
    table: TableName = None

    def choose_format(self, accept: str | None) -> FormatName:
        """Return the format of the file.

        Raises
        ------
        InvalidInput
            If `Accept` allows none of the formats, or a parameter does not apply to the format.
        """
        chosen = self.format or FORMAT_OF_TYPE[preferred(accept, tuple(FORMAT_OF_TYPE))]
        for name in ("csv_safe", "csv_style"):
            if getattr(self, name) and chosen != "csv":
                raise InvalidInput(
                    f"`{name}` applies only to the format csv, not to {chosen}. Omit it.",
                    code="invalid_parameters",
                    parameter=name,
                )
        return chosen


@router.get(
    "",
    response_class=Response,
    summary="Download a dataset",
    responses={
        200: {
            "description": "The file is returned in the requested format.",
            "content": dict.fromkeys(MEDIA_TYPES.values(), FILE),
        },
        206: {
            "description": "The requested range is returned (Parquet only).",
            "content": {MEDIA_TYPES["parquet"]: FILE},
        },
        304: {"description": "The file has not changed: its ETag matches `If-None-Match`."},
        307: {
            "description": "The service uses presigned URLs. Download the file from the URL in `Location`."
        },
        **problems(404, 406, 409, 416, 422, 429, 507),
    },
)
def download_dataset(
    dataset_id: str,
    resources: ResourcesDep,
    caller: ReaderDep,
    request: Request,
    query: Annotated[DownloadQuery, Query()],
) -> Response:
    """Return a table as one file.

    Parquet downloads support range requests, and their ETag is the SHA-256 of the file. A large sample that
    is stored in parts is joined while it is sent, and does not support range requests. A workbook (`xlsx`)
    can contain at most 1,048,575 rows and at most 32,767 characters per cell. If the service uses presigned
    URLs, a Parquet download is a redirect to the object store, and `Repr-Digest` contains the checksum.
    """
    file_format = query.choose_format(request.headers.get("accept"))
    with_style = query.csv_style != "plain"
    reference = TableReference(ids.from_text("dataset", dataset_id), query.table)
    opened = open_file(resources, caller, reference, "download")
    chosen, parts = opened.table, opened.parts
    sha256 = combined(parts).sha256.hex()
    variant = f"{file_format}{'-safe' * query.csv_safe}{'' if with_style else '-plain'}"
    etag = f'"{sha256}"' if file_format == "parquet" else f'"{sha256}-{variant}"'
    if is_unchanged(request, etag):
        return not_modified(etag)
    artifact_services.check_download(file_format, chosen.n_rows, chosen.n_columns)
    filename = f"{dataset_id}-{file_stem(chosen.name, chosen.position)}.{file_format}"
    if file_format == "parquet" and len(parts) == 1:
        return _send_file(request, resources, parts[0], etag, filename)
    headers = {
        "ETag": etag,
        "Content-Disposition": f'attachment; filename="{filename}"',
        # CSV may have the encoding of its source, so the type does not name an encoding.
        "Content-Type": MEDIA_TYPES[file_format],
        "Vary": "Accept",
    }
    if is_head(request):
        return Response(headers=headers)

    def open_chunks(has_left: Event) -> Chunks:
        stored = StoredTable(
            resources, parts, has_left, without_formulas=query.csv_safe, with_style=with_style
        )
        return artifact_services.stream_table(stored, file_format)

    return ConvertedDownload(open_chunks, headers=headers)


def _send_file(
    request: Request, resources: Resources, artifact: orm.Artifact, etag: str, filename: str
) -> Response:
    """Return a response with a stored Parquet file, or a redirect to it."""
    url = artifact_services.find_presigned_url(resources, artifact, filename)
    if url is not None and not is_head(request):
        return redirect(url, etag, artifact.sha256)

    def open_(is_checked_later: bool) -> BinaryIO:
        return artifact_services.open_artifact(resources, artifact, is_checked_later=is_checked_later)

    content = StoredContent(
        open_, artifact.sha256, artifact.size_bytes, etag, filename, MEDIA_TYPES["parquet"]
    )
    return send_stored(request, content)
