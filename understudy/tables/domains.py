"""Domains: the values that a column may have, declared by the caller as public knowledge."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, model_validator

N_LEVELS_MAX = 10_000

# A value as JSON has it; times and decimals are texts. Strict, so that `1` and `yes` are not read as true.
Value = Annotated[
    StrictBool
    | Annotated[StrictInt, Field(ge=-(2**63), lt=2**64)]
    | Annotated[StrictFloat, Field(allow_inf_nan=False)]
    # PostgreSQL, which stores schemas and parameters, has no NUL character.
    | Annotated[str, Field(pattern=r"^[^\x00]*$")],
    Field(union_mode="left_to_right", description="A value of the column; times as RFC 3339 writes them."),
]


class Domain(BaseModel):
    """The values that a column may have: levels, or bounds and a step.

    A domain is public knowledge. A sample may contain each declared level, even if no row has it.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    levels: Annotated[tuple[Value, ...], Field(max_length=N_LEVELS_MAX)] = ()
    minimum: Annotated[Value | None, Field(description="The lowest value.")] = None
    maximum: Annotated[Value | None, Field(description="The highest value.")] = None
    step: Annotated[
        Annotated[StrictInt, Field(gt=0)] | Annotated[StrictFloat, Field(gt=0, allow_inf_nan=False)] | None,
        Field(description="Values are a whole number of steps from the minimum, or from 0. Numbers only."),
    ] = None

    @model_validator(mode="after")
    def _is_consistent(self) -> Domain:
        has_range = any(value is not None for value in (self.minimum, self.maximum, self.step))
        if bool(self.levels) == has_range:
            raise ValueError("give either levels, or bounds and a step")
        if len({repr(level) for level in self.levels}) < len(self.levels):
            raise ValueError("a level must not be listed twice")
        return self
