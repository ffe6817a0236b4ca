"""Findings of schema inference: how sure it is, why, and which keys, subjects and relationships it suggests.

Findings are stored beside a schema and never in a model file. A model relies on the schema alone. A column
without findings was never examined; `inference.examine` examines such columns before a fit.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from understudy.tables.kinds import ColumnKind
from understudy.tables.schema import Relationship

Confidence = Annotated[float, Field(ge=0, le=1)]
Explanation = Annotated[str, Field(description="The reason in words, with counts; contains no values.")]


class RunnerUp(BaseModel):
    """The second most likely kind of a column."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: ColumnKind
    confidence: Confidence


class ColumnFindings(BaseModel):
    """The reason for the kind of a column."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    confidence: Confidence
    evidence: Explanation = ""
    runner_up: RunnerUp | None = None


class Candidate(BaseModel):
    """Columns that may have a role in their table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: Annotated[tuple[str, ...], Field(min_length=1)]
    confidence: Confidence
    evidence: Explanation


class RelationshipCandidate(Relationship):
    """A relationship that the values and names of columns suggest."""

    confidence: Confidence
    evidence: Explanation


class TableFindings(BaseModel):
    """Findings about one table."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    columns: Annotated[
        dict[str, ColumnFindings], Field(description="By column; a column that is absent was never examined.")
    ] = {}
    primary_keys: Annotated[
        tuple[Candidate, ...],
        Field(description="Candidates for the primary key: no value is missing or repeated. Best first."),
    ] = ()
    subject: Annotated[
        Candidate | None,
        Field(description="The likely subject. It has no effect until the schema declares it."),
    ] = None
    target: Annotated[Candidate | None, Field(description="The column that others likely predict.")] = None


class Findings(BaseModel):
    """Findings about the tables of a dataset."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    tables: dict[str, TableFindings] = {}
    relationships: Annotated[
        tuple[RelationshipCandidate, ...], Field(description="Most confident first, at most one per column.")
    ] = ()

    def table(self, name: str) -> TableFindings:
        """Return the findings about a table; empty if it was never examined."""
        return self.tables.get(name, TableFindings())
