"""Work of kind `ingest`: reads uploaded files, writes each as canonical Parquet and infers its schema."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import replace

from understudy.errors import TooLarge, UnderstudyError
from understudy.parameters.base import Json
from understudy.parameters.ingest import IngestParameters
from understudy.parameters.read_options import FormatName, ReadOptions
from understudy.progress import Progress
from understudy.tables.findings import Findings
from understudy.tables.formats import FORMATS, write_table
from understudy.tables.formats.scan import ReadLimits
from understudy.tables.inference.keys import Related, find_relationships
from understudy.tables.inference.values import SampledFile
from understudy.tables.names import DEFAULT_NAME
from understudy.tables.schema import DatasetSchema
from understudy.tables.stored_schemas import read_stored, write_stored
from understudy.work.base import WorkResult, Workspace
from understudy.work.uploaded_file import uploaded_file

# What the sandbox takes as the facts of one job is 8 MiB.
FACTS_BYTES_MAX = 7 << 20


def work(workspace: Workspace, parameters: IngestParameters) -> WorkResult:
    """Turn each file into canonical Parquet and infer its schema."""
    files: dict[str, str] = {}
    tables: list[Json] = []
    roles = workspace.context["roles"]
    for number, (file, of_file) in enumerate(zip(parameters.files, roles, strict=True)):
        part = replace(workspace, progress=_share(workspace.progress, number, len(roles)))
        with _naming(file.name):
            facts, made = _read(part, of_file, file.format, parameters.options)
        files |= made
        tables.append(facts)
    if not parameters.tables:
        return WorkResult(files=files, facts=tables[0])
    _add_references(workspace, parameters, tables)
    _check_size(tables)
    return WorkResult(files=files, facts={"tables": tables})


def _read(
    workspace: Workspace, roles: Mapping[str, str], format_: FormatName, options: ReadOptions
) -> tuple[Json, dict[str, str]]:
    """Return the facts of a table, and the files that were made of its file, by role."""
    role = roles["table"]
    files = {role: _file_name(role)}
    limits = ReadLimits(rows_max=workspace.context["rows_max"], columns_max=workspace.context["columns_max"])
    with uploaded_file(workspace, roles["upload"]) as source:
        ingested = FORMATS[format_].ingest(
            source,
            workspace.folder / files[role],
            limits,
            workspace.progress,
            options=FORMATS[format_].taken(options),
        )
    if ingested.rejects:
        role = roles["rejects"]
        files[role] = _file_name(role)
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


def _file_name(role: str) -> str:
    return f"{role}.parquet"


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
    paths = [workspace.folder / _file_name(roles["table"]) for roles in workspace.context["roles"]]
    stored = {
        table.name: read_stored(facts["schema"], table.name)
        for table, facts in zip(parameters.tables, tables, strict=True)
    }
    with ExitStack() as stack:
        related = {
            name: Related(stack.enter_context(SampledFile(path)), schema.tables[name], findings.table(name))
            for (name, (schema, findings)), path in zip(stored.items(), paths, strict=True)
        }
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
