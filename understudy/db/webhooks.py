"""Rows of webhooks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import Select, delete, func, select, update
from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import events, pages, webhook_deliveries
from understudy.db.orm import CLOCK, Project
from understudy.db.orm_events import Webhook
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
    return _existing(session, select(Webhook), project_id, webhook_id)


def lock(session: Session, project_id: UUID, webhook_id: UUID) -> Webhook:
    """Lock and return a webhook of a project, or raise `NotFound`."""
    # An event of the webhook refers to the project, which is locked first, as when a project is deleted.
    project = select(Project.id).where(Project.id == project_id)
    session.execute(project.with_for_update(read=True, key_share=True))
    # This lock allows new deliveries that refer to the webhook, so no job's transaction waits for it.
    locked = select(Webhook).with_for_update(key_share=True).execution_options(populate_existing=True)
    return _existing(session, locked, project_id, webhook_id)


def _existing(session: Session, statement: Select[Webhook], project_id: UUID, webhook_id: UUID) -> Webhook:
    webhook = session.scalar(statement.where(Webhook.id == webhook_id, Webhook.project_id == project_id))
    if webhook is None:
        text = ids.to_text("webhook", webhook_id)
        raise NotFound(f"Webhook {text} does not exist in this project. Check the ID.")
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
    """Enable a locked webhook again after its pending deliveries have been ended."""
    values = {"is_enabled": True, "disabled_reason": None, "disabled_at": None, "failing_since": None}
    session.execute(update(Webhook).where(Webhook.id == webhook.id).values(**values))
    session.refresh(webhook)


def disable(session: Session, webhook: Webhook, reason: str) -> None:
    """Disable a locked webhook and add the event. The caller ends its pending deliveries."""
    values = {"is_enabled": False, "disabled_reason": reason, "disabled_at": CLOCK}
    session.execute(update(Webhook).where(Webhook.id == webhook.id).values(**values))
    events.add(session, webhook.project_id, "webhook.disabled", webhook.id)
    session.refresh(webhook)


def remove(session: Session, webhook: Webhook) -> bool:
    """Delete a batch of deliveries of a locked webhook, and the webhook with the last batch.

    Returns
    -------
    bool
        Whether the webhook was deleted. If not, a further call in another transaction continues.
    """
    if webhook_deliveries.delete_some(session, [webhook.id]) == webhook_deliveries.BATCH:
        return False
    session.execute(delete(Webhook).where(Webhook.id == webhook.id))
    return True


def remove_all(session: Session, project_id: UUID) -> None:
    """Delete a batch of deliveries of a project, and all of its webhooks with the last batch.

    Until then, the webhooks receive no events, and have neither a URL nor a secret.
    """
    of_project = select(Webhook.id).where(Webhook.project_id == project_id).order_by(Webhook.id)
    webhook_ids = session.scalars(of_project.with_for_update(key_share=True)).all()
    if webhook_deliveries.delete_some(session, webhook_ids) < webhook_deliveries.BATCH:
        session.execute(delete(Webhook).where(Webhook.id.in_(webhook_ids)))
        return
    erased = {
        **{"is_enabled": False, "disabled_reason": "request", "disabled_at": CLOCK},
        **{"name": "", "url": "", "secret": "", "previous_secret": None, "previous_secret_expires_at": None},
    }
    session.execute(update(Webhook).where(Webhook.id.in_(webhook_ids)).values(**erased))
