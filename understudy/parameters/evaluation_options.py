"""Options of an evaluation: column roles, aggregate queries and the policy."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from understudy.parameters.base import COLUMN_NAME_LENGTH_MAX
from understudy.parameters.constraints import ColumnConstraint
from understudy.parameters.policy import Policy

N_COLUMNS_NAMED_MAX = 20
N_QUERIES_MAX = 100
N_GROUPING_MAX = 3

ColumnName = Annotated[str, Field(min_length=1, max_length=COLUMN_NAME_LENGTH_MAX)]
Aggregate = Literal["count", "share", "sum", "mean", "quantile", "distinct"]


class AggregateQuery(BaseModel):
    """An aggregate query that runs on the real and the synthetic table to compare the results."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=255,
            description="Name of the query in the report. Derived from the query if omitted.",
        ),
    ] = None
    aggregate: Annotated[
        Aggregate,
        Field(
            description="Aggregate function. `count` and `share` apply to rows. The other functions apply "
            "to the values of `column` that are not missing."
        ),
    ]
    column: Annotated[
        ColumnName | None,
        Field(description="Column to aggregate. Required for `sum`, `mean`, `quantile` and `distinct`."),
    ] = None
    quantile: Annotated[
        float | None,
        Field(
            gt=0,
            lt=1,
            description="Quantile to compute, such as 0.5 for the median. Required for `quantile`.",
            examples=[0.5],
        ),
    ] = None
    group_by: Annotated[
        tuple[ColumnName, ...],
        Field(
            max_length=N_GROUPING_MAX,
            description="Columns to group by. The query has one result per combination of their values.",
        ),
    ] = ()
    where: Annotated[
        dict[str, ColumnConstraint],
        Field(description="Constraints on the rows to aggregate, by column name.", max_length=20),
    ] = {}

    @model_validator(mode="after")
    def _is_whole(self) -> AggregateQuery:
        if (self.aggregate in ("count", "share")) != (self.column is None):
            raise ValueError("omit column for count and share, and set it for all other aggregates")
        if (self.aggregate == "quantile") != (self.quantile is not None):
            raise ValueError("set quantile for the aggregate quantile, and omit it for all other aggregates")
        return self


class EvaluationOptions(BaseModel):
    """Options of an evaluation: column roles, aggregate queries and the policy."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    target: Annotated[
        ColumnName | None,
        Field(
            description="Column to predict. The report measures how well models that are trained on the"
            " synthetic rows predict it."
        ),
    ] = None
    protected: Annotated[
        tuple[ColumnName, ...],
        Field(
            max_length=N_COLUMNS_NAMED_MAX,
            description="Protected columns, such as sex. To measure bias, the report compares the groups of "
            "rows that these columns define.",
        ),
    ] = ()
    sensitive: Annotated[
        tuple[ColumnName, ...],
        Field(
            max_length=N_COLUMNS_NAMED_MAX,
            description="Sensitive columns that a simulated attacker tries to infer. Chosen "
            "automatically if omitted.",
        ),
    ] = ()
    queries: Annotated[
        tuple[AggregateQuery, ...],
        Field(
            max_length=N_QUERIES_MAX,
            description="Queries to run on both tables. The report compares their results.",
        ),
    ] = ()
    policy: Annotated[
        str | Policy,
        Field(description="Policy for the verdict: `standard`, `public`, or a custom policy."),
    ] = "standard"

    @property
    def named_columns(self) -> dict[str, str]:
        """The JSON Pointers of the columns that the options name, by column name."""
        pointers = {} if self.target is None else {self.target: "/target"}
        for part in ("protected", "sensitive"):
            pointers |= {name: f"/{part}/{i}" for i, name in enumerate(getattr(self, part))}
        for i, query in enumerate(self.queries):
            pointers |= dict.fromkeys((*query.group_by, *query.where), f"/queries/{i}")
            pointers |= {} if query.column is None else {query.column: f"/queries/{i}/column"}
        return pointers
