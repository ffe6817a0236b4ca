"""Rows of deliveries, and the statements with which workers claim and end them.

A claim gives a delivery a lease with a token. The end of an attempt is written only if the delivery still has
that token. If the worker dies, the delivery is due again when its lease ends.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import ColumnElement, delete, func, select, update
from sqlalchemy.orm import Session, aliased

from understudy import ids
from understudy.db import pages
from understudy.db.orm import CLOCK
from understudy.db.orm_events import Event, Webhook, WebhookDelivery
from understudy.db.pages import Page
from understudy.errors import NotFound

Json = dict[str, Any]
Row = tuple[WebhookDelivery, Event]

# Maximum number of attempts that are stored with a delivery.
ATTEMPTS_KEPT = 20
# Number of deliveries that a transaction deletes or ends, so that no statement exceeds its time limit.
BATCH = 5_000


@dataclass(frozen=True)
class Lane:
    """The webhooks that a claim considers: those whose last attempt succeeded, or those that are failing.

    Parameters
    ----------
    running_max : int
        Maximum number of attempts at once for a webhook.
    project_max : int
        Maximum number of attempts at once for all webhooks of a project in this lane.
    """

    is_failing: bool
    running_max: int
    project_max: int = 4


@dataclass(frozen=True)
class Claim:
    """A claimed delivery with its event and its webhook.

    Parameters
    ----------
    moment : datetime
        Time of the claim by the clock of the database.
    """

    delivery: WebhookDelivery
    event: Event
    webhook: Webhook
    token: UUID
    moment: datetime


def claim(session: Session, lane: Lane, *, lease: timedelta) -> Claim | None:
    """Claim the oldest due delivery of the project and webhook served longest ago, or return None."""
    webhook = session.scalar(_next_webhook(lane))
    if webhook is None:
        return None
    # A second statement sees the claims that were committed while the first one waited.
    oldest = (
        select(WebhookDelivery.id)
        .where(*_is_due(WebhookDelivery, webhook.id))
        .order_by(WebhookDelivery.next_attempt_at, WebhookDelivery.id)
        .limit(1)
        .with_for_update(skip_locked=True)
        .scalar_subquery()
    )
    token = uuid4()
    statement = (
        update(WebhookDelivery)
        .where(WebhookDelivery.id == oldest)
        .values(
            lease_token=token,
            lease_until=CLOCK + lease,
            next_attempt_at=CLOCK + lease,
            n_attempts=WebhookDelivery.n_attempts + 1,
        )
        .returning(WebhookDelivery, CLOCK)
        .execution_options(synchronize_session=False, populate_existing=True)
    )
    row = session.execute(statement).one_or_none()
    if row is None:
        return None
    delivery, moment = row
    session.execute(update(Webhook).where(Webhook.id == webhook.id).values(served_at=CLOCK))
    return Claim(delivery, session.get_one(Event, delivery.event_id), webhook, token, moment)


def _next_webhook(lane: Lane) -> Any:  # `Any` is a SELECT statement with a lock.
    due, running = aliased(WebhookDelivery), aliased(WebhookDelivery)
    n_running = select(func.count()).where(running.webhook_id == Webhook.id, running.lease_until > CLOCK)
    peer, peer_running = aliased(Webhook), aliased(WebhookDelivery)
    of_project = peer.project_id == Webhook.project_id
    is_same_lane = peer.failing_since.is_(None) == Webhook.failing_since.is_(None)
    n_of_project = (
        select(func.count())
        .select_from(peer)
        .join(peer_running, peer_running.webhook_id == peer.id)
        .where(of_project, is_same_lane, peer_running.lease_until > CLOCK)
    )
    served_last = select(func.max(peer.served_at)).where(of_project).correlate(Webhook).scalar_subquery()
    has_failed = Webhook.failing_since.is_not(None)
    return (
        select(Webhook)
        .where(
            Webhook.is_enabled,
            has_failed if lane.is_failing else ~has_failed,
            select(due.id).where(*_is_due(due, Webhook.id)).exists(),
            n_running.scalar_subquery() < lane.running_max,
            n_of_project.correlate(Webhook).scalar_subquery() < lane.project_max,
        )
        .order_by(served_last.nulls_first(), Webhook.served_at.nulls_first(), Webhook.id)
        .limit(1)
        .with_for_update(skip_locked=True, key_share=True)
        .execution_options(populate_existing=True)
    )


def _is_due(
    table: Any, webhook_id: Any
) -> tuple[Any, ...]:  # `Any` stands for a table and for SQL expressions.
    # `clock_timestamp()` is volatile, so no index can be used to compare with it.
    is_due = table.next_attempt_at <= func.statement_timestamp()
    return table.webhook_id == webhook_id, table.state == "pending", is_due


def succeed(session: Session, claimed: Claim, attempt: Json) -> bool:
    """Set a delivery to succeeded. Return False and write nothing if the lease was lost."""
    ended = {"state": "succeeded", "error_code": None, "next_attempt_at": None, "finished_at": CLOCK}
    if not _end_attempt(session, claimed, attempt, ended):
        return False
    session.execute(
        update(Webhook)
        .where(Webhook.id == claimed.webhook.id, Webhook.failing_since.is_not(None))
        .values(failing_since=None)
    )
    return True


def fail(
    session: Session, claimed: Claim, attempt: Json, *, retry_after: timedelta | None
) -> timedelta | None:
    """Record a failed attempt. Return None and write nothing if the lease was lost.

    Parameters
    ----------
    retry_after : timedelta, optional
        Time until the next attempt. None means that this was the last attempt.

    Returns
    -------
    timedelta or None
        The time for which all attempts at the webhook have failed.
    """
    n_failures = claimed.delivery.n_failures + 1
    values: Json = {"n_failures": n_failures, "error_code": attempt["error_code"]}
    if retry_after is None:
        values |= {"state": "failed", "next_attempt_at": None, "finished_at": CLOCK}
    else:
        values |= {"next_attempt_at": CLOCK + retry_after}
    if not _end_attempt(session, claimed, attempt, values):
        return None
    statement = (
        update(Webhook)
        .where(Webhook.id == claimed.webhook.id)
        .values(failing_since=func.coalesce(Webhook.failing_since, CLOCK))
        .returning(CLOCK - Webhook.failing_since)
        .execution_options(synchronize_session=False)
    )
    duration: timedelta | None = session.scalar(statement)
    return duration


def _end_attempt(session: Session, claimed: Claim, attempt: Json, values: Json) -> bool:
    attempts = [*claimed.delivery.attempts, attempt][-ATTEMPTS_KEPT:]
    statement = (
        update(WebhookDelivery)
        .where(WebhookDelivery.id == claimed.delivery.id, WebhookDelivery.lease_token == claimed.token)
        .values(attempts=attempts, lease_token=None, lease_until=None, **values)
        .returning(WebhookDelivery.id)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(statement) is not None


def end_some(session: Session, webhook_id: UUID | None = None) -> int:
    """Mark up to `BATCH` pending deliveries as failed, and return their number.

    Parameters
    ----------
    webhook_id : UUID, optional
        The locked webhook of the deliveries. By default, deliveries of all disabled webhooks are marked.
    """
    if webhook_id is None:
        belongs: ColumnElement[bool] = WebhookDelivery.webhook_id.in_(
            select(Webhook.id).where(~Webhook.is_enabled)
        )
    else:
        belongs = WebhookDelivery.webhook_id == webhook_id
    ended = {
        "state": "failed",
        "error_code": "webhook_disabled",
        "finished_at": CLOCK,
        "next_attempt_at": None,
        "lease_token": None,
        "lease_until": None,
    }
    is_some = _is_some(belongs, WebhookDelivery.state == "pending")
    statement = update(WebhookDelivery).where(is_some).values(**ended)
    return _count(session, statement.returning(WebhookDelivery.id))


def delete_some(session: Session, webhook_ids: Collection[UUID]) -> int:
    """Delete up to `BATCH` deliveries of locked webhooks, and return their number."""
    statement = delete(WebhookDelivery).where(_is_some(WebhookDelivery.webhook_id.in_(webhook_ids)))
    return _count(session, statement.returning(WebhookDelivery.id))


def _is_some(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Match and lock up to `BATCH` deliveries that no other transaction has locked."""
    some = select(WebhookDelivery.id).where(*conditions).limit(BATCH).with_for_update(skip_locked=True)
    # A common table expression is evaluated once, so that the limit holds.
    return WebhookDelivery.id.in_(select(some.cte("some").c.id))


