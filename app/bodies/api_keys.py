"""Bodies of API keys."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from app.bodies.base import Body, Page, Timestamp
from understudy import ids
from understudy.parameters.base import Name

if TYPE_CHECKING:
    from understudy.db import orm

Scope = Literal["read", "read_real", "write", "admin", "operator"]
GRACE_SECONDS_MAX = 30 * 24 * 3600

ExpiresAt = Annotated[
    AwareDatetime | None,
    Field(
        description="Time at which the key expires. If omitted, the key is valid until it is revoked.",
        examples=["2027-06-30T00:00:00Z"],
    ),
]


class ApiKey(Body):
    """An API key without its secret. Revoking a key erases its name."""

    id: Annotated[str, Field(examples=["key_01kaz7n3r7g5x9a3b1d6e8f0hj"])]
    name: Annotated[str | None, Field(examples=["nightly build"])] = None
    scopes: Annotated[list[str], Field(examples=[["read", "write"]])]
    created_at: Timestamp
    expires_at: Annotated[Timestamp | None, Field(description="Time at which the key expires.")] = None
    revoked_at: Annotated[Timestamp | None, Field(description="Time at which the key was revoked.")] = None

    @classmethod
    def of(cls, row: orm.ApiKey) -> Self:
        """Return the response body for a database row."""
        return cls(**_fields(row))


class NewApiKey(ApiKey):
    """A new API key with its secret. No later response contains the secret."""

    key: Annotated[
        str,
        Field(
            description="The key itself. Store it now, because it cannot be retrieved later.",
            examples=["sk_01kaz7n3r7g5x9a3b1d6e8f0hj_…"],
        ),
    ]

    @classmethod
    def with_secret(cls, row: orm.ApiKey, key: str) -> Self:
        """Return the response body for a database row and the text of the key."""
        return cls(**_fields(row), key=key)


class ApiKeyPage(Page):
    """A page of API keys, newest first."""

    data: list[ApiKey]


class CreateApiKey(BaseModel):
    """The name, the scopes and the expiry of a new API key."""

    model_config = ConfigDict(
        extra="forbid",
        json_schema_extra={"examples": [{"name": "nightly build", "scopes": ["read", "write"]}]},
    )

    name: Annotated[Name, Field(description="Name of the key, for example its purpose.")]
    scopes: Annotated[
        list[Scope],
        Field(
            min_length=1,
            max_length=5,
            description="Permissions of the key. `read_real` also allows reading real values, `admin` "
            "allows everything within the project, and `operator` allows managing all projects.",
        ),
    ]
    expires_at: ExpiresAt = None


class UpdateApiKey(BaseModel):
    """Changes to an API key. Omitted fields keep their values."""

    model_config = ConfigDict(
        extra="forbid", json_schema_extra={"examples": [{"expires_at": "2027-06-30T00:00:00Z"}]}
    )

    # None means that the name is omitted. A request cannot contain null, because an active key must have a
    # name.
    name: Annotated[Name, Field(description="New name of the key.")] = None  # type: ignore[assignment]
    expires_at: ExpiresAt = None


class RotateApiKey(BaseModel):
    """Expiry settings for the old key and its replacement."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"grace_seconds": 86400}]})

    grace_seconds: Annotated[
        int,
        Field(
            ge=0,
            le=GRACE_SECONDS_MAX,
            description="Seconds that the old key remains valid while clients switch to the new key. An "
            "old key that expires earlier keeps its expiry.",
        ),
    ] = 3600
    expires_at: ExpiresAt = None


def _fields(row: orm.ApiKey) -> dict[str, str | list[str] | datetime | None]:
    return {
        "id": ids.to_text("api_key", row.id),
        "name": row.name or None,
        "scopes": row.scopes,
        "created_at": row.created_at,
        "expires_at": row.expires_at,
        "revoked_at": row.revoked_at,
    }
