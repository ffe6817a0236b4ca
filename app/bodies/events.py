"""Bodies of events. Webhooks receive the JSON that `GET /v1/events` returns."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal, Self

from pydantic import Field

from app.bodies.base import Body, Page, known_values
from understudy.db.events import TYPES
from understudy.services.event_payloads import payload_of

if TYPE_CHECKING:
    from understudy.db import orm_events

EventType = Literal[
    "job.queued",
    "job.running",
    "job.succeeded",
    "job.failed",
    "job.cancelled",
    "dataset.ready",
    "dataset.failed",
    "dataset.quarantined",
    "dataset.released",
    "dataset.deleted",
    "model.created",
    "model.deleted",
    "report.created",
    "report.deleted",
    "api_key.created",
    "api_key.rotated",
    "api_key.revoked",
    "project.created",
    "project.updated",
    "webhook.disabled",
    "webhook.ping",
]


class EventData(Body):
    """The resources that an event is about, and their state. The event type determines the fields."""

    job_id: str | None = None
    dataset_id: str | None = None
    model_id: str | None = None
    report_id: str | None = None
    api_key_id: str | None = None
    project_id: str | None = None
    webhook_id: str | None = None
    kind: Annotated[str | None, Field(description="Kind of the job.")] = None
    state: Annotated[str | None, Field(description="State of the job.")] = None
    error_code: Annotated[str | None, Field(description="Error code of a failed job or dataset.")] = None


class Event(Body):
    """A change in a project. It contains no values and no names."""

    id: Annotated[str, Field(description="ID of the event, also sent in the header `webhook-id`.")]
    type: Annotated[str, known_values(*TYPES), Field(description="Type of the event.")]
    timestamp: Annotated[datetime, Field(description="Time of the change.")]
    data: EventData

    @classmethod
    def of(cls, row: orm_events.Event) -> Self:
        """Return the response body for a database row."""
        return cls.model_validate(payload_of(row))


class EventPage(Page):
    """A page of events, oldest first."""

    data: list[Event]
