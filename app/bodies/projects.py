"""Bodies of projects."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.bodies.base import Body, Timestamp
from understudy.parameters.policy import Policy

Gate = Literal["off", "on_fail", "until_reviewed"]


class SigningKey(Body):
    """The public key that verifies the project's signatures."""

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
    signing_key: Annotated[SigningKey, Field(description="Public key of the signatures in evidence packs.")]
    created_at: Timestamp


class UpdateProject(BaseModel):
    """Fields of a project to change. Omitted fields keep their values."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"policy": "public", "gate": "until_reviewed"}]}
    )

    policy: Annotated[
        str | Policy | None,
        Field(description="Name of a predefined policy (`standard` or `public`), or a custom policy."),
    ] = None
    gate: Annotated[Gate | None, Field(description="New gate of the project.")] = None
