"""Bodies of projects."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from app.bodies.base import Body, Page, Timestamp
from understudy import ids
from understudy.parameters.base import Name
from understudy.parameters.policy import Policy

if TYPE_CHECKING:
    from understudy.db import orm

Gate = Literal["off", "on_fail", "until_reviewed"]


class SigningKey(Body):
    """The public key for verifying the project's signatures."""

    algorithm: Annotated[str, Field(examples=["Ed25519"])]
    key_id: Annotated[
        str,
        Field(
            description="ID of the key: the beginning of its SHA-256 in hexadecimal.",
            examples=["9f86d081884c7d65"],
        ),
    ]
    public_key: Annotated[str, Field(description="Public key: 32 bytes in Base64.")]


class Project(Body):
    """The project that the API key belongs to."""

    id: Annotated[str, Field(examples=["prj_01kaz7m2q5e1h9v3x8r6t4n0bc"])]
    name: str
    policy: Annotated[
        Policy, Field(description="Policy that determines the verdicts on the project's samples.")
    ]
    gate: Annotated[
        Gate,
        Field(
            description="Gate of the project. `on_fail` puts a sample into quarantine if its report fails "
            "the policy. `until_reviewed` also keeps each sample in quarantine until it has a report. `off` "
            "puts no sample into quarantine."
        ),
    ]
    signing_key: Annotated[
        SigningKey, Field(description="Public key for verifying the signatures of evidence packs.")
    ]
    created_at: Timestamp


RunningJobsMax = Annotated[
    int | None,
    Field(
        ge=0,
        le=1_000_000,
        description="Maximum number of the project's jobs that run at the same time. If absent or null, the "
        "limit of the installation applies.",
        examples=[8],
    ),
]


class ManagedProject(Body):
    """A project in the installation, without its data."""

    id: Annotated[str, Field(examples=["prj_01kaz7m2q5e1h9v3x8r6t4n0bc"])]
    name: str
    running_jobs_max: RunningJobsMax = None
    created_at: Timestamp

    @classmethod
    def of(cls, row: orm.Project) -> Self:
        """Return the response body for a database row."""
        return cls(
            id=ids.to_text("project", row.id),
            name=row.name,
            running_jobs_max=row.running_jobs_max,
            created_at=row.created_at,
        )


class ManagedProjectPage(Page):
    """A page of projects, newest first."""

    data: list[ManagedProject]


class CreateProject(BaseModel):
    """The name and the job limit of a new project."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"name": "risk-team", "running_jobs_max": 8}]}
    )

    name: Annotated[Name, Field(description="Name of the project.")]
    running_jobs_max: RunningJobsMax = None


class UpdateManagedProject(BaseModel):
    """Changes to a project. Omitted fields keep their values."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"running_jobs_max": 16}]})

    # None means that the name is omitted. A request cannot contain null, because a project must have a name.
    name: Annotated[Name, Field(description="New name of the project.")] = None  # type: ignore[assignment]
    running_jobs_max: RunningJobsMax = None


class UpdateProject(BaseModel):
    """Changes to a project. Omitted fields keep their values."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"policy": "public", "gate": "until_reviewed"}]}
    )

    policy: Annotated[
        str | Policy | None,
        Field(description="Name of a predefined policy (`standard` or `public`), or a custom policy."),
    ] = None
    gate: Annotated[Gate | None, Field(description="New gate of the project.")] = None