def _count(session: Session, statement: Any) -> int:  # `Any` is a statement that returns IDs.
    return len(session.scalars(statement.execution_options(synchronize_session=False)).all())


def lock(session: Session, webhook: Webhook, delivery_id: UUID) -> WebhookDelivery:
    """Lock and return a delivery of a webhook, or raise `NotFound`."""
    statement = select(WebhookDelivery).where(
        WebhookDelivery.id == delivery_id, WebhookDelivery.webhook_id == webhook.id
    )
    delivery = session.scalar(statement.with_for_update())
    if delivery is None:
        text = ids.to_text("delivery", delivery_id)
        raise NotFound(f"This webhook has no delivery {text}. Check both IDs.")
    return delivery


def repeat(session: Session, delivery: WebhookDelivery) -> WebhookDelivery:
    """Make a locked delivery that has ended due again, with all of its attempts."""
    values = {
        "state": "pending",
        "next_attempt_at": CLOCK,
        "n_failures": 0,
        "error_code": None,
        "finished_at": None,
    }
    session.execute(update(WebhookDelivery).where(WebhookDelivery.id == delivery.id).values(**values))
    session.refresh(delivery)
    return delivery


def of_event(session: Session, webhook: Webhook, event_id: UUID) -> Row:
    """Return the delivery of an event to a webhook, with the event."""
    statement = (
        select(WebhookDelivery, Event)
        .join(Event, Event.id == WebhookDelivery.event_id)
        .where(WebhookDelivery.webhook_id == webhook.id, WebhookDelivery.event_id == event_id)
    )
    delivery, event = session.execute(statement).one()
    return delivery, event


def page(
    session: Session,
    webhook: Webhook,
    *,
    state: str | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> Page[Row, UUID]:
    """Return a page of the deliveries of a webhook with their events, newest first."""
    statement = select(WebhookDelivery).where(WebhookDelivery.webhook_id == webhook.id)
    if state is not None:
        statement = statement.where(WebhookDelivery.state == state)
    stored = pages.newest_first(session, statement, WebhookDelivery.id, after=after, limit=limit)
    event_ids = [row.event_id for row in stored.rows]
    by_id = {row.id: row for row in session.scalars(select(Event).where(Event.id.in_(event_ids)))}
    return Page([(row, by_id[row.event_id]) for row in stored.rows], stored.next)
