"""What a caller may ask of the rows of a sample: conditions on groups of rows, or the shares of a column."""

from __future__ import annotations

from datetime import date, time
from decimal import Decimal
from typing import Annotated

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictFloat,
    StrictInt,
    model_validator,
)


def _to_json_value(value: object) -> object:
    """Return a Python object as JSON has it: the library is given times, decimals and scalars of numpy."""
    if isinstance(value, str | int | float | None):
        return value
    item = getattr(value, "item", None)
    value = item() if callable(item) else value
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


# As JSON has them; times and decimals are texts. Strict: else `1` and the text `yes` would be read as true.
Value = Annotated[
    StrictBool
    | Annotated[StrictInt, Field(ge=-(2**63), lt=2**64)]
    | Annotated[StrictFloat, Field(allow_inf_nan=False)]
    # PostgreSQL, which keeps the parameters of jobs, keeps no NUL.
    | Annotated[str, Field(pattern=r"^[^\x00]*$")],
    Field(union_mode="left_to_right", description="A value of the column; times as RFC 3339 writes them."),
    BeforeValidator(_to_json_value),
]

N_GROUPS_MAX = 1_000
N_VALUES_MAX = 10_000


class ColumnConstraint(BaseModel):
    """What a column may be: one value, one of some, within bounds, or missing."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    equals: Value | None = None
    one_of: Annotated[tuple[Value, ...], Field(max_length=N_VALUES_MAX)] = ()
    minimum: Annotated[Value | None, Field(description="The lowest value allowed.")] = None
    maximum: Annotated[Value | None, Field(description="The highest value allowed.")] = None
    is_missing: Annotated[
        bool | None, Field(description="`true`: the value is missing; `false`: it is not.")
    ] = None

    @model_validator(mode="after")
    def _asks_for_one_thing(self) -> ColumnConstraint:
        has_bounds = self.minimum is not None or self.maximum is not None
        n_asked = (self.equals is not None) + bool(self.one_of) + has_bounds + (self.is_missing is not None)
        if n_asked != 1:
            raise ValueError("give exactly one of equals, one_of, minimum and/or maximum, and is_missing")
        return self


class SampleCondition(BaseModel):
    """A group of rows in which columns are fixed."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    where: Annotated[
        dict[str, ColumnConstraint],
        Field(
            min_length=1,
            description="What each of some columns may be; all others follow from what the model learnt.",
            examples=[{"income": {"equals": ">50K"}, "age": {"minimum": 30, "maximum": 39}}],
        ),
    ]
    n_rows: Annotated[int, Field(ge=1, lt=2**62, description="How many rows the group has.")]


class TargetShare(BaseModel):
    """The share of a value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: Annotated[Value | None, Field(description="Left out: missing.")] = None
    share: Annotated[float, Field(ge=0, le=1)]


class ColumnRebalance(BaseModel):
    """Another distribution of one column; the others follow from what the model learnt for each value."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: str
    shares: Annotated[tuple[TargetShare, ...], Field(min_length=1, max_length=N_GROUPS_MAX)]

    @model_validator(mode="after")
    def _shares_are_a_whole(self) -> ColumnRebalance:
        if abs(sum(share.share for share in self.shares) - 1) > 1e-6:
            raise ValueError("the shares must add up to 1")
        if len({repr(share.value) for share in self.shares}) < len(self.shares):
            raise ValueError("a value must not be there twice")
        return self


class SamplingConstraints(BaseModel):
    """Either conditions or a rebalanced column."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    conditions: Annotated[tuple[SampleCondition, ...], Field(max_length=N_GROUPS_MAX)] = ()
    rebalance: ColumnRebalance | None = None

    @model_validator(mode="after")
    def _is_one_of_both(self) -> SamplingConstraints:
        if bool(self.conditions) == (self.rebalance is not None):
            raise ValueError("give either conditions or rebalance")
        return self
