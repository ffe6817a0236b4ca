"""Delivery of events to webhooks, at least once.

Several workers can deliver at the same time. Each claim serves the webhook that was served longest ago, and
each webhook has only a few attempts at once. Webhooks whose last attempt failed are claimed separately, so
slow and broken endpoints do not delay the others.
"""

from __future__ import annotations

import json
import random
import ssl
from datetime import UTC, timedelta
from typing import Any

from understudy import ids
from understudy.db import webhook_deliveries, webhooks
from understudy.db.webhook_deliveries import Claim, Lane
from understudy.errors import InvalidInput, NotFound, Unavailable
from understudy.failpoints import failpoint
from understudy.logs import get_logger
from understudy.resources import CODE_VERSION, Resources
from understudy.services.event_payloads import payload_of
from understudy.services.webhook_requests import Deadline, Message, Outcome, post
from understudy.services.webhook_signatures import signed_headers
from understudy.services.webhook_urls import find_addresses, read_url
from understudy.services.webhooks import end_deliveries, live_secrets

Json = dict[str, Any]

HEALTHY = Lane(is_failing=False, running_max=2)
FAILING = Lane(is_failing=True, running_max=1)

# Time between the attempts in seconds, as the Standard Webhooks specification proposes: 72 hours in total.
PAUSES_SECONDS = (5, 300, 1800, *(hours * 3600 for hours in (2, 5, 10, 12, 18, 24.5)))
# Each pause is extended by a random part of up to this fraction, so that failed deliveries are not all
# repeated at once.
JITTER_FRACTION = 0.1
# A webhook is disabled when all attempts have failed for this time.
FAILING_MAX = timedelta(hours=72)
# Time after the end of a request within which its outcome is written.
SETTLE = timedelta(seconds=20)
# Status with which a receiver asks for its webhook to be disabled.
GONE = 410

logger = get_logger(__name__)


class Sender:
    """The settings of requests to webhooks, and the certificates that they trust.

    Parameters
    ----------
    rng : random.Random
        Source of the random part of pauses.
    """

    def __init__(self, resources: Resources, rng: random.Random) -> None:
        self.resources = resources
        self.context = ssl.create_default_context()
        self.rng = rng

    def claim(self, lane: Lane) -> Claim | None:
        """Claim the next due delivery among the webhooks of a lane."""
        with self.resources.sessions.begin() as session:
            return webhook_deliveries.claim(session, lane, lease=self._timeout + SETTLE)

    def deliver(self, claimed: Claim) -> Outcome:
        """Send the event of a claimed delivery, and write the outcome."""
        outcome = self._try_to_send(claimed)
        failpoint("webhook.before_settle")
        attempt = {
            "started_at": claimed.moment.astimezone(UTC).isoformat().replace("+00:00", "Z"),
            "status": outcome.status,
            "error_code": outcome.error_code,
            "duration_seconds": outcome.duration_seconds,
        }
        try:
            self._settle(claimed, outcome, attempt)
        except NotFound:
            logger.info("webhook_deleted", webhook_id=ids.to_text("webhook", claimed.webhook.id))
        return outcome

    @property
    def _timeout(self) -> timedelta:
        return timedelta(seconds=self.resources.settings.webhook_timeout_seconds)

    def _try_to_send(self, claimed: Claim) -> Outcome:
        try:
            return self._send(claimed)
        except Exception:  # An attempt that is not counted would be repeated endlessly.
            logger.exception("webhook_attempt_failed")
            return Outcome(error_code="internal_error")

    def _send(self, claimed: Claim) -> Outcome:
        settings = self.resources.settings
        deadline = Deadline(self._timeout.total_seconds())
        try:
            secrets = live_secrets(self.resources, claimed.webhook, claimed.moment)
            target = read_url(claimed.webhook.url, settings)
        except Unavailable:
            return Outcome(error_code="secret_unreadable")
        except InvalidInput:
            # The rules have become stricter since the webhook was created.
            return Outcome(error_code="url_not_allowed")
        message = _message(claimed, secrets)
        addresses = find_addresses(target, settings, seconds=deadline.remaining())
        return post(target, addresses, message, deadline=deadline, context=self.context)

    def _settle(self, claimed: Claim, outcome: Outcome, attempt: Json) -> None:
        webhook = claimed.webhook
        reason: str | None = None
        with self.resources.sessions.begin() as session:
            # The order of locks is the same as when a webhook is changed.
            row = webhooks.lock(session, webhook.project_id, webhook.id)
            if outcome.error_code is None:
                webhook_deliveries.succeed(session, claimed, attempt)
            else:
                failing = webhook_deliveries.fail(
                    session, claimed, attempt, retry_after=self._pause(claimed, outcome)
                )
                reason = _reason_to_disable(outcome, failing)
            if reason is not None and row.is_enabled:
                webhooks.disable(session, row, reason)
        webhook_id = ids.to_text("webhook", webhook.id)
        logger.info("webhook_attempt_ended", webhook_id=webhook_id, error_code=outcome.error_code)
        if reason is not None:
            logger.warning("webhook_disabled", webhook_id=webhook_id, reason=reason)
            end_deliveries(self.resources, webhook.project_id, webhook.id)

    def _pause(self, claimed: Claim, outcome: Outcome) -> timedelta | None:
        """Return the time until the next attempt, or None after the last one."""
        n_before = claimed.delivery.n_failures
        if outcome.status == GONE or n_before >= len(PAUSES_SECONDS):
            return None
        return timedelta(seconds=PAUSES_SECONDS[n_before] * (1 + self.rng.uniform(0, JITTER_FRACTION)))


def _message(claimed: Claim, secrets: list[str]) -> Message:
    payload = payload_of(claimed.event)
    body = json.dumps(payload, separators=(",", ":")).encode()
    signed = signed_headers(secrets, payload["id"], int(claimed.moment.timestamp()), body)
    headers = {"Content-Type": "application/json", "User-Agent": f"Understudy/{CODE_VERSION}", **signed}
    return Message(headers, body)


def _reason_to_disable(outcome: Outcome, failing: timedelta | None) -> str | None:
    """Return the reason to disable the webhook after a failed attempt, or None.

    `failing` is None if the lease was lost. The webhook then stays enabled, because another attempt follows.
    """
    if failing is None:
        return None
    if outcome.status == GONE:
        return "gone"
    return "failing" if failing >= FAILING_MAX else None
