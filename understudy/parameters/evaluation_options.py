"""What a caller may say of an evaluation: which columns matter for what, which questions, which policy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from understudy.parameters.constraints import ColumnConstraint
from understudy.parameters.policy import Policy

N_COLUMNS_NAMED_MAX = 20
N_QUERIES_MAX = 100
N_GROUPING_MAX = 3

ColumnName = Annotated[str, Field(min_length=1, max_length=255)]
Aggregate = Literal["count", "share", "sum", "mean", "quantile", "distinct"]


class AggregateQuery(BaseModel):
    """A question that somebody will ask of the synthetic table: an aggregate, by groups, of some rows."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[
        str | None, Field(min_length=1, max_length=255, description="For the report; made if left out.")
    ] = None
    aggregate: Annotated[
        Aggregate,
        Field(description="`count` and `share` are of rows; the others of the known values of `column`."),
    ]
    column: Annotated[ColumnName | None, Field(description="Needed by sum, mean, quantile, distinct.")] = None
    quantile: Annotated[
        float | None, Field(gt=0, lt=1, description="Of `quantile`: 0.5 is the median.", examples=[0.5])
    ] = None
    group_by: Annotated[
        tuple[ColumnName, ...],
        Field(max_length=N_GROUPING_MAX, description="One answer a combination of their values."),
    ] = ()
    where: Annotated[
        dict[str, ColumnConstraint], Field(description="Only rows in which columns are so.", max_length=20)
    ] = {}

    @model_validator(mode="after")
    def _is_whole(self) -> AggregateQuery:
        if (self.aggregate in ("count", "share")) != (self.column is None):
            raise ValueError("count and share take no column, the other aggregates need one")
        if (self.aggregate == "quantile") != (self.quantile is not None):
            raise ValueError("`quantile` is given with the aggregate quantile, and with no other")
        return self


class EvaluationOptions(BaseModel):
    """What a report shall look at, beside what it always does."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: Annotated[
        ColumnName | None,
        Field(description="A column to predict: shows what the synthetic rows are worth for it."),
    ] = None
    protected: Annotated[
        tuple[ColumnName, ...],
        Field(
            max_length=N_COLUMNS_NAMED_MAX,
            description="Columns by which nobody shall be put at a disadvantage, such as sex: the report"
            " compares their groups.",
        ),
    ] = ()
    sensitive: Annotated[
        tuple[ColumnName, ...],
        Field(
            max_length=N_COLUMNS_NAMED_MAX,
            description="Columns that an attacker would like to know of a person. Left out: some are chosen.",
        ),
    ] = ()
    queries: Annotated[
        tuple[AggregateQuery, ...],
        Field(max_length=N_QUERIES_MAX, description="Questions whose answers the report compares."),
    ] = ()
    policy: Annotated[
        str | Policy,
        Field(description="Thresholds of the verdict: `standard`, `public`, or your own."),
    ] = "standard"

    @property
    def named_columns(self) -> dict[str, str]:
        """Each column that is named, and where, as a JSON pointer."""
        found = {} if self.target is None else {self.target: "/target"}
        for part in ("protected", "sensitive"):
            found |= {name: f"/{part}/{i}" for i, name in enumerate(getattr(self, part))}
        for i, query in enumerate(self.queries):
            found |= dict.fromkeys((*query.group_by, *query.where), f"/queries/{i}")
            found |= {} if query.column is None else {query.column: f"/queries/{i}/column"}
        return found
