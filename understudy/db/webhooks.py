"""Rows of webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import and_, delete, func, select, update
from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import events, pages
from understudy.db.orm import CLOCK
from understudy.db.orm_events import Webhook, WebhookDelivery
from understudy.db.pages import Page
from understudy.errors import NotFound


@dataclass(frozen=True)
class NewWebhook:
    """A new webhook. Its secret is encrypted, and `event_types` is None for all types."""

    id: UUID
    project_id: UUID
    name: str
    url: str
    event_types: Sequence[str] | None
    secret: str


def add(session: Session, new: NewWebhook) -> Webhook:
    """Add an enabled webhook."""
    webhook = Webhook(
        id=new.id,
        project_id=new.project_id,
        name=new.name,
        url=new.url,
        event_types=None if new.event_types is None else list(new.event_types),
        secret=new.secret,
    )
    session.add(webhook)
    session.flush()
    return webhook


def count(session: Session, project_id: UUID) -> int:
    """Return the number of webhooks of a project."""
    return session.scalar(select(func.count()).where(Webhook.project_id == project_id)) or 0


def get(session: Session, project_id: UUID, webhook_id: UUID) -> Webhook:
    """Return a webhook of a project, or raise `NotFound`."""
    webhook = session.get(Webhook, webhook_id)
    if webhook is None or webhook.project_id != project_id:
        text = ids.to_text("webhook", webhook_id)
        raise NotFound(f"Webhook {text} does not exist in this project. Check the ID.")
    return webhook


def lock(session: Session, project_id: UUID, webhook_id: UUID) -> Webhook:
    """Lock and return a webhook of a project, or raise `NotFound`."""
    webhook = get(session, project_id, webhook_id)
    # Deliveries can refer to the webhook meanwhile, so no transaction of a job waits for this one.
    session.refresh(webhook, with_for_update={"key_share": True})
    return webhook


def page(session: Session, project_id: UUID, *, after: UUID | None, limit: int) -> Page[Webhook, UUID]:
    """Return a page of a project's webhooks, newest first."""
    statement = select(Webhook).where(Webhook.project_id == project_id)
    return pages.newest_first(session, statement, Webhook.id, after=after, limit=limit)


def rotate_secret(session: Session, webhook: Webhook, secret: str, *, grace: timedelta) -> None:
    """Replace the secret of a locked webhook. Requests are also signed with the old one during `grace`."""
    values = {
        "secret": secret,
        "previous_secret": webhook.secret,
        "previous_secret_expires_at": CLOCK + grace,
    }
    session.execute(update(Webhook).where(Webhook.id == webhook.id).values(**values))
    session.refresh(webhook)


def enable(session: Session, webhook: Webhook) -> None:
    """Enable a locked webhook again."""
    values = {"is_enabled": True, "disabled_reason": None, "disabled_at": None, "failing_since": None}
    session.execute(update(Webhook).where(Webhook.id == webhook.id).values(**values))
    session.refresh(webhook)


def disable(session: Session, webhook: Webhook, reason: str) -> None:
    """Disable a locked webhook, end its pending deliveries as failed, and add the event."""
    values = {"is_enabled": False, "disabled_reason": reason, "disabled_at": CLOCK}
    session.execute(update(Webhook).where(Webhook.id == webhook.id).values(**values))
    is_pending = and_(WebhookDelivery.webhook_id == webhook.id, WebhookDelivery.state == "pending")
    ended = {
        "state": "failed",
        "error_code": "webhook_disabled",
        "finished_at": CLOCK,
        "next_attempt_at": None,
        "lease_token": None,
        "lease_until": None,
    }
    session.execute(
        update(WebhookDelivery).where(is_pending).values(**ended).execution_options(synchronize_session=False)
    )
    events.add(session, webhook.project_id, "webhook.disabled", webhook.id)
    session.refresh(webhook)


def remove(session: Session, webhook: Webhook) -> None:
    """Delete a webhook with its deliveries."""
    session.execute(delete(Webhook).where(Webhook.id == webhook.id))


def delete_all(session: Session, project_id: UUID) -> None:
    """Delete all webhooks of a project with their deliveries."""
    session.execute(delete(Webhook).where(Webhook.project_id == project_id))
