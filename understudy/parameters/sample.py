"""Parameters of kind `sample`."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, model_serializer, model_validator
from pydantic_core import PydanticCustomError

from understudy.parameters.base import JobParameters, Json, Name, Seed
from understudy.parameters.constraints import (
    N_GROUPS_MAX,
    ColumnRebalance,
    SampleCondition,
    SamplingConstraints,
)


class SampleParameters(JobParameters):
    """Draw rows from a model: any, groups that fulfil conditions, or with other shares of a column."""

    kind: Literal["sample"]
    model_id: Annotated[str, Field(description="What to draw from.", examples=["mdl_01kaz7m2q5…"])]
    n_rows: Annotated[
        int | None,
        Field(
            ge=1,
            lt=2**62,
            examples=[100_000],
            description="May be left out beside conditions, which say how many rows they have.",
        ),
    ] = None
    seed: Seed | None = None
    offset: Annotated[
        int,
        Field(ge=0, lt=2**62, description="Rows to pass over: row k of a seed is the same in every sample."),
    ] = 0
    conditions: Annotated[
        tuple[SampleCondition, ...],
        Field(max_length=N_GROUPS_MAX, description="Groups of rows in which columns are fixed, in order."),
    ] = ()
    rebalance: Annotated[
        ColumnRebalance | None, Field(description="Other shares of the values of a column.")
    ] = None
    name: Annotated[Name | None, Field(description="Of the dataset; made from the model's if left out.")] = (
        None
    )

    @model_validator(mode="after")
    def _has_one_kind_of_constraints(self) -> Self:
        if self.conditions and self.rebalance is not None:
            raise PydanticCustomError("invalid_parameters", "Give either conditions or rebalance, not both")
        return self

    @model_serializer(mode="wrap")
    def _without_what_is_not_asked(self, serialize: SerializerFunctionWrapHandler) -> Json:
        dumped: Json = serialize(self)
        plain = {
            name: value for name, value in dumped.items() if name not in SamplingConstraints.model_fields
        }
        constraints = self.constraints
        return (
            plain
            if constraints is None
            else plain | constraints.model_dump(mode="json", exclude_defaults=True)
        )

    @property
    def constraints(self) -> SamplingConstraints | None:
        """What is asked of the rows, if anything is."""
        if not self.conditions and self.rebalance is None:
            return None
        return SamplingConstraints(conditions=self.conditions, rebalance=self.rebalance)
