"""Work for `ingest` jobs: convert uploaded files to canonical Parquet and infer their schemas."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

from understudy.errors import TooLarge, UnderstudyError
from understudy.parameters.base import Json
from understudy.parameters.ingest import IngestParameters
from understudy.parameters.read_options import FormatName, ReadOptions
from understudy.progress import Progress
from understudy.tables.formats import FORMATS, write_table
from understudy.tables.formats.base import Ingested
from understudy.tables.formats.scan import ReadLimits
from understudy.tables.inference import InferredTable, find_locale
from understudy.tables.inference.keys import Related, find_relationships
from understudy.tables.inference.values import SampledFile
from understudy.work.base import WorkResult, Workspace
from understudy.work.uploaded_file import uploaded_file

# Maximum size of the facts in bytes. The sandbox accepts at most 8 MiB of facts per job.
FACTS_BYTES_MAX = 7 << 20
# Start and end of each phase, as fractions of the time that a table takes. Some formats skip phases.
SHARES = {
    "decompressing": (0.0, 0.05),
    "checking": (0.05, 0.15),
    "parsing": (0.15, 0.7),
    "writing": (0.7, 1.0),
}


def work(workspace: Workspace, parameters: IngestParameters) -> WorkResult:
    """Convert each file to canonical Parquet and infer its schema."""
    files: dict[str, str] = {}
    tables: list[Json] = []
    inferred: dict[str, InferredTable] = {}
    all_roles = workspace.context["roles"]
    for number, (table, roles) in enumerate(zip(parameters.tables, all_roles, strict=True)):
        part = replace(workspace, progress=_share(workspace.progress, number, len(all_roles)))
        with _naming(table.name):
            ingested, of_table = _read(part, roles, table.format, parameters.options)
        files |= of_table
        tables.append(_facts(ingested))
        inferred[table.name] = InferredTable(ingested.schema, ingested.findings)
    paths = [workspace.folder / files[roles["table"]] for roles in all_roles]
    _check_size(tables)
    return WorkResult(files=files, facts={"tables": tables, **_dataset_facts(inferred, paths)})


def _read(
    workspace: Workspace, roles: Mapping[str, str], format_: FormatName, options: ReadOptions
) -> tuple[Ingested, dict[str, str]]:
    """Return the content of an uploaded file, and the names of the written files by role."""
    files = {roles["table"]: f"{roles['table']}.parquet"}
    limits = ReadLimits(rows_max=workspace.context["rows_max"], columns_max=workspace.context["columns_max"])
    with uploaded_file(workspace, roles["upload"]) as source:
        ingested = FORMATS[format_].ingest(
            source,
            workspace.folder / files[roles["table"]],
            limits,
            workspace.progress,
            options=FORMATS[format_].supported_options(options),
        )
    if ingested.rejects:
        role = roles["rejects"]
        files[role] = f"{role}.parquet"
        write_table(workspace.folder / files[role], ingested.rejects.to_batches(), ingested.rejects.schema)
    return ingested, files


def _facts(ingested: Ingested) -> Json:
    return {
        "n_rows": ingested.n_rows,
        "n_columns": ingested.n_columns,
        "schema": ingested.schema.model_dump(mode="json"),
        "findings": ingested.findings.model_dump(mode="json"),
        "warnings": ingested.warnings,
        "n_rows_skipped": ingested.rejects.num_rows if ingested.rejects else 0,
    }


def _share(progress: Progress, number: int, n_tables: int) -> Progress:
    """Return a function that reports the progress of one table as part of the total progress."""

    def report(phase: str, fraction: float, **rows: int | None) -> None:
        start, end = SHARES.get(phase, (0.0, 0.0))
        progress(phase, (number + start + (end - start) * fraction) / n_tables, **rows)

    return report


@contextmanager
def _naming(table: str) -> Iterator[None]:
    """Prefix an error's detail with the name of the table."""
    try:
        yield
    except UnderstudyError as error:
        raise type(error)(f"Table {table!r}: {error.detail}", code=error.code) from error


def _dataset_facts(inferred: Mapping[str, InferredTable], paths: Sequence[Path]) -> Json:
    """Return the candidates for relationships between tables or within one table, and the locale."""
    with ExitStack() as stack:
        opened = {
            name: stack.enter_context(SampledFile(path)) for name, path in zip(inferred, paths, strict=True)
        }
        related = {
            name: Related(opened[name], table.schema, table.findings) for name, table in inferred.items()
        }
        candidates = [candidate.model_dump(mode="json") for candidate in find_relationships(related)]
        schemas = {name: table.schema for name, table in inferred.items()}
        return {"relationship_candidates": candidates, "locale": find_locale(schemas, opened)}


def _check_size(tables: list[Json]) -> None:
    if len(json.dumps(tables)) > FACTS_BYTES_MAX:
        n_columns = sum(table["n_columns"] for table in tables)
        raise TooLarge(
            f"The tables have {n_columns:,} columns in total, so the description of the dataset exceeds its "
            "size limit. Upload the tables as several datasets.",
            code="too_many_columns",
        )
