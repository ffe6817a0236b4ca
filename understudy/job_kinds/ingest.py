"""Kind `ingest`: reads uploaded files and stores each as a canonical table; made by an upload."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from understudy import ids
from understudy.db import dataset_tables, datasets
from understudy.db.dataset_tables import role_of
from understudy.errors import TooLarge, UnderstudyError
from understudy.job_kinds import references
from understudy.job_kinds.base import (
    Job,
    JobKind,
    JobParameters,
    Json,
    Limits,
    Name,
    Plan,
    StoredFile,
    WorkResult,
    Workspace,
)
from understudy.progress import Progress
from understudy.tables.findings import Findings
from understudy.tables.names import DEFAULT_NAME
from understudy.tables.reading import FormatName, ReadOptions
from understudy.tables.schema import DatasetSchema
from understudy.tables.stored_schemas import read_stored, write_stored

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

# What the sandbox takes as the facts of one job is 8 MiB.
FACTS_BYTES_MAX = 7 << 20


class IngestTable(BaseModel):
    """One of several files that are read."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[Name, Field(description="Of the table.")]
    format: Annotated[FormatName, Field(description="Format of the file.")]


class IngestParameters(JobParameters):
    """Read an uploaded file, or several."""

    kind: Literal["ingest"]
    dataset_id: Annotated[str, Field(description="The dataset that waits for the file.")]
    format: Annotated[
        FormatName | None, Field(description="Format of the file; of several, each has its own.")
    ] = None
    tables: Annotated[tuple[IngestTable, ...], Field(description="The tables, where there are several.")] = ()
    options: Annotated[ReadOptions, Field(description="How it is to be read.")] = ReadOptions()

    @property
    def files(self) -> list[tuple[int | None, str | None, FormatName]]:
        """Position, name and format of each table; the only one has neither position nor name."""
        if not self.tables:
            assert self.format is not None
            return [(None, None, self.format)]
        return [(position, table.name, table.format) for position, table in enumerate(self.tables, 1)]


def resolve(
    session: Session, project_id: UUID, parameters: IngestParameters, limits: Limits
) -> IngestParameters:
    """Return the parameters: the upload has just made the dataset."""
    return parameters


def plan(session: Session, job: Job, parameters: IngestParameters, limits: Limits) -> Plan:
    """Read the uploaded bytes."""
    datasets.get(session, job.project_id, ids.from_text("dataset", parameters.dataset_id))
    roles = [role_of("upload", position) for position, _, _ in parameters.files]
    return Plan(
        inputs={role: references.stored_file(session, job.project_id, job.id, role) for role in roles},
        context={"rows_max": limits.dataset_rows_max, "columns_max": limits.dataset_columns_max},
    )


def work(workspace: Workspace, parameters: IngestParameters) -> WorkResult:
    """Turn each file into canonical Parquet and infer its schema."""
    files: dict[str, str] = {}
    tables: list[Json] = []
    for number, (position, name, format_) in enumerate(parameters.files):
        part = replace(workspace, progress=_share(workspace.progress, number, len(parameters.files)))
        with _naming(name):
            facts, made = _read(part, position, format_, parameters.options)
        files |= made
        tables.append(facts)
    if not parameters.tables:
        return WorkResult(files=files, facts=tables[0])
    _add_references(workspace, parameters, tables)
    _check_size(tables)
    return WorkResult(files=files, facts={"tables": tables})


def _read(
    workspace: Workspace, position: int | None, format_: FormatName, options: ReadOptions
) -> tuple[Json, dict[str, str]]:
    """Return the facts of a table, and the files that were made of its file, by role."""
    # DuckDB and Arrow are loaded where they are used: the API imports this module and must stay small.
    from understudy.tables.formats import FORMATS, write_table
    from understudy.tables.formats.scan import ReadLimits

    role = role_of("table", position)
    files = {role: f"{role}.parquet"}
    limits = ReadLimits(rows_max=workspace.context["rows_max"], columns_max=workspace.context["columns_max"])
    ingested = FORMATS[format_].ingest(
        workspace.inputs[role_of("upload", position)],
        workspace.folder / files[role],
        limits,
        workspace.progress,
        options=FORMATS[format_].taken(options),
    )
    if ingested.rejects:
        role = role_of("rejects", position)
        files[role] = f"{role}.parquet"
        write_table(workspace.folder / files[role], ingested.rejects.to_batches(), ingested.rejects.schema)
    facts = {
        "n_rows": ingested.n_rows,
        "n_columns": ingested.n_columns,
        "schema": write_stored(
            DatasetSchema(tables={DEFAULT_NAME: ingested.schema}),
            Findings(tables={DEFAULT_NAME: ingested.findings}),
        ),
        "warnings": ingested.warnings,
        "n_rows_skipped": ingested.rejects.num_rows if ingested.rejects else 0,
    }
    return facts, files


def _share(progress: Progress, number: int, n_tables: int) -> Progress:
    """Return the progress of one of several tables, as a share of that of all."""

    def report(phase: str, fraction: float, **rows: int | None) -> None:
        progress(phase, (number + fraction) / n_tables, **rows)

    return report if n_tables > 1 else progress


@contextmanager
def _naming(name: str | None) -> Iterator[None]:
    """Let an error say which of several tables it speaks of."""
    try:
        yield
    except UnderstudyError as error:
        if name is None:
            raise
        raise type(error)(f"Table {name!r}: {error.detail}", code=error.code) from error


def _add_references(workspace: Workspace, parameters: IngestParameters, tables: list[Json]) -> None:
    """Add to the findings of each table which of its columns seem to refer to another."""
    from understudy.tables.inference.keys import Related, find_relationships
    from understudy.tables.inference.values import SampledFile

    stored = {
        table.name: read_stored(facts["schema"], table.name)
        for table, facts in zip(parameters.tables, tables, strict=True)
    }
    with ExitStack() as stack:
        related = {}
        for position, (name, (schema, findings)) in enumerate(stored.items(), 1):
            path = workspace.folder / f"{role_of('table', position)}.parquet"
            sampled = stack.enter_context(SampledFile(path))
            related[name] = Related(sampled, schema.tables[name], findings.table(name))
        relationships = tuple(find_relationships(related))
    for facts, (name, (schema, findings)) in zip(tables, stored.items(), strict=True):
        found = findings.model_copy(update={"relationships": relationships})
        facts["schema"] = write_stored(schema, found, name)


def _check_size(tables: list[Json]) -> None:
    if len(json.dumps(tables)) > FACTS_BYTES_MAX:
        n_columns = sum(table["n_columns"] for table in tables)
        raise TooLarge(
            f"The tables have {n_columns:,} columns together, more than one dataset can tell of."
            " Upload them as several datasets.",
            code="too_many_columns",
        )


def publish(
    session: Session, job: Job, parameters: IngestParameters, files: Mapping[str, StoredFile], facts: Json
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
