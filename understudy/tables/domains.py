"""Domains: sets of permitted values that the caller declares as public knowledge."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, StrictFloat, StrictInt, model_validator

from understudy.parameters.constraints import Value

# Maximum number of levels in a domain.
N_LEVELS_MAX = 10_000


def _is_reversed(minimum: Value, maximum: Value) -> bool:
    """Return whether the minimum is above the maximum.

    Text values are not compared here, because their order depends on the column's type.
    """
    if isinstance(minimum, str) or isinstance(maximum, str):
        return False
    return minimum > maximum


class ColumnDomain(BaseModel):
    """The permitted values of a column: either levels, or bounds and a step.

    A domain must be public knowledge. Samples may contain every declared level that occurs in the table, even
    a level that occurs in only one row.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    levels: Annotated[
        tuple[Value, ...],
        Field(max_length=N_LEVELS_MAX, description="Permitted values of a `category` or `boolean` column."),
    ] = ()
    minimum: Annotated[
        Value | None,
        Field(description="Lowest permitted number, date or time. Null means that there is no lower bound."),
    ] = None
    maximum: Annotated[
        Value | None,
        Field(description="Highest permitted number, date or time. Null means that there is no upper bound."),
    ] = None
    step: Annotated[
        Annotated[StrictInt, Field(gt=0)] | Annotated[StrictFloat, Field(gt=0, allow_inf_nan=False)] | None,
        Field(
            description="Distance between permitted numbers, starting at `minimum`, or at 0 if there is no "
            "minimum. Only `integer`, `float` and `decimal` columns support a step."
        ),
    ] = None

    @model_validator(mode="after")
    def _is_consistent(self) -> ColumnDomain:
        has_range = any(value is not None for value in (self.minimum, self.maximum, self.step))
        if bool(self.levels) == has_range:
            raise ValueError("set either levels, or at least one of minimum, maximum and step")
        if self.minimum is not None and self.maximum is not None and _is_reversed(self.minimum, self.maximum):
            raise ValueError("minimum must not be above maximum")
        if len({repr(level) for level in self.levels}) < len(self.levels):
            raise ValueError("levels must be unique")
        return self
