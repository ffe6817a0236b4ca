"""Findings of schema inference: confidence, evidence, and candidates for keys, subjects and relationships.

Findings are stored alongside a schema, but not in a model file, because a model uses only the schema. A
column without findings has not been examined. `inference.examine` examines such columns before a fit.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from understudy.tables.kinds import ColumnKind
from understudy.tables.schema import Relationship

Confidence = Annotated[float, Field(ge=0, le=1, description="Confidence of the inference, from 0 to 1.")]
Explanation = Annotated[
    str, Field(description="Reasons in words. They contain counts but no values of the table.")
]


class RunnerUp(BaseModel):
    """The second most likely kind of a column."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ColumnKind
    confidence: Confidence


class ColumnFindings(BaseModel):
    """The confidence in a column's kind, and the evidence for the kind."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    confidence: Confidence
    evidence: Explanation = ""
    runner_up: RunnerUp | None = None


class Candidate(BaseModel):
    """Columns that may have a role in their table, such as primary key or subject."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    confidence: Confidence
    evidence: Explanation


class RelationshipCandidate(Relationship):
    """A possible relationship, inferred from the values and names of columns."""

    confidence: Confidence
    evidence: Explanation


class TableFindings(BaseModel):
    """Findings about one table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: Annotated[
        dict[str, ColumnFindings],
        Field(description="Findings by column name. A column without an entry was never examined."),
    ] = {}
    primary_keys: Annotated[
        tuple[Candidate, ...],
        Field(
            description="Candidates for the primary key, most confident first. None of their values is "
            "missing or repeated."
        ),
    ] = ()
    subject: Annotated[
        Candidate | None,
        Field(
            description="Column that seems to identify the subject. If the evidence is clear, it is declared "
            "as the subject."
        ),
    ] = None
    target: Annotated[
        Candidate | None,
        Field(description="Candidate for the target, which is the column to predict from the other columns."),
    ] = None


class Findings(BaseModel):
    """Findings about the tables of a dataset."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tables: dict[str, TableFindings] = {}
    relationships: Annotated[
        tuple[RelationshipCandidate, ...],
        Field(
            description="Candidates for relationships, most confident first, at most one per child column."
        ),
    ] = ()

    def table(self, name: str) -> TableFindings:
        """Return the findings about a table. The findings are empty if the table has not been examined."""
        return self.tables.get(name, TableFindings())
