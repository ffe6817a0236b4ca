"""Bodies of a dataset's quarantine and of its release."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from app.bodies.base import Body, Timestamp
from app.bodies.reports import FailedCheck
from understudy import ids

if TYPE_CHECKING:
    from understudy.db import orm


class DatasetQuarantine(Body):
    """Why a sample may not be had."""

    reason: Annotated[
        Literal["failed", "unreviewed"],
        Field(description="`failed`: a report fails the project's policy. `unreviewed`: there is none yet."),
    ]
    sentence: str
    since: Timestamp
    report_id: Annotated[str | None, Field(description="The report that it failed.")] = None
    policy: Annotated[str | None, Field(description="By name.")] = None
    checks: Annotated[
        tuple[FailedCheck, ...], Field(description="What was found; empty if `unreviewed`.")
    ] = ()

    @classmethod
    def of(cls, row: orm.Dataset) -> Self | None:
        """Return why, if the row is in quarantine."""
        if row.quarantine is None:
            return None
        # Any: JSON, as the gate wrote it.
        said: dict[str, Any] = row.quarantine
        known = {name: said[name] for name in cls.model_fields if name in said}
        return cls(since=row.quarantined_at, **known)


class QuarantineRelease(Body):
    """Who let a sample out of quarantine, and why."""

    reason: str
    api_key_id: Annotated[str, Field(examples=["key_01kaz7m2q5…"])]
    released_at: Timestamp

    @classmethod
    def of(cls, row: orm.Dataset) -> Self | None:
        """Return the release, if there was one."""
        if row.released_at is None or row.released_by is None or row.release_reason is None:
            return None
        key_id = ids.to_text("api_key", row.released_by)
        return cls(reason=row.release_reason, api_key_id=key_id, released_at=row.released_at)


class ReleaseDataset(BaseModel):
    """Why a sample may be had although its report fails."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "Internal load tests only; approved in ticket 4711."}]},
    )

    reason: Annotated[
        str,
        Field(
            min_length=10,
            max_length=2_000,
            # PostgreSQL keeps no NUL.
            pattern=r"^[^\x00]*$",
            description="Kept with the dataset, for whoever asks later.",
        ),
    ]
