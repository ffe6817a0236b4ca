"""Bodies of dataset profiles."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.bodies.base import Body

Value = Annotated[float | str, Field(description="A number, or a date or time as text.")]


class ProfileProtection(Body):
    """Protection of a profile: every value in it is supported by at least `k` rows or subjects."""

    unit: Annotated[
        str,
        Field(
            description="Unit that `k` counts: `subject` if the schema declares a subject, otherwise `row`."
        ),
    ]
    k: Annotated[
        int, Field(description="Minimum number of rows or subjects that support each value.", examples=[5])
    ]


class ColumnQuantile(Body):
    """A quantile: the value below which the given fraction of the rows lies."""

    fraction: Annotated[float, Field(ge=0, le=1, examples=[0.5])]
    value: Value


class ColumnHistogram(Body):
    """A histogram with the number of rows between consecutive edges."""

    edges: Annotated[
        list[Value], Field(description="Edges of the bins. There is one more edge than there are bins.")
    ]
    n_rows: Annotated[list[int], Field(description="Number of rows in each bin.")]


class FrequentValue(Body):
    """A frequent value, and the number of rows that contain it."""

    value: Annotated[bool | int | float | str, Field(examples=["Oslo"])]
    n_rows: int


class WrittenStatistics(Body):
    """Statistics of a column, formatted in the column's notation, such as `31.12.2024` or `1.234,50 €`."""

    minimum: Annotated[str | None, Field(examples=["1,50 €"])] = None
    maximum: Annotated[str | None, Field(examples=["1.234,50 €"])] = None
    mean: str | None = None
    quantiles: Annotated[
        list[str] | None, Field(description="Quantiles, in the order of the profile's `quantiles`.")
    ] = None
    edges: Annotated[list[str] | None, Field(description="Edges of the histogram.")] = None
    top_values: Annotated[
        list[str] | None,
        Field(description="Most frequent boolean values, written with the words of the notation."),
    ] = None


class ColumnProfile(Body):
    """Statistics of one column. Fields that are undefined or suppressed to protect real rows are absent."""

    name: Annotated[str, Field(examples=["dep_delay"])]
    kind: Annotated[str, Field(description="Kind of the column in the current schema.", examples=["integer"])]
    n_missing: Annotated[int, Field(description="Number of missing values in the rows that were read.")]
    n_distinct: Annotated[int, Field(description="Number of distinct values in the rows that were read.")]
    minimum: Value | None = None
    maximum: Value | None = None
    mean: Value | None = None
    standard_deviation: float | None = None
    quantiles: list[ColumnQuantile] | None = None
    histogram: ColumnHistogram | None = None
    top_values: Annotated[
        list[FrequentValue] | None,
        Field(description="Most frequent values, at most ten, in descending order of frequency."),
    ] = None
    written: Annotated[
        WrittenStatistics | None,
        Field(
            description="Statistics in the notation of the column. Absent if the schema does not define a "
            "notation for the column."
        ),
    ] = None


class DatasetProfile(Body):
    """Column statistics for a table."""

    n_rows: Annotated[int, Field(description="Number of rows in the table.", examples=[336776])]
    n_rows_read: Annotated[
        int,
        Field(description="Number of rows that the statistics were computed from.", examples=[200000]),
    ]
    protection: Annotated[
        ProfileProtection | None,
        Field(description="Privacy protection of the statistics. Absent if the statistics are exact."),
    ] = None
    columns: list[ColumnProfile]
