"""The evidence of a report: the parameters, seeds and digests that are needed to recompute it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Literal

import pyarrow as pa
from pydantic import BaseModel, ConfigDict, Field, model_validator

import understudy
from understudy.evaluation.report import Report
from understudy.parameters.evaluation_options import EvaluationOptions
from understudy.tables.findings import TableFindings
from understudy.tables.fingerprint import fingerprint
from understudy.tables.inference import InferredTable
from understudy.tables.names import DEFAULT_NAME
from understudy.tables.schema import TableSchema
from understudy.tables.split import Split
from understudy.tables.stored_schemas import read_stored

Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$")]
SOURCE_SUFFIXES = (".py", ".html", ".css", ".txt")


class TableEvidence(BaseModel):
    """The size and the digests of a table, which identify it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    n_rows: int
    content_sha256: Annotated[
        Sha256,
        Field(description="SHA-256 of the table's content, computed by `understudy.tables.fingerprint`."),
    ]
    file_sha256: Annotated[
        Sha256 | None, Field(description="SHA-256 of the file that was read, before any split.")
    ] = None
    dataset_id: str | None = None


class Evidence(BaseModel):
    """The inputs and the software of a report."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    format_version: Literal["1"] = "1"
    software: Annotated[
        dict[str, str], Field(description="Versions of the software that computed the report, by name.")
    ]
    source_sha256: Annotated[
        Sha256, Field(description="SHA-256 of the source files of the package `understudy`.")
    ]
    seed: int
    options: EvaluationOptions
    table_schema: TableSchema
    findings: TableFindings = TableFindings()
    split: Annotated[
        Split | None,
        Field(description="Split of the real table's file, if the holdout is part of this file."),
    ] = None
    split_subject: Annotated[
        tuple[str, ...],
        Field(description="Columns of the subject at the time of the split, before the training."),
    ] = ()
    tables: Annotated[
        dict[str, TableEvidence],
        Field(description="Tables by role: `real`, `synthetic`, `holdout`, `canaries`."),
    ]
    # `Any` is a JSON value. Its structure depends on the kind of job.
    parameters: Annotated[
        dict[str, Any],
        Field(
            description="Resolved parameters by kind of job: those of the evaluation job and, if known, "
            "those of the training and sampling jobs."
        ),
    ] = {}

    @model_validator(mode="before")
    @classmethod
    def _read_older_schema(cls, values: Any) -> Any:  # `Any` is unvalidated input.
        """Accept packs of version 0, which store the findings in the schema."""
        schema = values.get("table_schema") if isinstance(values, dict) else None
        if not isinstance(schema, dict) or "locale" not in schema:
            return values
        stored, findings = read_stored(schema)
        return values | {
            "table_schema": stored.tables[DEFAULT_NAME],
            "findings": findings.table(DEFAULT_NAME),
        }


@dataclass(frozen=True)
class Provenance:
    """The origin of the tables.

    Parameters
    ----------
    sources : mapping of role to `file_sha256` and `dataset_id`
        The source of each table.
    split : (Split, tuple of str), optional
        The split that was applied to the file of the real table, and the subject columns at that time.
    parameters : mapping of kind of job to parameters
        The resolved parameters of the evaluation job and of the jobs that generated the rows.
    """

    sources: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    split: tuple[Split, tuple[str, ...]] | None = None
    # `Any` is a JSON value. Its structure depends on the kind of job.
    parameters: Mapping[str, Any] = field(default_factory=dict)


def collect(
    report: Report, inferred: InferredTable, tables: Mapping[str, pa.Table], provenance: Provenance
) -> Evidence:
    """Return the evidence of a report.

    Parameters
    ----------
    tables : mapping of role to pyarrow.Table
        The scored tables, with the column types of the schema.
    """
    split, split_subject = provenance.split or (None, ())
    return Evidence(
        software=report.versions,
        source_sha256=source_digest(),
        seed=report.seed,
        # A detected target is omitted because a recomputation must detect it again.
        options=report.options.model_copy(update={"target": None})
        if report.is_target_chosen
        else report.options,
        table_schema=inferred.schema,
        findings=inferred.findings,
        split=split,
        split_subject=split_subject,
        tables={
            role: TableEvidence(
                n_rows=table.num_rows,
                content_sha256=fingerprint(table),
                **provenance.sources.get(role, {}),
            )
            for role, table in tables.items()
        },
        parameters=dict(provenance.parameters),
    )


def source_digest() -> str:
    """Return a SHA-256 digest of the package's source, template and data files, ordered by path."""
    root = Path(understudy.__file__).parent
    digest = hashlib.sha256(version("understudy").encode())
    for path in sorted(path for path in root.rglob("*") if path.suffix in SOURCE_SUFFIXES):
        digest.update(f"\0{path.relative_to(root).as_posix()}\0".encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()
