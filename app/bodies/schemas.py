"""Bodies of schemas: what the columns of a table mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from app.bodies.base import Body, Json

if TYPE_CHECKING:
    from understudy.tables.findings import Candidate, ColumnFindings, Findings, RelationshipCandidate
    from understudy.tables.schema import Column, DatasetSchema


class KindRunnerUp(Body):
    """The kind that came second."""

    kind: Annotated[str, Field(description="Kinds may be added.", examples=["identifier"])]
    confidence: Annotated[float, Field(ge=0, le=1, examples=[0.03])]


class ColumnCandidate(Body):
    """A column that may have a part in its table, and why."""

    column: Annotated[str, Field(examples=["customer_id"])]
    confidence: Annotated[float, Field(ge=0, le=1, examples=[0.9])]
    evidence: Annotated[str, Field(description="In words, without any value.")]


class ColumnReference(ColumnCandidate):
    """A column whose values seem to be those of another table's key."""

    parent_table: Annotated[str, Field(examples=["customers"])]
    parent_column: Annotated[str, Field(examples=["id"])]


class TableColumn(Body):
    """A column of a table."""

    name: Annotated[str, Field(examples=["dep_delay"])]
    kind: Annotated[str, Field(description="What its values mean; kinds may be added.", examples=["integer"])]
    arrow_type: Annotated[str, Field(description="The Arrow type of the stored values.", examples=["int64"])]
    nullable: bool
    evidence: Annotated[
        str,
        Field(
            description="Why this kind was chosen, in words with counts; no values.",
            examples=["998 of 1,000 sampled values are IBANs with valid check digits"],
        ),
    ] = ""
    confidence: Annotated[
        float | None,
        Field(ge=0, le=1, description="How sure the kind is; absent where no values were looked at."),
    ] = None
    runner_up: Annotated[KindRunnerUp | None, Field(description="The kind that came second.")] = None
    domain: Annotated[
        Json | None, Field(description="The values that it may have, where they were declared.")
    ] = None


class TableSchema(Body):
    """The columns of a table, in their order."""

    columns: list[TableColumn]
    locale: Annotated[
        str, Field(description="Language and country of made-up names and texts.", examples=["de-at"])
    ] = "en"
    subject: Annotated[
        list[str] | None,
        Field(description="The columns that say whose row it is; protection then counts subjects, not rows."),
    ] = None
    primary_key: Annotated[list[str] | None, Field(description="The columns that identify a row.")] = None
    order_by: Annotated[
        list[str] | None, Field(description="The columns that order the rows of a subject.")
    ] = None
    role: Annotated[str, Field(description="`data`, or `reference` for public look-up data.")] = "data"
    primary_key_candidates: Annotated[
        list[ColumnCandidate] | None,
        Field(description="Columns in which no value is missing or occurs twice; the best one first."),
    ] = None
    subject_candidate: Annotated[
        ColumnCandidate | None,
        Field(description="The column that seems to say whose row it is; it counts only as `subject`."),
    ] = None
    target_candidate: Annotated[
        ColumnCandidate | None,
        Field(description="The column that the others seem to predict; nothing follows from it."),
    ] = None
    foreign_key_candidates: Annotated[
        list[ColumnReference] | None,
        Field(description="Columns that seem to refer to tables of the dataset; the surest first."),
    ] = None

    @classmethod
    def of(cls, schema: DatasetSchema, findings: Findings, table: str) -> Self:
        """Return the body of one table of a dataset."""
        described, found = schema.tables[table], findings.table(table)
        return cls(
            columns=[_column(column, found.columns.get(column.name)) for column in described.columns],
            locale=schema.locale,
            subject=list(described.subject) or None,
            primary_key=list(described.primary_key) or None,
            order_by=list(described.order_by) or None,
            role=described.role,
            primary_key_candidates=[_candidate(candidate) for candidate in found.primary_keys],
            subject_candidate=None if found.subject is None else _candidate(found.subject),
            target_candidate=None if found.target is None else _candidate(found.target),
            foreign_key_candidates=[
                _reference(candidate) for candidate in findings.relationships if candidate.child == table
            ],
        )


def _column(column: Column, found: ColumnFindings | None) -> TableColumn:
    why = {} if found is None else found.model_dump(mode="json")
    return TableColumn.model_validate(column.model_dump(mode="json") | why)


def _candidate(candidate: Candidate) -> ColumnCandidate:
    (column,) = candidate.columns
    return ColumnCandidate(column=column, confidence=candidate.confidence, evidence=candidate.evidence)


def _reference(candidate: RelationshipCandidate) -> ColumnReference:
    (column,), (parent_column,) = candidate.child_columns, candidate.parent_columns
    return ColumnReference(
        column=column,
        confidence=candidate.confidence,
        evidence=candidate.evidence,
        parent_table=candidate.parent,
        parent_column=parent_column,
    )


class SdvMetadata(BaseModel):
    """Metadata of SDV as its JSON has them: SINGLE_TABLE_V1, MULTI_TABLE_V1 or V1."""

    model_config = ConfigDict(
        extra="allow",
        json_schema_extra={
            "examples": [
                {
                    "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1",
                    "primary_key": "guest_email",
                    "columns": {"guest_email": {"sdtype": "email"}, "room_rate": {"sdtype": "numerical"}},
                }
            ]
        },
    )

    METADATA_SPEC_VERSION: Annotated[str, Field(examples=["SINGLE_TABLE_V1"])]


class AppliedSdvMetadata(Body):
    """The schema after metadata were applied, and what of them has no place in it."""

    table_schema: Annotated[TableSchema, Field(alias="schema")]
    warnings: list[str]
