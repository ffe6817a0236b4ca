"""Bodies of projects."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from app.bodies.base import Body, Timestamp
from understudy.parameters.policy import Policy

Gate = Literal["off", "on_fail", "until_reviewed"]


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
