"""Routes for uploads in parts, for large files and unreliable connections."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Depends, Header, Path, Request, Response
from starlette.concurrency import run_in_threadpool

from app import paging
from app.bodies.uploads import CreateUpload, Upload, UploadedDataset, UploadPage, UploadPart
from app.conditions import PreconditionDep, etag_of
from app.content import BINARY
from app.dependencies import IdempotencyKeyDep, PageDep, ReaderDep, ResourcesDep, WriterDep
from app.descriptions import describe_files
from app.digests import read_digest
from app.document import problems
from app.idempotency import IdempotentRoute
from app.routes.datasets import uploaded_response
from app.uploads import received_part
from understudy import ids
from understudy.db import uploads
from understudy.services import uploads as upload_services
from understudy.services.datasets import NewDataset
from understudy.services.uploads import N_PARTS_MAX, ComingFile, PartPlace

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from understudy.db import orm

router = APIRouter(prefix="/v1/uploads", tags=["uploads"], route_class=IdempotentRoute)

PART = {"schema": {"type": "string", "format": "binary"}}
DigestHeader = Annotated[
    str,
    Header(
        alias="Content-Digest",
        max_length=1024,
        description="SHA-256 of the part in the format of RFC 9530.",
        examples=["sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"],
    ),
]


@router.post(
    "",
    status_code=201,
    response_model_exclude_none=True,
    summary="Start an upload in parts",
    responses=problems(413, 422, 429),
)
def create_upload(
    new: CreateUpload, resources: ResourcesDep, caller: WriterDep, response: Response, key: IdempotencyKeyDep
) -> Upload:
    """Declare the files to send. The response contains the part size and the part numbers of each file."""
    # A file without a name is treated like a file without a suffix in its name.
    named = [file.model_copy(update={"filename": file.filename or ""}) for file in new.files]
    description = describe_files(
        named, name=new.name, file_format=new.format, labels=new.labels, options=new.options
    )
    opened = upload_services.create_upload(
        resources,
        caller.project_id,
        NewDataset(description.name, description.labels, description.options),
        [
            ComingFile(
                table_name=table.name,
                format=table.format,
                size_bytes=file.size_bytes,
                sha256=None if file.sha256 is None else bytes.fromhex(file.sha256),
                filename=file.filename,
            )
            for table, file in zip(description.tables, new.files, strict=True)
        ],
        part_bytes=new.part_bytes,
    )
    body = Upload.of(opened.upload, opened.parts)
    response.headers["Location"] = f"/v1/uploads/{body.id}"
    return body


@router.get("", response_model_exclude_none=True, summary="List uploads", responses=problems(422))
def list_uploads(resources: ResourcesDep, caller: ReaderDep, page: PageDep) -> UploadPage:
    """Return uploads that are open or were completed in the last three days, newest first."""
    after = paging.read_id_cursor("upload", page.after)
    with resources.sessions() as session:
        stored_page = uploads.page(session, caller.project_id, after=after, limit=page.limit)
    return UploadPage(
        data=[Upload.of(row) for row in stored_page.rows],
        has_more=stored_page.next is not None,
        next=paging.write_id_cursor("upload", stored_page.next),
    )


@router.get(
    "/{upload_id}", response_model_exclude_none=True, summary="Get an upload", responses=problems(404)
)
def get_upload(upload_id: str, resources: ResourcesDep, caller: ReaderDep) -> Upload:
    """Return an upload with the parts that were received. To resume an upload, send the missing parts."""
    opened = upload_services.get_upload(resources, caller.project_id, ids.from_text("upload", upload_id))
    return Upload.of(opened.upload, opened.parts)


async def _part_place(
    upload_id: str,
    number: Annotated[int, Path(ge=1, le=N_PARTS_MAX, description="Number of the part, starting at 1.")],
    caller: WriterDep,
) -> PartPlace:
    return PartPlace(caller.project_id, ids.from_text("upload", upload_id), number)


@router.put(
    "/{upload_id}/parts/{number}",
    response_model_exclude_none=True,
    summary="Upload a part",
    openapi_extra={"requestBody": {"required": True, "content": {BINARY: PART}}},
    responses=problems(400, 404, 409, 415, 422, 507),
)
async def put_upload_part(
    place: Annotated[PartPlace, Depends(_part_place)],
    request: Request,
    resources: ResourcesDep,
    content_digest: DigestHeader,
) -> UploadPart:
    """Store a part. Parts can arrive in any order, and sending a part again replaces it."""
    read_digest(content_digest)
    size_bytes = await run_in_threadpool(upload_services.expect_part, resources, place)
    async with received_part(request, resources, size_bytes) as file:
        stored = await run_in_threadpool(
            upload_services.store_part, resources, place, file.path, file.sha256.digest()
        )
    return UploadPart.of(stored)


@router.post(
    "/{upload_id}/complete",
    status_code=202,
    response_model=UploadedDataset,
    summary="Complete an upload",
    responses=problems(404, 409, 422, 429, 507),
)
def complete_upload(
    upload_id: str, resources: ResourcesDep, caller: WriterDep, key: IdempotencyKeyDep
) -> Response:
    """Create a dataset and start the `ingest` job that joins the parts and reads the files.

    The response does not wait for the job. The job checks the SHA-256 of each file that has several parts. If
    a checksum differs from the declared one, the job and the dataset fail with `digest_mismatch`. Repeating
    the request returns the same dataset.
    """
    dataset, job = upload_services.complete_upload(
        resources, caller.project_id, ids.from_text("upload", upload_id)
    )
    return uploaded_response(resources, dataset, job)


@router.delete("/{upload_id}", status_code=204, summary="Delete an upload", responses=problems(404, 409, 412))
def delete_upload(
    upload_id: str, resources: ResourcesDep, caller: WriterDep, precondition: PreconditionDep
) -> Response:
    """Delete an upload and its parts. If the upload was completed, its dataset is kept."""
    upload_services.delete_upload(
        resources,
        caller.project_id,
        ids.from_text("upload", upload_id),
        check=lambda session, row: precondition.check(lambda: etag_of(_body(session, row))),
    )
    return Response(status_code=204)


def _body(session: Session, row: orm.Upload) -> Upload:
    return Upload.of(row, uploads.parts(session, row.project_id, [row.id]))
