"""Read schemas in the form of version 0: one table, with the findings among its columns.

Rows of older databases, model files of format 2 and evidence packs of format 1 contain this form.
"""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict

from understudy.tables.findings import (
    Candidate,
    ColumnFindings,
    Findings,
    RelationshipCandidate,
    RunnerUp,
    TableFindings,
)
from understudy.tables.names import DEFAULT_NAME
from understudy.tables.schema import Column, ColumnKind, DatasetSchema, TableSchema


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
    evidence: str = ""
    confidence: float | None = None
    runner_up: RunnerUp | None = None

    def to_column(self) -> Column:
        return Column(
            name=self.name,
            kind=self.kind,
            arrow_type=self.arrow_type,
            nullable=self.nullable,
        )

    def to_findings(self) -> ColumnFindings | None:
        if self.confidence is None:
            return None
        return ColumnFindings(confidence=self.confidence, evidence=self.evidence, runner_up=self.runner_up)


class _Schema(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: tuple[_Column, ...]
    subject: str | None = None
    locale: str = "en"
    primary_key_candidates: tuple[_Candidate, ...] = ()
    subject_candidate: _Candidate | None = None
    target_candidate: _Candidate | None = None
    foreign_key_candidates: tuple[_Reference, ...] = ()

    def to_schema(self, table: str) -> DatasetSchema:
        subject = () if self.subject is None else (self.subject,)
        columns = tuple(column.to_column() for column in self.columns)
        described = TableSchema(columns=columns, subject=subject)
        return DatasetSchema(tables={table: described}, locale=self.locale)

    def to_findings(self, table: str) -> Findings:
        columns = {column.name: column.to_findings() for column in self.columns}
        subject, target = self.subject_candidate, self.target_candidate
        found = TableFindings(
            columns={name: why for name, why in columns.items() if why is not None},
            primary_keys=tuple(candidate.to_candidate() for candidate in self.primary_key_candidates),
            subject=None if subject is None else subject.to_candidate(),
            target=None if target is None else target.to_candidate(),
        )
        relationships = tuple(key.to_relationship(table) for key in self.foreign_key_candidates)
        return Findings(tables={table: found}, relationships=relationships)


def read_stored(document: object, table: str = DEFAULT_NAME) -> tuple[DatasetSchema, Findings]:
    """Return what a schema in the form of version 0 says, as the schema of a dataset of one table.

    A column without a confidence was never examined and has no findings.

    Raises
    ------
    pydantic.ValidationError
        If it is not such a schema.
    """
    stored = _Schema.model_validate(document)
    return stored.to_schema(table), stored.to_findings(table)
