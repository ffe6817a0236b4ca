"""Routes of reports and their evidence packs."""

from __future__ import annotations

import hashlib
from typing import Annotated

from fastapi import APIRouter, Header, Query, Request, Response

from app import paging
from app.bodies.reports import ReportPage, ReportSummary
from app.content import is_unchanged, not_modified, preferred
from app.dependencies import PageDep, ReaderDep, ResourcesDep, WriterDep
from app.document import problems
from understudy import ids
from understudy.db import artifacts, reports
from understudy.db.reports import ReportFilters
from understudy.evaluation.report import Report
from understudy.services import deletion
from understudy.services.artifacts import open_artifact

router = APIRouter(prefix="/v1/reports", tags=["reports"])

ZIP = "application/zip"
ROLES = {"application/json": "report_json", "text/html": "report_html"}
# The page contains its own styles and drawings. Any other content that ends up in the page must neither run
# nor load.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'none'"
)


@router.get("", response_model_exclude_none=True, summary="List reports", responses=problems(422))
def list_reports(
    resources: ResourcesDep,
    caller: ReaderDep,
    page: PageDep,
    dataset_id: Annotated[
        str | None,
        Query(description="Return only reports whose real or synthetic dataset has this ID."),
    ] = None,
) -> ReportPage:
    """Return summaries of the reports of the project, newest first."""
    filters = ReportFilters(dataset_id=paging.read_id_filter("dataset", dataset_id))
    after = paging.read_id_cursor("report", page.after)
    with resources.sessions() as session:
        stored_page = reports.page(session, caller.project_id, filters=filters, after=after, limit=page.limit)
    return ReportPage(
        data=[ReportSummary.of(row) for row in stored_page.rows],
        has_more=stored_page.next is not None,
        next=paging.write_id_cursor("report", stored_page.next),
    )


@router.get(
    "/{report_id}",
    response_class=Response,
    summary="Get a report",
    responses={
        200: {
            "description": "The report is returned as JSON or as an HTML page.",
            "model": Report,
            "content": {"text/html": {"schema": {"type": "string"}}},
        },
        304: {"description": "The report has not changed: its ETag matches `If-None-Match`."},
        **problems(404, 406),
    },
)
def get_report(
    report_id: str,
    resources: ResourcesDep,
    caller: ReaderDep,
    request: Request,
    accept: Annotated[
        str | None, Header(description="Media type: `application/json` or `text/html`.")
    ] = None,
) -> Response:
    """Return all scores of a report as JSON or as a self-contained HTML page, depending on `Accept`."""
    key = ids.from_text("report", report_id)
    media_type = preferred(accept, tuple(ROLES))
    with resources.sessions() as session:
        row = reports.get(session, caller.project_id, key)
        artifact = artifacts.get(session, caller.project_id, row.job_id, ROLES[media_type])
    etag = f'"{artifact.sha256.hex()}"'
    if is_unchanged(request, etag):
        return not_modified(etag)
    headers = {"ETag": etag, "Vary": "Accept"}
    if media_type == "text/html":
        headers["Content-Security-Policy"] = CONTENT_SECURITY_POLICY
    with open_artifact(resources, artifact) as file:
        return Response(file.read(), headers=headers, media_type=media_type)


@router.delete("/{report_id}", status_code=204, summary="Delete a report", responses=problems(404))
def delete_report(report_id: str, resources: ResourcesDep, caller: WriterDep) -> Response:
    """Delete a report with its evidence pack, and erase the parameters of the job that created it."""
    deletion.delete_report(resources, caller.project_id, ids.from_text("report", report_id))
    return Response(status_code=204)


@router.get(
    "/{report_id}/evidence",
    response_class=Response,
    summary="Download the evidence pack of a report",
    responses={
        200: {
            "description": "The evidence pack is returned as a ZIP file.",
            "content": {ZIP: {"schema": {"type": "string", "format": "binary"}}},
        },
        304: {"description": "The evidence pack has not changed: its ETag matches `If-None-Match`."},
        **problems(404),
    },
)
def download_evidence(
    report_id: str, resources: ResourcesDep, caller: ReaderDep, request: Request
) -> Response:
    """Return a ZIP file with the report, a description of its inputs, and a signature over both.

    `understudy verify` checks the signature and recomputes the report from the data. The pack is signed with
    the project's private key. `GET /v1/project` returns the public key.
    """
    # This import is local because few requests need cryptography, which takes 10 MB in each API process.
    from understudy.services.evidence import pack_report

    pack = pack_report(resources, caller.project_id, ids.from_text("report", report_id))
    etag = f'"{hashlib.sha256(pack).hexdigest()}"'
    if is_unchanged(request, etag):
        return not_modified(etag)
    headers = {"ETag": etag, "Content-Disposition": f'attachment; filename="{report_id}-evidence.zip"'}
    return Response(pack, headers=headers, media_type=ZIP)
