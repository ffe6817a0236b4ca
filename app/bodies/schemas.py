"""Bodies of table schemas."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Self

from pydantic import BaseModel, ConfigDict, Field

from app.bodies.base import Body, Json

if TYPE_CHECKING:
    from understudy.tables.findings import Candidate, ColumnFindings, Findings, RelationshipCandidate
    from understudy.tables.schema import Column, DatasetSchema
from understudy.tables.text_style import TextStyle


class KindRunnerUp(Body):
    """The second most likely kind of a column."""

    kind: Annotated[
        str, Field(description="Kind of the column. More kinds may be added.", examples=["identifier"])
    ]
    confidence: Annotated[float, Field(ge=0, le=1, examples=[0.03])]


class ColumnCandidate(Body):
    """A column that may have a special role in its table, such as the primary key."""

    column: Annotated[str, Field(examples=["customer_id"])]
    confidence: Annotated[float, Field(ge=0, le=1, examples=[0.9])]
    evidence: Annotated[
        str, Field(description="Explanation of the finding. It never includes values from the column.")
    ]


class ColumnReference(ColumnCandidate):
    """A column with values that appear to refer to the key of another table."""

    parent_table: Annotated[str, Field(examples=["customers"])]
    parent_column: Annotated[str, Field(examples=["id"])]


class TableColumn(Body):
    """A column of a table with its kind and type."""

    name: Annotated[str, Field(examples=["dep_delay"])]
    kind: Annotated[
        str,
        Field(
            description="Kind of the column, which describes the meaning of its values. More kinds may be "
            "added.",
            examples=["integer"],
        ),
    ]
    arrow_type: Annotated[str, Field(description="Arrow type of the stored values.", examples=["int64"])]
    nullable: bool
    evidence: Annotated[
        str,
        Field(
            description="Explanation of the kind, with counts but without values of the column.",
            examples=["998 of 1,000 sampled values are IBANs with valid check digits"],
        ),
    ] = ""
    confidence: Annotated[
        float | None,
        Field(
            ge=0,
            le=1,
            description="Confidence in the kind. Absent if the kind was not inferred from values.",
        ),
    ] = None
    runner_up: Annotated[KindRunnerUp | None, Field(description="Second most likely kind of the column.")] = (
        None
    )
    domain: Annotated[
        Json | None, Field(description="Allowed values of the column, if they were declared.")
    ] = None
    notation: Annotated[
        Json | None,
        Field(
            description="Notation of the values in text formats, such as a date pattern or a currency.",
            examples=[{"type": "date", "pattern": "%d-%b-%Y"}],
        ),
    ] = None


class TableSchema(Body):
    """The schema of a table: its columns in order, and the columns with a special role."""

    columns: list[TableColumn]
    locale: Annotated[
        str,
        Field(description="Language and country of generated names and texts.", examples=["de-at"]),
    ] = "en"
    subject: Annotated[
        list[str] | None,
        Field(
            description="Columns that identify the subject of a row, such as a person. If a subject is "
            "set, privacy protection counts subjects instead of rows."
        ),
    ] = None
    primary_key: Annotated[list[str] | None, Field(description="Columns of the primary key.")] = None
    order_by: Annotated[list[str] | None, Field(description="Columns that order the rows of a subject.")] = (
        None
    )
    role: Annotated[
        str,
        Field(description="Role of the table: `data`, or `reference` for public lookup data."),
    ] = "data"
    text_style: Annotated[
        Json | None,
        Field(
            description="Style of the CSV file that the table comes from: delimiter, quotation marks, line "
            "endings and encoding.",
            examples=[{"delimiter": ";", "quoting": "minimal", "encoding": "cp1252"}],
        ),
    ] = None
    primary_key_candidates: Annotated[
        list[ColumnCandidate] | None,
        Field(description="Columns without missing or duplicate values, best candidate first."),
    ] = None
    subject_candidate: Annotated[
        ColumnCandidate | None,
        Field(
            description="Column that appears to identify the subject, with the evidence. If the evidence is "
            "clear, the column is also set as `subject`. To count rows instead of subjects, set "
            "`subject` to `[]`."
        ),
    ] = None
    target_candidate: Annotated[
        ColumnCandidate | None,
        Field(description="Column that appears to be a prediction target. For information only."),
    ] = None
    foreign_key_candidates: Annotated[
        list[ColumnReference] | None,
        Field(description="Columns that appear to refer to tables of the dataset, most likely first."),
    ] = None

    @classmethod
    def of(cls, schema: DatasetSchema, findings: Findings, table: str) -> Self:
        """Return the response body for one table of a dataset."""
        table_schema, table_findings = schema.tables[table], findings.table(table)
        subject, target = table_findings.subject, table_findings.target
        return cls(
            columns=[
                _column(column, table_findings.columns.get(column.name)) for column in table_schema.columns
            ],
            locale=schema.locale,
            subject=list(table_schema.subject) or None,
            primary_key=list(table_schema.primary_key) or None,
            order_by=list(table_schema.order_by) or None,
            role=table_schema.role,
            text_style=_style(table_schema.text_style),
            primary_key_candidates=[_candidate(candidate) for candidate in table_findings.primary_keys],
            subject_candidate=None if subject is None else _candidate(subject),
            target_candidate=None if target is None else _candidate(target),
            foreign_key_candidates=[
                _reference(candidate) for candidate in findings.relationships if candidate.child == table
            ],
        )


def _style(style: TextStyle | None) -> Json | None:
    return None if style is None else style.model_dump(mode="json", exclude_defaults=True) or None


def _column(column: Column, findings: ColumnFindings | None) -> TableColumn:
    evidence = {} if findings is None else findings.model_dump(mode="json")
    notation = column.notation and {"type": column.notation.type} | column.notation.model_dump(
        mode="json", exclude_defaults=True
    )
    return TableColumn.model_validate(column.model_dump(mode="json") | {"notation": notation} | evidence)


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
    """SDV metadata as JSON, in version SINGLE_TABLE_V1, MULTI_TABLE_V1 or V1."""

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
    """The changed schema, and warnings about metadata that was not applied."""

    table_schema: Annotated[TableSchema, Field(alias="schema")]
    warnings: Annotated[list[str], Field(description="Warnings about metadata that was not applied.")]
