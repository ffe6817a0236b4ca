"""Routes for reports and their evidence packs."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from app import paging
from app.bodies.base import Json
from app.bodies.labels import UpdateLabels, merged_labels
from app.bodies.reports import EvaluationReport, ReportPage, ReportSummary
from app.conditions import PreconditionDep, is_unchanged, json_etag
from app.content import not_modified
from app.dependencies import ListDep, ReaderDep, ResourcesDep, WriterDep
from app.document import merge_patch_body, problems
from understudy import ids
from understudy.db import artifacts, reports
from understudy.db.reports import ReportFilters
from understudy.evaluation.report import Report
from understudy.resources import Resources
from understudy.services import deletion
from understudy.services.artifacts import open_artifact

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from understudy.db import orm

# Fields that a stored report has in addition to the fields in its file.
OWN_FIELDS = EvaluationReport.model_fields.keys() - Report.model_fields.keys()

router = APIRouter(prefix="/v1/reports", tags=["reports"])

ZIP = "application/zip"
# The page contains its own styles and drawings. Any other content that ends up in the page must neither run
# nor load.
CONTENT_SECURITY_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'none'"
)


@router.get("", response_model_exclude_none=True, summary="List reports", responses=problems(422))
def list_reports(
    resources: ResourcesDep,
    caller: ReaderDep,
    wanted: ListDep,
    dataset_id: Annotated[
        str | None,
        Query(description="Return only reports whose real or synthetic dataset has this ID."),
    ] = None,
) -> ReportPage:
    """Return summaries of the project's reports, newest first."""
    filters = ReportFilters(
        dataset_id=paging.read_id_filter("dataset", dataset_id), labels=wanted.labels, created=wanted.created
    )
    after = paging.read_id_cursor("report", wanted.page.after)
    with resources.sessions() as session:
        stored_page = reports.page(
            session, caller.project_id, filters=filters, after=after, limit=wanted.page.limit
        )
    return ReportPage(
        data=[ReportSummary.of(row) for row in stored_page.rows],
        has_more=stored_page.next is not None,
        next=paging.write_id_cursor("report", stored_page.next),
    )


@router.get("/{report_id}", response_model=EvaluationReport, summary="Get a report", responses=problems(404))
def get_report(report_id: str, resources: ResourcesDep, caller: ReaderDep) -> JSONResponse:
    """Return a report with all scores. `GET /v1/reports/{report_id}/html` returns it as an HTML page."""
    with resources.sessions() as session:
        row = reports.get(session, caller.project_id, ids.from_text("report", report_id))
        return JSONResponse(_body(resources, session, row))


@router.patch(
    "/{report_id}",
    response_model=EvaluationReport,
    summary="Update a report",
    openapi_extra=merge_patch_body("UpdateLabels"),
    responses=problems(404, 412, 413, 415, 422),
)
def update_report(
    report_id: str,
    change: UpdateLabels,
    resources: ResourcesDep,
    caller: WriterDep,
    precondition: PreconditionDep,
) -> JSONResponse:
    """Change the labels of a report with a JSON Merge Patch. Omitted labels keep their values."""
    key = ids.from_text("report", report_id)
    with resources.sessions.begin() as session:
        row = reports.lock(session, caller.project_id, key)
        precondition.check(lambda: json_etag(_body(resources, session, row)))
        reports.set_labels(session, row, merged_labels(row.labels, change.labels))
        return JSONResponse(_body(resources, session, row))


@router.delete("/{report_id}", status_code=204, summary="Delete a report", responses=problems(404, 412))
def delete_report(
    report_id: str, resources: ResourcesDep, caller: WriterDep, precondition: PreconditionDep
) -> Response:
    """Delete a report and its evidence pack, and erase the parameters of the job that created it."""
    deletion.delete_report(
        resources,
        caller.project_id,
        ids.from_text("report", report_id),
        check=lambda session, row: precondition.check(lambda: json_etag(_body(resources, session, row))),
    )
    return Response(status_code=204)


@router.get(
    "/{report_id}/html",
    response_class=Response,
    summary="Get a report as an HTML page",
    responses={
        200: {
            "description": "The report is returned as an HTML page.",
            "content": {"text/html": {"schema": {"type": "string"}}},
        },
        304: {"description": "The report has not changed: its ETag matches `If-None-Match`."},
        **problems(404),
    },
)
def download_report(report_id: str, resources: ResourcesDep, caller: ReaderDep, request: Request) -> Response:
    """Return a report as a self-contained HTML page."""
    key = ids.from_text("report", report_id)
    with resources.sessions() as session:
        row = reports.get(session, caller.project_id, key)
        artifact = artifacts.get(session, caller.project_id, row.job_id, "report_html")
    etag = f'"{artifact.sha256.hex()}"'
    if is_unchanged(request, etag):
        return not_modified(etag)
    headers = {"ETag": etag, "Content-Security-Policy": CONTENT_SECURITY_POLICY}
    with open_artifact(resources, artifact) as file:
        return Response(file.read(), headers=headers, media_type="text/html")


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

    `understudy verify` checks the signature and recomputes the report from the data. `GET /v1/project`
    returns the public key for the signature.
    """
    # This import is local because few requests need cryptography, which takes 10 MB in each API process.
    from understudy.services.evidence import pack_report

    pack = pack_report(resources, caller.project_id, ids.from_text("report", report_id))
    etag = f'"{hashlib.sha256(pack).hexdigest()}"'
    if is_unchanged(request, etag):
        return not_modified(etag)
    headers = {"ETag": etag, "Content-Disposition": f'attachment; filename="{report_id}-evidence.zip"'}
    return Response(pack, headers=headers, media_type=ZIP)


def _body(resources: Resources, session: Session, row: orm.Report) -> Json:
    """Return an `EvaluationReport` with the stored scores, which are not validated again."""
    artifact = artifacts.get(session, row.project_id, row.job_id, "report_json")
    summary = ReportSummary.of(row).model_dump(mode="json", exclude_none=True)
    with open_artifact(resources, artifact) as file:
        scores = json.load(file)
    return {**scores, **{name: summary[name] for name in OWN_FIELDS}}
