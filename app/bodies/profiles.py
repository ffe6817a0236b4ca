"""Bodies of profiles."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.bodies.base import Body

Value = Annotated[float | str, Field(description="A number, or a point in time as text.")]


class ProfileProtection(Body):
    """How many must speak for what is shown."""

    unit: Annotated[str, Field(description="`row`, or `subject` where the schema names one.")]
    k: Annotated[int, Field(examples=[5])]


class ColumnQuantile(Body):
    """The value below which a fraction of the rows lies."""

    fraction: Annotated[float, Field(ge=0, le=1, examples=[0.5])]
    value: Value


class ColumnHistogram(Body):
    """Bars: the rows from each edge to the next."""

    edges: Annotated[list[Value], Field(description="One more than bars.")]
    n_rows: list[int]


class FrequentValue(Body):
    """A frequent value."""

    value: Annotated[bool | int | float | str, Field(examples=["Oslo"])]
    n_rows: int


class ColumnProfile(Body):
    """What one column holds; what cannot be told, or not be shown, is left out."""

    name: Annotated[str, Field(examples=["dep_delay"])]
    kind: Annotated[str, Field(description="Of the present schema.", examples=["integer"])]
    n_missing: Annotated[int, Field(description="Of the rows that were read.")]
    n_distinct: Annotated[int, Field(description="Different values of the rows that were read.")]
    minimum: Value | None = None
    maximum: Value | None = None
    mean: Value | None = None
    standard_deviation: float | None = None
    quantiles: list[ColumnQuantile] | None = None
    histogram: ColumnHistogram | None = None
    top_values: Annotated[
        list[FrequentValue] | None, Field(description="At most ten, the commonest first.")
    ] = None


class DatasetProfile(Body):
    """What the columns of a dataset hold."""

    n_rows: Annotated[int, Field(examples=[336776])]
    n_rows_read: Annotated[int, Field(description="How many rows the figures come from.", examples=[200000])]
    protection: Annotated[
        ProfileProtection | None,
        Field(description="How the figures are protected; absent where they are exact."),
    ] = None
    columns: list[ColumnProfile]
