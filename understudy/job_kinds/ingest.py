"""Kind `ingest`: reads uploaded files and stores each as a canonical table; made by an upload."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import dataset_tables, datasets
from understudy.db.dataset_tables import role_of
from understudy.job_kinds.base import JobContext, JobKind, Limits, Plan, StoredFile
from understudy.job_kinds.uploaded_files import uploaded_files
from understudy.parameters.base import Json
from understudy.parameters.ingest import IngestParameters

# What the work reads of a table, and what it leaves of it.
FILE_KINDS = ("upload", "table", "rejects")


def resolve(
    session: Session, project_id: UUID, parameters: IngestParameters, limits: Limits
) -> IngestParameters:
    """Return the parameters: the upload has just made the dataset."""
    return parameters


def plan(session: Session, job: JobContext, parameters: IngestParameters, limits: Limits) -> Plan:
    """Read the uploaded bytes."""
    datasets.get(session, job.project_id, ids.from_text("dataset", parameters.dataset_id))
    roles = [{kind: role_of(kind, file.position) for kind in FILE_KINDS} for file in parameters.files]
    uploads = [of_file["upload"] for of_file in roles]
    files = uploaded_files(session, job, uploads, parameters.parts)
    return Plan(
        inputs=files.inputs,
        context={
            "parts": files.parts,
            "rows_max": limits.dataset_rows_max,
            "columns_max": limits.dataset_columns_max,
            "roles": roles,
        },
    )


def publish(
    session: Session,
    job: JobContext,
    parameters: IngestParameters,
    files: Mapping[str, StoredFile],
    facts: Json,
) -> Json:
    """Make the dataset ready."""
    dataset_id = ids.from_text("dataset", parameters.dataset_id)
    if not parameters.tables:
        datasets.set_ready(session, job.project_id, dataset_id, **_shown(facts, files["table"]))
        return _result(parameters, facts["warnings"], [facts])
    datasets.set_ready(
        session,
        job.project_id,
        dataset_id,
        n_rows=None,
        n_columns=None,
        size_bytes=sum(file.size_bytes for role, file in files.items() if role.startswith("table_")),
        table_schema=None,
    )
    warnings: list[str] = []
    for position, (table, found) in enumerate(zip(parameters.tables, facts["tables"], strict=True), 1):
        shown = _shown(found, files[role_of("table", position)])
        dataset_tables.set_ready(session, job.project_id, dataset_id, position, **shown)
        warnings += [f"Table {table.name!r}: {warning}" for warning in found["warnings"]]
    return _result(parameters, warnings, facts["tables"])


def _result(parameters: IngestParameters, warnings: list[str], tables: list[Json]) -> Json:
    n_rows_skipped = sum(table["n_rows_skipped"] for table in tables)
    return {"dataset_id": parameters.dataset_id, "warnings": warnings, "n_rows_skipped": n_rows_skipped}


def _shown(facts: Json, file: StoredFile) -> Json:
    return {
        "n_rows": facts["n_rows"],
        "n_columns": facts["n_columns"],
        "size_bytes": file.size_bytes,
        "table_schema": facts["schema"],
    }


def abandon(
    session: Session, job: JobContext, parameters: IngestParameters, error_code: str, error_detail: str
) -> None:
    """Say at the dataset why it will not become ready."""
    datasets.set_failed(
        session,
        job.project_id,
        ids.from_text("dataset", parameters.dataset_id),
        error_code=error_code,
        error_detail=error_detail,
    )


INGEST = JobKind(
    name="ingest",
    summary="Read an uploaded file and infer the kinds of its columns.",
    parameters=IngestParameters,
    resolve=resolve,
    plan=plan,
    work="understudy.work.ingest:work",
    publish=publish,
    abandon=abandon,
)
