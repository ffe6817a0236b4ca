"""Helpers that create webhooks and read their rows."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import text

from tests.receivers import HOST
from understudy.db import events, webhook_deliveries, webhooks
from understudy.db.orm_events import Webhook, WebhookDelivery
from understudy.db.webhook_deliveries import Claim
from understudy.parameters.probe import ProbeParameters
from understudy.resources import Resources
from understudy.services.api_keys import Caller
from understudy.services.jobs import submit_job
from understudy.services.webhook_deliveries import (
    FAILING,
    HEALTHY,
    Sender,
)
from understudy.services.webhooks import (
    WebhookRequest,
    create_webhook,
)
from understudy.settings import Settings

Json = dict[str, Any]
LANES = (HEALTHY, FAILING)


def add_webhook(
    resources: Resources, caller: Caller, port: int, *types: str, host: str = HOST
) -> tuple[Webhook, str]:
    """Create a webhook and return its row and its secret."""
    request = WebhookRequest(f"http://{host}:{port}/hook", "w", types or None)
    return create_webhook(resources, caller.project_id, request)


def add_probe(resources: Resources, caller: Caller) -> UUID:
    """Submit a job, which adds an event."""
    return submit_job(resources, caller.project_id, ProbeParameters(kind="probe", seconds=0)).id


def deliver_all(sender: Sender) -> int:
    """Deliver all due events, and return the number of attempts."""
    n_attempts = 0
    for lane in LANES:
        while (claimed := sender.claim(lane)) is not None:
            sender.deliver(claimed)
            n_attempts += 1
    return n_attempts


def deliveries(resources: Resources, webhook: Webhook) -> list[WebhookDelivery]:
    """Return the deliveries of a webhook, newest first."""
    with resources.sessions() as session:
        return [row for row, _ in webhook_deliveries.page(session, webhook).rows]


def run_sql(resources: Resources, statement: str) -> None:
    """Change rows, for example to let time pass."""
    with resources.sessions.begin() as session:
        session.execute(text(statement))


def now(resources: Resources) -> datetime:
    """Return the time of the database."""
    with resources.sessions() as session:
        moment: datetime = session.execute(text("select clock_timestamp()")).scalar_one()
        return moment


def make_due(resources: Resources) -> None:
    """Make all pending deliveries due."""
    run_sql(resources, "update webhook_deliveries set next_attempt_at = now() where state = 'pending'")


def read(resources: Resources, webhook: Webhook) -> Webhook:
    """Return the current row of a webhook."""
    with resources.sessions() as session:
        return webhooks.get(session, webhook.project_id, webhook.id)


def assert_disabled(resources: Resources, webhook: Webhook, reason: str) -> None:
    """Check that a webhook is disabled, that one event records it, and that later events are not sent."""
    row = read(resources, webhook)
    assert (row.is_enabled, row.disabled_reason) == (False, reason)
    with resources.sessions.begin() as session:
        filters = events.EventFilters(type="webhook.disabled")
        (event,) = events.page(session, webhook.project_id, filters=filters).rows
        assert event.subject_id == webhook.id
        n_before = len(webhook_deliveries.page(session, row).rows)
        events.add(session, webhook.project_id, "project.updated", webhook.project_id)
        assert len(webhook_deliveries.page(session, row).rows) == n_before


def claim(sender: Sender) -> Claim:
    """Claim a delivery, which must be due."""
    claimed = sender.claim(HEALTHY)
    assert claimed is not None
    return claimed


def with_settings(resources: Resources, settings: Settings) -> Resources:
    """Return the same open resources with other settings."""
    return replace(resources, settings=settings)


def count(resources: Resources, table: str) -> int:
    """Return the number of rows of a table."""
    with resources.sessions() as session:
        return session.scalar(text(f"select count(*) from {table}")) or 0  # noqa: S608 - our names
