"""The tables of events, webhooks and deliveries of events to webhooks."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Index, Text, text
from sqlalchemy.orm import Mapped, mapped_column

from understudy.db.orm import CLOCK, Base, Json


class Event(Base):
    """A change in a project. Triggers add the events in the transaction of the change (migration 0015).

    An event contains IDs and codes only, never a value or a name.
    """

    __tablename__ = "events"
    __table_args__ = (
        Index("events_project_id_id_idx", "project_id", "id"),
        Index("events_job_id_id_idx", "job_id", "id", postgresql_where=text("job_id is not null")),
        Index(
            "events_dataset_id_id_idx", "dataset_id", "id", postgresql_where=text("dataset_id is not null")
        ),
    )

    # The order of IDs is the order of creation times.
    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    type: Mapped[str]
    # The row that the event is about. The first part of the type names its table.
    subject_id: Mapped[UUID]
    job_id: Mapped[UUID | None]
    dataset_id: Mapped[UUID | None]
    # The kind of the job, if the event is about a job.
    kind: Mapped[str | None]
    error_code: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(index=True)


class Webhook(Base):
    """A URL to which the events of a project are sent. Its secrets are encrypted."""

    __tablename__ = "webhooks"
    __table_args__ = (
        Index("webhooks_project_id_id_idx", "project_id", "id"),
        CheckConstraint(
            "is_enabled = (disabled_reason is null) and is_enabled = (disabled_at is null)", name="disabled"
        ),
        CheckConstraint(
            "(previous_secret is null) = (previous_secret_expires_at is null)", name="previous_secret"
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(server_default=text("''"))
    url: Mapped[str]
    # Null means all types.
    event_types: Mapped[list[str] | None] = mapped_column(ARRAY(Text))
    is_enabled: Mapped[bool] = mapped_column(server_default=text("true"))
    disabled_reason: Mapped[str | None]
    disabled_at: Mapped[datetime | None]
    secret: Mapped[str]
    previous_secret: Mapped[str | None]
    previous_secret_expires_at: Mapped[datetime | None]
    # Time of the first failed attempt since the last successful one.
    failing_since: Mapped[datetime | None]
    # Time of the last claim of a delivery. Webhooks are served in turn.
    served_at: Mapped[datetime | None]
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK)


class WebhookDelivery(Base):
    """The delivery of an event to a webhook, with its last attempts."""

    __tablename__ = "webhook_deliveries"
    __table_args__ = (
        CheckConstraint("state in ('pending', 'succeeded', 'failed')", name="state"),
        CheckConstraint("(lease_token is null) = (lease_until is null)", name="lease"),
        CheckConstraint("(state = 'pending') = (finished_at is null)", name="end"),
        CheckConstraint("(state = 'pending') = (next_attempt_at is not null)", name="next"),
        Index("webhook_deliveries_webhook_id_id_idx", "webhook_id", "id"),
        Index(
            *("webhook_deliveries_due_idx", "webhook_id", "next_attempt_at", "id"),
            postgresql_where=text("state = 'pending'"),
        ),
        Index(
            *("webhook_deliveries_leased_idx", "webhook_id", "lease_until"),
            postgresql_where=text("lease_token is not null"),
        ),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)
    project_id: Mapped[UUID] = mapped_column(ForeignKey("projects.id", ondelete="CASCADE"))
    webhook_id: Mapped[UUID] = mapped_column(ForeignKey("webhooks.id", ondelete="CASCADE"))
    event_id: Mapped[UUID] = mapped_column(ForeignKey("events.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(server_default="pending")
    # While an attempt is running, this is the end of its lease.
    next_attempt_at: Mapped[datetime | None]
    lease_token: Mapped[UUID | None]
    lease_until: Mapped[datetime | None]
    # Number of failed attempts since the event, or since the last redelivery.
    n_failures: Mapped[int] = mapped_column(server_default=text("0"))
    n_attempts: Mapped[int] = mapped_column(server_default=text("0"))
    attempts: Mapped[list[Json]] = mapped_column(server_default=text("'[]'"))
    error_code: Mapped[str | None]
    created_at: Mapped[datetime] = mapped_column(server_default=CLOCK)
    finished_at: Mapped[datetime | None]
