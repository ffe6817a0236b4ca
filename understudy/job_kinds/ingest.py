"""Job kind `ingest`, which reads uploaded files and stores each as a Parquet table."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import dataset_tables, datasets
from understudy.db.dataset_tables import TableFacts, role_of
from understudy.job_kinds.base import JobContext, JobKind, Limits, Plan, StoredFile
from understudy.job_kinds.uploaded_files import uploaded_files
from understudy.parameters.base import Json
from understudy.parameters.ingest import IngestParameters

# The files of each table: the upload is the input of the work, and the other files are its results.
FILE_KINDS = ("upload", "table", "rejects")


def resolve(
    session: Session, project_id: UUID, parameters: IngestParameters, limits: Limits
) -> IngestParameters:
    """Return the unchanged parameters because the upload has just created the dataset."""
    return parameters


def plan(session: Session, job: JobContext, parameters: IngestParameters, limits: Limits) -> Plan:
    """Return the uploaded files as inputs."""
    datasets.get(session, job.project_id, ids.from_text("dataset", parameters.dataset_id))
    roles = [
        {kind: role_of(kind, position) for kind in FILE_KINDS}
        for position, _ in enumerate(parameters.tables, 1)
    ]
    uploads = [of_table["upload"] for of_table in roles]
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
    """Set the dataset and its tables to ready."""
    dataset_id = ids.from_text("dataset", parameters.dataset_id)
    candidates = facts["relationship_candidates"]
    dataset = datasets.set_ready(
        session,
        job.project_id,
        dataset_id,
        relationship_candidates=candidates,
        locale=facts["locale"],
    )
    warnings: list[str] = []
    for position, (table, table_facts) in enumerate(zip(parameters.tables, facts["tables"], strict=True), 1):
        size_bytes = files[role_of("table", position)].size_bytes
        dataset_tables.set_ready(session, dataset, position, _table_facts(table_facts, size_bytes))
        warnings += [f"Table {table.name!r}: {warning}" for warning in table_facts["warnings"]]
    n_rows_skipped = sum(table_facts["n_rows_skipped"] for table_facts in facts["tables"])
    return {"dataset_id": parameters.dataset_id, "warnings": warnings, "n_rows_skipped": n_rows_skipped}


def _table_facts(facts: Json, size_bytes: int) -> TableFacts:
    return TableFacts(
        n_rows=facts["n_rows"],
        n_columns=facts["n_columns"],
        size_bytes=size_bytes,
        table_schema=facts["schema"],
        findings=facts["findings"],
    )


def abandon(
    session: Session, job: JobContext, parameters: IngestParameters, error_code: str, error_detail: str
) -> None:
    """Set the dataset to failed and store the error."""
    dataset_id = ids.from_text("dataset", parameters.dataset_id)
    datasets.set_failed(session, job.project_id, dataset_id, code=error_code, detail=error_detail)


INGEST = JobKind(
    name="ingest",
    summary="Read uploaded files and infer the kinds of their columns.",
    parameters=IngestParameters,
    resolve=resolve,
    plan=plan,
    work="understudy.work.ingest:work",
    publish=publish,
    abandon=abandon,
)
