"""Kind `ingest`: reads an uploaded file and stores it as a canonical table; made by an upload."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from pydantic import Field

from understudy import ids
from understudy.db import datasets
from understudy.job_kinds import references
from understudy.job_kinds.base import (
    Job,
    JobKind,
    JobParameters,
    Json,
    Limits,
    Plan,
    StoredFile,
    WorkResult,
    Workspace,
)
from understudy.tables.reading import FormatName, ReadOptions

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

TABLE_FILE = "table.parquet"
REJECTS_FILE = "rejects.parquet"


class IngestParameters(JobParameters):
    """Read an uploaded file."""

    kind: Literal["ingest"]
    dataset_id: Annotated[str, Field(description="The dataset that waits for the file.")]
    format: Annotated[FormatName, Field(description="Format of the file.")]
    options: Annotated[ReadOptions, Field(description="How it is to be read.")] = ReadOptions()


def resolve(
    session: Session, project_id: UUID, parameters: IngestParameters, limits: Limits
) -> IngestParameters:
    """Return the parameters: the upload has just made the dataset."""
    return parameters


def plan(session: Session, job: Job, parameters: IngestParameters, limits: Limits) -> Plan:
    """Read the uploaded bytes."""
    datasets.get(session, job.project_id, ids.from_text("dataset", parameters.dataset_id))
    upload = references.stored_file(session, job.project_id, job.id, "upload")
    return Plan(
        inputs={"upload": upload},
        context={"rows_max": limits.dataset_rows_max, "columns_max": limits.dataset_columns_max},
    )


def work(workspace: Workspace, parameters: IngestParameters) -> WorkResult:
    """Turn the file into canonical Parquet and infer its schema."""
    # DuckDB and Arrow are loaded where they are used: the API imports this module and must stay small.
    from understudy.tables.formats import FORMATS, write_table
    from understudy.tables.formats.scan import ReadLimits

    limits = ReadLimits(rows_max=workspace.context["rows_max"], columns_max=workspace.context["columns_max"])
    ingested = FORMATS[parameters.format].ingest(
        workspace.inputs["upload"],
        workspace.folder / TABLE_FILE,
        limits,
        workspace.progress,
        options=parameters.options,
    )
    facts = {
        "n_rows": ingested.n_rows,
        "n_columns": ingested.n_columns,
        "schema": ingested.schema.model_dump(mode="json"),
        "warnings": ingested.warnings,
        "n_rows_skipped": ingested.rejects.num_rows if ingested.rejects else 0,
    }
    files = {"table": TABLE_FILE}
    if ingested.rejects:
        rejects = ingested.rejects
        write_table(workspace.folder / REJECTS_FILE, rejects.to_batches(), rejects.schema)
        files["rejects"] = REJECTS_FILE
    return WorkResult(files=files, facts=facts)


def publish(
    session: Session, job: Job, parameters: IngestParameters, files: Mapping[str, StoredFile], facts: Json
) -> Json:
    """Make the dataset ready."""
    datasets.set_ready(
        session,
        job.project_id,
        ids.from_text("dataset", parameters.dataset_id),
        n_rows=facts["n_rows"],
        n_columns=facts["n_columns"],
        size_bytes=files["table"].size_bytes,
        table_schema=facts["schema"],
    )
    return {
        "dataset_id": parameters.dataset_id,
        "warnings": facts["warnings"],
        "n_rows_skipped": facts["n_rows_skipped"],
    }


def abandon(
    session: Session, job: Job, parameters: IngestParameters, error_code: str, error_detail: str
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
    work=work,
    publish=publish,
    abandon=abandon,
)
