"""Domains: the values that a column may have, declared by the caller as public knowledge."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, model_validator

from understudy.parameters.constraints import Value

N_LEVELS_MAX = 10_000


def _is_reversed(minimum: Value, maximum: Value) -> bool:
    """Return whether two numbers are in the wrong order; texts are compared in the type of the column."""
    if isinstance(minimum, str) or isinstance(maximum, str):
        return False
    return minimum > maximum


class ColumnDomain(BaseModel):
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
    def _is_consistent(self) -> ColumnDomain:
        has_range = any(value is not None for value in (self.minimum, self.maximum, self.step))
        if bool(self.levels) == has_range:
            raise ValueError("give either levels, or bounds and a step")
        if self.minimum is not None and self.maximum is not None and _is_reversed(self.minimum, self.maximum):
            raise ValueError("minimum must not be above maximum")
        if len({repr(level) for level in self.levels}) < len(self.levels):
            raise ValueError("a level must not be listed twice")
        return self
