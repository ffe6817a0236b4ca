"""Sampling constraints: conditions on groups of rows, or target shares for the values in a column."""

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
    """Return a Python value as a JSON value. Times, decimals and numpy scalars are accepted."""
    if isinstance(value, str | int | float | None):
        return value
    item = getattr(value, "item", None)
    value = item() if callable(item) else value
    if isinstance(value, date | time):
        return value.isoformat()
    return str(value) if isinstance(value, Decimal) else value


# JSON values, with times and decimals as strings. The types are strict because pydantic would otherwise read
# `1` and the string `yes` as true.
Value = Annotated[
    StrictBool
    | Annotated[StrictInt, Field(ge=-(2**63), lt=2**64)]
    | Annotated[StrictFloat, Field(allow_inf_nan=False)]
    # PostgreSQL stores the parameters of jobs and cannot store NUL.
    | Annotated[str, Field(pattern=r"^[^\x00]*$")],
    Field(
        union_mode="left_to_right",
        description="A value of the column. Dates and times are strings in the format of RFC 3339, "
        "or in the notation of the column.",
    ),
    BeforeValidator(_to_json_value),
]

N_GROUPS_MAX = 1_000
N_VALUES_MAX = 10_000


class ColumnConstraint(BaseModel):
    """A constraint on a column.

    Set exactly one of `equals`, `one_of`, `is_missing`, or bounds (`minimum`, `maximum` or both).
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    equals: Annotated[Value | None, Field(description="The only allowed value.")] = None
    one_of: Annotated[
        tuple[Value, ...], Field(max_length=N_VALUES_MAX, description="List of the allowed values.")
    ] = ()
    minimum: Annotated[Value | None, Field(description="The lowest allowed value.")] = None
    maximum: Annotated[Value | None, Field(description="The highest allowed value.")] = None
    is_missing: Annotated[
        bool | None, Field(description="Whether the value must be missing (`true`) or present (`false`).")
    ] = None

    @model_validator(mode="after")
    def _asks_for_one_thing(self) -> ColumnConstraint:
        has_bounds = self.minimum is not None or self.maximum is not None
        n_asked = (self.equals is not None) + bool(self.one_of) + has_bounds + (self.is_missing is not None)
        if n_asked != 1:
            raise ValueError(
                "set exactly one of equals, one_of, is_missing, or bounds (minimum, maximum or both)"
            )
        return self


class SampleCondition(BaseModel):
    """A group of rows with constraints on some columns."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    where: Annotated[
        dict[str, ColumnConstraint],
        Field(
            min_length=1,
            description="Constraints by column name. All other columns are sampled from the model.",
            examples=[{"income": {"equals": ">50K"}, "age": {"minimum": 30, "maximum": 39}}],
        ),
    ]
    n_rows: Annotated[int, Field(ge=1, lt=2**62, description="Number of rows in the group.")]


class TargetShare(BaseModel):
    """The target share of one value in a column."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    value: Annotated[
        Value | None,
        Field(
            description="Value that the share applies to. If omitted, the share applies to missing values."
        ),
    ] = None
    share: Annotated[float, Field(ge=0, le=1, description="Fraction of the rows that have the value.")]


class ColumnRebalance(BaseModel):
    """A target distribution of one column. The other columns are sampled conditionally on its values."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    column: Annotated[str, Field(description="Name of the column.")]
    shares: Annotated[
        tuple[TargetShare, ...],
        Field(
            min_length=1,
            max_length=N_GROUPS_MAX,
            description="Target shares of the values, which must add up to 1.",
        ),
    ]

    @model_validator(mode="after")
    def _shares_are_a_whole(self) -> ColumnRebalance:
        if abs(sum(share.share for share in self.shares) - 1) > 1e-6:
            raise ValueError("the shares must add up to 1")
        if len({repr(share.value) for share in self.shares}) < len(self.shares):
            raise ValueError("each value must be listed only once")
        return self


class SamplingConstraints(BaseModel):
    """Constraints on a sample: either conditions or a rebalanced column."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    conditions: Annotated[
        tuple[SampleCondition, ...],
        Field(max_length=N_GROUPS_MAX, description="Groups of rows with conditions, in order."),
    ] = ()
    rebalance: Annotated[ColumnRebalance | None, Field(description="Target distribution of one column.")] = (
        None
    )

    @model_validator(mode="after")
    def _is_one_of_both(self) -> SamplingConstraints:
        if bool(self.conditions) == (self.rebalance is not None):
            raise ValueError("set either conditions or rebalance")
        return self
