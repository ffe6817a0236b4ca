"""Bodies of the usage of a project."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from typing import Annotated, Self

from pydantic import Field

from app.bodies.base import Body
from understudy.db.usage import Usage


class UsageDay(Body):
    """The usage of a project on one day."""

    date: Annotated[datetime.date, Field(description="Day in UTC.")]
    n_jobs: Annotated[int, Field(description="Number of jobs that ended. A retried job counts again.")] = 0
    cpu_seconds: Annotated[float, Field(description="CPU time of jobs, without lost attempts.")] = 0.0
    rows_uploaded: Annotated[int, Field(description="Number of rows read from uploads.")] = 0
    rows_sampled: Annotated[
        int,
        Field(description="Number of rows of samples, imputations and complete live-row responses."),
    ] = 0
    bytes_written: Annotated[
        int, Field(description="Size of all stored files, including files that were deleted later.")
    ] = 0


class ProjectUsage(Body):
    """The usage of a project by day, oldest first, without gaps."""

    data: list[UsageDay]
    stored_bytes: Annotated[int, Field(description="Size of the stored files, without unfinished uploads.")]

    @classmethod
    def of(cls, days: Sequence[datetime.date], used: Sequence[Usage], stored_bytes: int) -> Self:
        """Return the usage of the given days. Days without usage have zeros."""
        found = {usage.day: usage for usage in used}
        return cls(
            data=[_day(day, found.get(day)) for day in days],
            stored_bytes=stored_bytes,
        )


def _day(day: datetime.date, usage: Usage | None) -> UsageDay:
    if usage is None:
        return UsageDay(date=day)
    return UsageDay(
        date=day,
        n_jobs=usage.n_jobs,
        cpu_seconds=round(usage.cpu_seconds, 3),
        rows_uploaded=usage.rows_uploaded,
        rows_sampled=usage.rows_sampled,
        bytes_written=usage.bytes_written,
    )
