"""Bodies of webhooks and their deliveries."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self, get_args

from pydantic import BaseModel, ConfigDict, Field

from app.bodies.base import Body, Page, Timestamp, known_values
from app.bodies.events import EventType
from understudy import ids
from understudy.db.events import TYPES
from understudy.parameters.base import Name
from understudy.services.webhook_urls import URL_LENGTH_MAX

if TYPE_CHECKING:
    from understudy.db import orm_events
    from understudy.db.webhook_deliveries import Row

GRACE_SECONDS_MAX = 30 * 24 * 3600
DeliveryState = Literal["pending", "succeeded", "failed"]

Url = Annotated[
    str,
    Field(
        min_length=1,
        max_length=URL_LENGTH_MAX,
        description="URL that receives the events. The host must have public IP addresses.",
        examples=["https://hooks.example.org/understudy"],
    ),
]
EventTypes = Annotated[
    list[EventType] | None,
    Field(
        min_length=1,
        max_length=len(TYPES),
        description="Types of the events to send. If omitted or null, all types are sent.",
        examples=[["job.succeeded", "job.failed"]],
    ),
]


class Webhook(Body):
    """A URL that receives the events of the project, without its secret."""

    id: Annotated[str, Field(examples=["whk_01kaz7n3r7g5x9a3b1d6e8f0hj"])]
    name: Annotated[str | None, Field(examples=["pipeline"])] = None
    url: Url
    event_types: Annotated[
        list[str] | None,
        Field(description="Types of the events that are sent. Absent if all types are sent."),
    ] = None
    is_enabled: Annotated[bool, Field(description="Whether events are sent.")]
    disabled_reason: Annotated[
        str | None,
        known_values("request", "gone", "failing"),
        Field(
            description="Reason why the webhook is disabled: a request to the API (`request`), a response"
            " with status 410 (`gone`), or failed attempts for 72 hours (`failing`)."
        ),
    ] = None
    disabled_at: Annotated[Timestamp | None, Field(description="Time at which the webhook was disabled.")] = (
        None
    )
    failing_since: Annotated[
        Timestamp | None, Field(description="Time since which all attempts have failed.")
    ] = None
    previous_secret_expires_at: Annotated[
        Timestamp | None, Field(description="Time until which requests are also signed with the old secret.")
    ] = None
    created_at: Timestamp

    @classmethod
    def of(cls, row: orm_events.Webhook) -> Self:
        """Return the response body for a database row."""
        return cls(**_fields(row))


class NewWebhook(Webhook):
    """A webhook with its new secret. No later response contains the secret."""

    secret: Annotated[
        str,
        Field(
            description="Secret with which requests are signed. Store it now, because it cannot be retrieved"
            " later.",
            examples=["whsec_…"],
        ),
    ]

    @classmethod
    def with_secret(cls, row: orm_events.Webhook, secret: str) -> Self:
        """Return the response body for a database row and the text of the secret."""
        return cls(**_fields(row), secret=secret)


class WebhookPage(Page):
    """A page of webhooks, newest first."""

    data: list[Webhook]


class CreateWebhook(BaseModel):
    """The URL of a new webhook, and the events to send."""

    model_config = ConfigDict(extra="forbid")

    url: Url
    # None means that the name is omitted.
    name: Annotated[Name, Field(description="Name of the webhook.")] = None  # type: ignore[assignment]
    event_types: EventTypes = None


class UpdateWebhook(BaseModel):
    """Changes to a webhook. Omitted fields keep their values."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"is_enabled": True}]})

    # None means that the field is omitted. A request cannot contain null.
    url: Url = None  # type: ignore[assignment]
    name: Annotated[Name, Field(description="New name of the webhook.")] = None  # type: ignore[assignment]
    event_types: EventTypes = None
    is_enabled: Annotated[bool, Field(description="Whether events are sent.")] = None  # type: ignore[assignment]


class RotateWebhookSecret(BaseModel):
    """The time for which the old secret remains in use."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [{"grace_seconds": 3600}]})

    grace_seconds: Annotated[
        int,
        Field(
            ge=0,
            le=GRACE_SECONDS_MAX,
            description="Seconds for which requests are signed with both secrets.",
        ),
    ] = 24 * 3600


class DeliveryAttempt(Body):
    """A request to a webhook."""

    started_at: Timestamp
    status: Annotated[int | None, Field(description="HTTP status of the response.", examples=[204])] = None
    error_code: Annotated[
        str | None,
        known_values(
            *("rejected", "timeout", "unreachable", "tls_failed", "invalid_response"),
            *("url_not_allowed", "secret_unreadable", "internal_error"),
        ),
        Field(description="Reason for the failure."),
    ] = None
    duration_seconds: Annotated[
        float | None, Field(description="Duration of the request. Absent if no connection was made.")
    ] = None


class WebhookDelivery(Body):
    """The delivery of an event to a webhook."""

    id: Annotated[str, Field(examples=["dlv_01kaz7n3r7g5x9a3b1d6e8f0hj"])]
    event_id: str
    event_type: Annotated[str, Field(examples=["job.succeeded"])]
    state: Annotated[str, known_values(*get_args(DeliveryState)), Field(description="State of the delivery.")]
    error_code: Annotated[
        str | None,
        Field(
            description="Reason for the last failure, or `webhook_disabled` if the webhook was disabled "
            "before another attempt."
        ),
    ] = None
    n_attempts: Annotated[int, Field(description="Total number of attempts.", examples=[1])]
    attempts: Annotated[list[DeliveryAttempt], Field(description="The last 20 attempts, oldest first.")]
    next_attempt_at: Annotated[
        Timestamp | None, Field(description="Time of the next attempt of a pending delivery.")
    ] = None
    created_at: Timestamp
    finished_at: Timestamp | None = None

    @classmethod
    def of(cls, row: Row) -> Self:
        """Return the response body for a delivery and its event."""
        delivery, event = row
        return cls(
            id=ids.to_text("delivery", delivery.id),
            event_id=ids.to_text("event", event.id),
            event_type=event.type,
            state=delivery.state,
            error_code=delivery.error_code,
            n_attempts=delivery.n_attempts,
            attempts=[DeliveryAttempt.model_validate(attempt) for attempt in delivery.attempts],
            next_attempt_at=delivery.next_attempt_at,
            created_at=delivery.created_at,
            finished_at=delivery.finished_at,
        )


class WebhookDeliveryPage(Page):
    """A page of deliveries, newest first."""

    data: list[WebhookDelivery]


def _fields(row: orm_events.Webhook) -> dict[str, Any]:  # `Any` stands for the types of the fields.
    names = (
        "url",
        "event_types",
        "is_enabled",
        "disabled_reason",
        "disabled_at",
        "failing_since",
        "created_at",
    )
    return {
        "id": ids.to_text("webhook", row.id),
        "name": row.name or None,
        "previous_secret_expires_at": row.previous_secret_expires_at,
        **{name: getattr(row, name) for name in names},
    }
