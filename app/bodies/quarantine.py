"""Bodies for the quarantine and release of a dataset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from app.bodies.base import Body, Timestamp
from app.bodies.reports import FailedCheck
from understudy import ids

if TYPE_CHECKING:
    from understudy.db import orm


class DatasetQuarantine(Body):
    """Reason why a sample is in quarantine."""

    reason: Annotated[
        Literal["failed", "unreviewed"],
        Field(
            description="Cause of the quarantine: `failed` if a report fails the project's policy, or "
            "`unreviewed` if the sample has no report yet."
        ),
    ]
    sentence: str
    since: Timestamp
    report_id: Annotated[str | None, Field(description="ID of the report that fails the policy.")] = None
    policy: Annotated[str | None, Field(description="Name of the policy.")] = None
    checks: Annotated[
        tuple[FailedCheck, ...],
        Field(description="Checks that the sample did not pass. Empty if `reason` is `unreviewed`."),
    ] = ()

    @classmethod
    def of(cls, row: orm.Dataset) -> Self | None:
        """Return the quarantine of a database row, or None if the dataset is not in quarantine."""
        if row.quarantine is None:
            return None
        # `Any` is JSON that the gate has written.
        stored: dict[str, Any] = row.quarantine
        known = {name: stored[name] for name in cls.model_fields if name in stored}
        return cls(since=row.quarantined_at, **known)


class QuarantineRelease(Body):
    """Release of a sample from quarantine: the API key that was used and the reason."""

    reason: str
    api_key_id: Annotated[str, Field(examples=["key_01kaz7m2q5…"])]
    released_at: Timestamp

    @classmethod
    def of(cls, row: orm.Dataset) -> Self | None:
        """Return the release of a database row, or None if the dataset was not released."""
        if row.released_at is None or row.released_by is None or row.release_reason is None:
            return None
        key_id = ids.to_text("api_key", row.released_by)
        return cls(reason=row.release_reason, api_key_id=key_id, released_at=row.released_at)


class ReleaseDataset(BaseModel):
    """Reason for releasing a sample from quarantine."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"reason": "Internal load tests only; approved in ticket 4711."}]},
    )

    reason: Annotated[
        str,
        Field(
            min_length=10,
            max_length=2_000,
            # PostgreSQL cannot store NUL characters.
            pattern=r"^[^\x00]*$",
            description="Reason for the release, which is stored with the dataset.",
        ),
    ]
