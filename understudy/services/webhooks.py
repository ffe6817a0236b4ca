"""Use cases of webhooks: create, change, rotate the secret, test and redeliver."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import events, projects, webhook_deliveries, webhooks
from understudy.db.webhook_deliveries import Row
from understudy.db.webhooks import NewWebhook
from understudy.errors import Conflict, TooManyRequests, Unavailable
from understudy.resources import Resources
from understudy.services.checks import Check, accept
from understudy.services.secret_text import sealing
from understudy.services.webhook_signatures import new_secret
from understudy.services.webhook_urls import check_url

if TYPE_CHECKING:
    from understudy.db.orm_events import Webhook

UNREADABLE = (
    "The secret of the webhook cannot be decrypted, because UNDERSTUDY_SECRET_KEY has changed. Restore its "
    "earlier value, or rotate the secret of the webhook."
)


@dataclass(frozen=True)
class WebhookRequest:
    """The URL, the name and the types of events of a new webhook. None means all types."""

    url: str
    name: str
    event_types: Sequence[str] | None


def create_webhook(resources: Resources, project_id: UUID, request: WebhookRequest) -> tuple[Webhook, str]:
    """Create a webhook and return its row and its secret, which cannot be retrieved later.

    Raises
    ------
    InvalidInput
        If the URL is not allowed.
    TooManyRequests
        If the project has the maximum number of webhooks.
    """
    # The host is looked up outside the transaction because a lookup can take seconds.
    check_url(request.url, resources.settings)
    webhook_id, secret = ids.new_id(), new_secret()
    with resources.sessions.begin() as session:
        # Without the lock, two requests could exceed the limit, or the project could be deleted meanwhile.
        projects.get_active(session, project_id, is_locked=True)
        _check_number(resources, session, project_id)
        new = NewWebhook(
            webhook_id,
            project_id,
            request.name,
            request.url,
            request.event_types,
            _sealed(resources, webhook_id, secret),
        )
        return webhooks.add(session, new), secret


def change_webhook(
    resources: Resources,
    project_id: UUID,
    webhook_id: UUID,
    changes: Mapping[str, Any],
    *,
    check: Check[Webhook] = accept,
) -> Webhook:
    """Change a webhook (`url`, `name`, `event_types` and `is_enabled` in `changes`).

    Parameters
    ----------
    check : callable (session, row) -> None
        Function that raises an error if the locked row must not be changed.

    Raises
    ------
    InvalidInput
        If the URL is not allowed.
    """
    if "url" in changes:
        check_url(changes["url"], resources.settings)
    with resources.sessions.begin() as session:
        webhook = webhooks.lock(session, project_id, webhook_id)
        check(session, webhook)
        for field in changes.keys() - {"is_enabled"}:
            setattr(webhook, field, changes[field])
        session.flush()
        was_enabled = webhook.is_enabled
        is_enabled = changes.get("is_enabled", was_enabled)
        if was_enabled and not is_enabled:
            webhooks.disable(session, webhook, "request")
        if was_enabled == is_enabled or _end_some(session, webhook, is_enabled=is_enabled):
            return webhook
    return end_deliveries(resources, project_id, webhook_id, is_enabled=is_enabled)


def end_deliveries(
    resources: Resources, project_id: UUID, webhook_id: UUID, *, is_enabled: bool = False
) -> Webhook:
    """Mark the pending deliveries of a disabled webhook as failed, in small transactions.

    Parameters
    ----------
    is_enabled : bool
        Whether to enable the webhook in the transaction that marks the last delivery.
    """
    while True:
        with resources.sessions.begin() as session:
            webhook = webhooks.lock(session, project_id, webhook_id)
            # Another request may have enabled it.
            if webhook.is_enabled or _end_some(session, webhook, is_enabled=is_enabled):
                return webhook


def _end_some(session: Session, webhook: Webhook, *, is_enabled: bool) -> bool:
    """Mark a batch of pending deliveries as failed, and return whether it was the last batch.

    After the last batch, the webhook is enabled if `is_enabled`.
    """
    if webhook_deliveries.end_some(session, webhook.id) == webhook_deliveries.BATCH:
        return False
    if is_enabled:
        webhooks.enable(session, webhook)
    return True


def delete_webhook(
    resources: Resources, project_id: UUID, webhook_id: UUID, *, check: Check[Webhook] = accept
) -> None:
    """Delete a webhook and its deliveries.

    Parameters
    ----------
    check : callable (session, row) -> None
        Function that raises an error if the locked row must not be deleted.
    """
    is_removed = False
    while not is_removed:
        with resources.sessions.begin() as session:
            webhook = webhooks.lock(session, project_id, webhook_id)
            check(session, webhook)
            is_removed = webhooks.remove(session, webhook)
        # The deletion has begun, so later passes must not be refused.
        check = accept


def rotate_secret(
    resources: Resources, project_id: UUID, webhook_id: UUID, *, grace: timedelta
) -> tuple[Webhook, str]:
    """Replace the secret of a webhook and return its row and the new secret.

    Until `grace` has passed, requests are signed with both secrets. An even older secret is no longer used.
    """
    secret = new_secret()
    with resources.sessions.begin() as session:
        webhook = webhooks.lock(session, project_id, webhook_id)
        webhooks.rotate_secret(session, webhook, _sealed(resources, webhook_id, secret), grace=grace)
        return webhook, secret


def test_webhook(resources: Resources, project_id: UUID, webhook_id: UUID) -> Row:
    """Send a `webhook.ping` event to one webhook, and return its delivery.

    Raises
    ------
    Conflict
        If the webhook is disabled.
    """
    with resources.sessions.begin() as session:
        webhook = webhooks.lock(session, project_id, webhook_id)
        _check_enabled(webhook)
        event_id = events.add(session, project_id, "webhook.ping", webhook_id, only_webhook=webhook_id)
        return webhook_deliveries.of_event(session, webhook, event_id)


def redeliver(resources: Resources, project_id: UUID, webhook_id: UUID, delivery_id: UUID) -> Row:
    """Send the event of a past delivery again, with the same event ID.

    Raises
    ------
    Conflict
        If the delivery is pending or the webhook is disabled.
    """
    with resources.sessions.begin() as session:
        webhook = webhooks.lock(session, project_id, webhook_id)
        delivery = webhook_deliveries.lock(session, webhook, delivery_id)
        _check_enabled(webhook)
        if delivery.state == "pending":
            raise Conflict(
                f"Delivery {ids.to_text('delivery', delivery_id)} is still pending. Wait until it has ended."
            )
        webhook_deliveries.repeat(session, delivery)
        return webhook_deliveries.of_event(session, webhook, delivery.event_id)


def live_secrets(resources: Resources, webhook: Webhook, moment: datetime) -> list[str]:
    """Return the secrets with which requests are signed at a given time, newest first.

    Raises
    ------
    Unavailable
        If the newest secret cannot be decrypted, because the secret key of the installation has changed.
    """
    secrets = [_unsealed(resources, webhook.id, webhook.secret)]
    expiry = webhook.previous_secret_expires_at
    if webhook.previous_secret is not None and expiry is not None and expiry > moment:
        # The secret was probably rotated because the secret key had changed.
        with suppress(Unavailable):
            secrets.append(_unsealed(resources, webhook.id, webhook.previous_secret))
    return secrets


def _sealed(resources: Resources, webhook_id: UUID, secret: str) -> str:
    sealed: str = sealing().seal(resources.secret_key, secret, _context(webhook_id))
    return sealed


def _unsealed(resources: Resources, webhook_id: UUID, sealed: str) -> str:
    secret: str = sealing().unseal(resources.secret_key, sealed, _context(webhook_id), detail=UNREADABLE)
    return secret


def _context(webhook_id: UUID) -> bytes:
    return b"webhook " + webhook_id.bytes


def _check_number(resources: Resources, session: Session, project_id: UUID) -> None:
    maximum = resources.limits.webhooks_max
    if webhooks.count(session, project_id) >= maximum:
        raise TooManyRequests(
            f"The project has {maximum} webhooks, which is the maximum (UNDERSTUDY_WEBHOOKS_MAX). Delete one "
            "of them first."
        )


def _check_enabled(webhook: Webhook) -> None:
    if not webhook.is_enabled:
        raise Conflict(
            f"Webhook {ids.to_text('webhook', webhook.id)} is disabled. Set `is_enabled` to true first."
        )
