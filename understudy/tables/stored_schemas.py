"""Read single-table schemas that store the findings with each column.

The HTTP API returns tables in this form, and the command line accepts files in this form. Rows of older
databases, model files of format 2 and evidence packs of format 1 also use this form, but with a single
subject column.
"""

from __future__ import annotations

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, model_validator

from understudy.tables.findings import (
    Candidate,
    ColumnFindings,
    Findings,
    RelationshipCandidate,
    RunnerUp,
    TableFindings,
)
from understudy.tables.json_place import JsonPlace
from understudy.tables.names import DEFAULT_NAME
from understudy.tables.notation import Notation
from understudy.tables.schema import Column, ColumnDomain, ColumnKind, DatasetSchema, TableSchema
from understudy.tables.text_style import TextStyle


class _Candidate(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    confidence: float
    evidence: str

    def to_candidate(self) -> Candidate:
        return Candidate(columns=(self.column,), confidence=self.confidence, evidence=self.evidence)


class _Reference(_Candidate):
    parent_table: str
    parent_column: str

    def to_relationship(self, child: str) -> RelationshipCandidate:
        return RelationshipCandidate(
            child=child,
            child_columns=(self.column,),
            parent=self.parent_table,
            parent_columns=(self.parent_column,),
            confidence=self.confidence,
            evidence=self.evidence,
        )


class _Column(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    kind: ColumnKind
    arrow_type: str
    nullable: bool
    domain: ColumnDomain | None = None
    notation: Notation | None = None
    json_place: JsonPlace | None = None
    evidence: str = ""
    confidence: float | None = None
    runner_up: RunnerUp | None = None

    def to_column(self) -> Column:
        return Column(
            name=self.name,
            kind=self.kind,
            arrow_type=self.arrow_type,
            nullable=self.nullable,
            domain=self.domain,
            notation=self.notation,
            json_place=self.json_place,
        )

    def to_findings(self) -> ColumnFindings | None:
        if self.confidence is None:
            return None
        return ColumnFindings(confidence=self.confidence, evidence=self.evidence, runner_up=self.runner_up)


class _Schema(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: tuple[_Column, ...]
    primary_key: tuple[str, ...] = ()
    subject: str | tuple[str, ...] = ()
    order_by: tuple[str, ...] = ()
    role: Literal["data", "reference"] = "data"
    text_style: TextStyle | None = None
    locale: str = "en"
    primary_key_candidates: tuple[_Candidate, ...] = ()
    subject_candidate: _Candidate | None = None
    target_candidate: _Candidate | None = None
    foreign_key_candidates: tuple[_Reference, ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _without_nulls(cls, values: Any) -> Any:  # Any: the argument is parsed JSON.
        """Treat null entries, such as a null subject, as absent."""
        if not isinstance(values, dict):
            return values
        return {name: value for name, value in values.items() if value is not None}

    def to_schema(self, table: str) -> DatasetSchema:
        described = TableSchema(
            columns=tuple(column.to_column() for column in self.columns),
            primary_key=self.primary_key,
            subject=(self.subject,) if isinstance(self.subject, str) else self.subject,
            order_by=self.order_by,
            role=self.role,
            text_style=self.text_style,
        )
        return DatasetSchema(tables={table: described}, locale=self.locale)

    def to_findings(self, table: str) -> Findings:
        columns = {column.name: column.to_findings() for column in self.columns}
        subject, target = self.subject_candidate, self.target_candidate
        table_findings = TableFindings(
            columns={name: findings for name, findings in columns.items() if findings is not None},
            primary_keys=tuple(candidate.to_candidate() for candidate in self.primary_key_candidates),
            subject=None if subject is None else subject.to_candidate(),
            target=None if target is None else target.to_candidate(),
        )
        relationships = tuple(key.to_relationship(table) for key in self.foreign_key_candidates)
        return Findings(tables={table: table_findings}, relationships=relationships)


def read_stored(document: object, table: str = DEFAULT_NAME) -> tuple[DatasetSchema, Findings]:
    """Return a dataset schema that contains only this table, and the findings about the table.

    A column without a confidence has not been examined, so it has no findings.

    Raises
    ------
    pydantic.ValidationError
        If the document is not a schema in this form.
    """
    stored = _Schema.model_validate(document)
    return stored.to_schema(table), stored.to_findings(table)
