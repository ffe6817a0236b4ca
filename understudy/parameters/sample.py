"""Parameters of `sample` jobs."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SerializerFunctionWrapHandler,
    model_serializer,
    model_validator,
)
from pydantic_core import PydanticCustomError

from understudy.parameters.base import JobParameters, Json, Name, Seed
from understudy.parameters.constraints import (
    N_GROUPS_MAX,
    ColumnRebalance,
    SampleCondition,
    SamplingConstraints,
)


class SampleStage(BaseModel):
    """Parameters of the sample in a pipeline."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    n_rows: Annotated[
        int | None,
        Field(
            ge=1,
            lt=2**62,
            examples=[100_000],
            description="Number of rows to sample. Required without `conditions`. With conditions, the "
            "default is their total number of rows minus `offset`.",
        ),
    ] = None
    seed: Seed | None = None
    offset: Annotated[
        int,
        Field(
            ge=0,
            lt=2**62,
            description="Number of rows to skip. For the same seed, row k is the same in every sample.",
        ),
    ] = 0
    id_start: Annotated[
        int | None,
        Field(
            ge=0,
            lt=2**62,
            description="Position of the first row's identifier in the model's sequence of identifiers. "
            "Row k, counted from 0 and including rows that `offset` skips, has the identifier at position "
            "`id_start + k`, regardless of the seed. Samples with disjoint positions have no identifiers in "
            "common. If omitted, identifiers depend on the seed.",
        ),
    ] = None
    conditions: Annotated[
        tuple[SampleCondition, ...],
        Field(
            max_length=N_GROUPS_MAX,
            description="Groups of rows with conditions. The sample contains the groups in this order.",
        ),
    ] = ()
    rebalance: Annotated[ColumnRebalance | None, Field(description="Target distribution of one column.")] = (
        None
    )
    name: Annotated[
        Name | None,
        Field(description="Name of the dataset. Derived from the model's name if omitted."),
    ] = None

    @model_validator(mode="after")
    def _has_one_kind_of_constraints(self) -> Self:
        if self.conditions and self.rebalance is not None:
            raise PydanticCustomError("invalid_parameters", "Set either conditions or rebalance, not both")
        return self

    @model_serializer(mode="wrap")
    def _omit_unset_constraints(self, serialize: SerializerFunctionWrapHandler) -> Json:
        dumped: Json = serialize(self)
        plain = {
            name: value for name, value in dumped.items() if name not in SamplingConstraints.model_fields
        }
        if self.id_start is None:
            plain.pop("id_start", None)
        constraints = self.constraints
        return (
            plain
            if constraints is None
            else plain | constraints.model_dump(mode="json", exclude_defaults=True)
        )

    @property
    def constraints(self) -> SamplingConstraints | None:
        """The constraints on the rows, or None if there are none."""
        if not self.conditions and self.rebalance is None:
            return None
        return SamplingConstraints(conditions=self.conditions, rebalance=self.rebalance)


class SampleParameters(JobParameters, SampleStage):
    """Parameters of a job that samples rows from a model, optionally under constraints."""

    kind: Literal["sample"]
    model_id: Annotated[
        str, Field(description="ID of the model to sample from.", examples=["mdl_01kaz7m2q5…"])
    ]
