"""Bodies about a project: what its samples are judged by, and what becomes of those that fail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from app.service_schemas import Body, Timestamp
from understudy import ids
from understudy.parameters.policy import Policy

if TYPE_CHECKING:
    from understudy.db import orm

Gate = Literal["off", "on_fail", "until_reviewed"]


class PolicyCatalogue(Body):
    """The policies that can be named."""

    data: list[Policy]


class SigningKey(Body):
    """The public key of what the project signs."""

    algorithm: Annotated[str, Field(examples=["Ed25519"])]
    key_id: Annotated[
        str, Field(description="First half of the key's SHA-256.", examples=["9f86d081884c7d65"])
    ]
    public_key: Annotated[str, Field(description="32 bytes in Base64.")]


class Project(Body):
    """The project that the API key belongs to."""

    id: Annotated[str, Field(examples=["prj_01kaz7m2q5e1h9v3x8r6t4n0bc"])]
    name: str
    policy: Annotated[Policy, Field(description="What its samples are judged by.")]
    gate: Annotated[
        Gate,
        Field(
            description="`on_fail`: a sample whose report fails the policy is in quarantine."
            " `until_reviewed`: so is one that no report has looked at. `off`: none is."
        ),
    ]
    signing_key: Annotated[SigningKey, Field(description="Signs the evidence packs of its reports.")]
    created_at: Timestamp


class UpdateProject(BaseModel):
    """What may be changed about a project; what is left out stays."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"policy": "public", "gate": "until_reviewed"}]}
    )

    policy: Annotated[
        str | Policy | None, Field(description="`standard`, `public`, or your own thresholds.")
    ] = None
    gate: Gate | None = None


class FailedCheck(Body):
    """A check that a sample did not pass."""

    metric: Annotated[str, Field(examples=["membership_distance"])]
    outcome: Annotated[str, Field(description="`fail`, `warn` or `inconclusive`.")]
    sentence: str


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


class VerdictSummary(Body):
    """A report's verdict, in short."""

    outcome: Annotated[Literal["pass", "warn", "fail"], Field(examples=["pass"])]
    sentence: str
    policy: Annotated[str, Field(examples=["standard"])]
    policy_version: str
    checks: Annotated[list[FailedCheck], Field(description="Those that ask for a closer look.")]
