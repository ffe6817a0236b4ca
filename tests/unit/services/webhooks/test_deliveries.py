"""Tests for the delivery of events: signatures, retries and disabled webhooks."""

from __future__ import annotations

import json
import socket
import time
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tests.api.conftest import wait_until
from tests.receivers import Receiver
from tests.service import make_caller
from tests.unit.services.webhooks.rows import (
    add_probe,
    add_webhook,
    assert_disabled,
    deliver_all,
    deliveries,
    make_due,
    now,
    read,
    run_sql,
)
from understudy import ids
from understudy.errors import Unavailable
from understudy.resources import Resources
from understudy.services.api_keys import Caller
from understudy.services.webhook_deliveries import (
    JITTER_FRACTION,
    PAUSES_SECONDS,
    Sender,
)
from understudy.services.webhook_signatures import sign
from understudy.services.webhooks import (
    rotate_secret,
)
from workers.webhooks import N_REQUESTS, WebhookThreads


def test_success_of_a_job_is_delivered_with_a_valid_signature(
    resources: Resources, caller: Caller, receiver: Receiver, sender: Sender
) -> None:
    webhook, secret = add_webhook(resources, caller, receiver.port, "job.queued")
    job_id = add_probe(resources, caller)
    assert deliver_all(sender) == 1
    (request,) = receiver.requests
    message_id, moment = request.headers["webhook-id"], int(request.headers["webhook-timestamp"])
    assert request.headers["webhook-signature"] == sign(secret, message_id, moment, request.body)
    assert abs(time.time() - moment) < 60
    body = json.loads(request.body)
    expected = {"job_id": ids.to_text("job", job_id), "kind": "probe", "state": "queued"}
    assert (body["id"], body["type"], body["data"]) == (message_id, "job.queued", expected)
    (delivery,) = deliveries(resources, webhook)
    assert (delivery.state, delivery.n_attempts, delivery.attempts[0]["status"]) == ("succeeded", 1, 204)


def test_only_events_of_subscribed_types_and_of_the_same_project_are_sent(
    resources: Resources, caller: Caller, receiver: Receiver, sender: Sender
) -> None:
    add_webhook(resources, caller, receiver.port, "job.cancelled")
    add_webhook(resources, caller, receiver.port)
    add_probe(resources, caller)
    add_probe(resources, make_caller(resources))
    assert deliver_all(sender) == 1
    assert json.loads(receiver.requests[0].body)["type"] == "job.queued"


def test_messages_have_two_signatures_during_the_grace_period(
    resources: Resources, caller: Caller, receiver: Receiver, sender: Sender
) -> None:
    webhook, old = add_webhook(resources, caller, receiver.port, "job.queued")
    _, new = rotate_secret(resources, caller.project_id, webhook.id, grace=timedelta(hours=1))
    add_probe(resources, caller)
    deliver_all(sender)
    rotate_secret(resources, caller.project_id, webhook.id, grace=timedelta(0))
    add_probe(resources, caller)
    deliver_all(sender)
    first, second = receiver.requests
    given = (first.headers["webhook-id"], int(first.headers["webhook-timestamp"]), first.body)
    assert first.headers["webhook-signature"].split() == [sign(new, *given), sign(old, *given)]
    assert len(second.headers["webhook-signature"].split()) == 1
    assert deliveries(resources, webhook)[0].state == "succeeded"


def test_secrets_are_not_stored_in_plain_text(resources: Resources, caller: Caller) -> None:
    webhook, secret = add_webhook(resources, caller, 1)
    rotate_secret(resources, caller.project_id, webhook.id, grace=timedelta(hours=1))
    with resources.sessions() as session:
        stored = str(session.execute(text("select secret, previous_secret from webhooks")).one())
    assert secret.removeprefix("whsec_") not in stored


def test_changed_secret_key_is_reported_as_the_reason(
    resources: Resources, caller: Caller, receiver: Receiver, sender: Sender
) -> None:
    webhook, _ = add_webhook(resources, caller, receiver.port)
    run_sql(resources, "update webhooks set secret = (select repeat('QUJD', 20))")
    add_probe(resources, caller)
    deliver_all(sender)
    assert deliveries(resources, webhook)[0].error_code == "secret_unreadable"
    assert receiver.requests == []


def test_messages_have_only_the_new_signature_if_the_previous_secret_cannot_be_read(
    resources: Resources, caller: Caller, receiver: Receiver, sender: Sender
) -> None:
    webhook, _ = add_webhook(resources, caller, receiver.port, "job.queued")
    rotate_secret(resources, caller.project_id, webhook.id, grace=timedelta(hours=1))
    run_sql(resources, "update webhooks set previous_secret = (select repeat('QUJD', 20))")
    add_probe(resources, caller)
    deliver_all(sender)
    (request,) = receiver.requests
    assert len(request.headers["webhook-signature"].split()) == 1
    assert deliveries(resources, webhook)[0].state == "succeeded"


def test_attempt_that_raises_an_unexpected_error_is_counted(
    resources: Resources,
    caller: Caller,
    receiver: Receiver,
    sender: Sender,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def look_up(*_: object, **__: object) -> list[object]:
        raise RuntimeError

    webhook, _ = add_webhook(resources, caller, receiver.port, "job.queued")
    add_probe(resources, caller)
    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    assert deliver_all(sender) == 1
    (delivery,) = deliveries(resources, webhook)
    assert (delivery.state, delivery.n_failures) == ("pending", 1)
    assert delivery.error_code == "internal_error"


class FailingSessions(sessionmaker[Session]):
    """Sessions whose first transactions fail, as if the database could not be reached."""

    n_failures = 0

    def begin(self) -> Any:
        """Fail, or begin a transaction."""
        self.n_failures -= 1
        if self.n_failures >= 0:
            raise Unavailable("The database cannot be reached.")
        return super().begin()


def test_failed_claims_do_not_use_up_the_threads(
    resources: Resources, caller: Caller, receiver: Receiver
) -> None:
    sessions = FailingSessions(**resources.sessions.kw)
    sessions.n_failures = sum(N_REQUESTS.values()) + 1
    add_webhook(resources, caller, receiver.port, "job.queued")
    add_probe(resources, caller)
    threads = WebhookThreads(replace(resources, sessions=sessions))
    for _ in range(sum(N_REQUESTS.values()) + 1):
        with pytest.raises(Unavailable):
            threads.look()
    threads.look()
    wait_until(lambda: len(receiver.requests) == 1)
    threads.close()


def test_failed_attempts_are_repeated_for_72_hours(
    resources: Resources, caller: Caller, receiver: Receiver, sender: Sender
) -> None:
    receiver.status = 500
    webhook, _ = add_webhook(resources, caller, receiver.port, "job.queued")
    add_probe(resources, caller)
    for pause in PAUSES_SECONDS:
        began = now(resources)
        assert deliver_all(sender) == 1
        ended = now(resources)
        (delivery,) = deliveries(resources, webhook)
        assert delivery.state == "pending"
        assert delivery.next_attempt_at is not None
        assert began + timedelta(seconds=pause) <= delivery.next_attempt_at
        assert delivery.next_attempt_at <= ended + timedelta(seconds=pause * (1 + JITTER_FRACTION))
        make_due(resources)
    assert deliver_all(sender) == 1
    (delivery,) = deliveries(resources, webhook)
    n_attempts = len(PAUSES_SECONDS) + 1
    assert (delivery.state, delivery.n_attempts, delivery.error_code) == ("failed", n_attempts, "rejected")
    assert [attempt["status"] for attempt in delivery.attempts] == [500] * n_attempts
    assert {request.headers["webhook-id"] for request in receiver.requests} == {
        ids.to_text("event", delivery.event_id)
    }
    assert sum(PAUSES_SECONDS) >= timedelta(hours=72).total_seconds()


def test_webhook_is_disabled_after_72_hours_of_failures(
    resources: Resources, caller: Caller, receiver: Receiver, sender: Sender
) -> None:
    receiver.status = 503
    webhook, _ = add_webhook(resources, caller, receiver.port, "job.queued")
    add_probe(resources, caller)
    deliver_all(sender)
    run_sql(resources, "update webhooks set failing_since = failing_since - interval '71 hours'")
    make_due(resources)
    deliver_all(sender)
    assert read(resources, webhook).is_enabled
    run_sql(resources, "update webhooks set failing_since = failing_since - interval '1 hour'")
    make_due(resources)
    deliver_all(sender)
    assert_disabled(resources, webhook, "failing")
    assert {row.state for row in deliveries(resources, webhook)} == {"failed"}


def test_webhook_is_disabled_by_status_410(
    resources: Resources, caller: Caller, receiver: Receiver, sender: Sender
) -> None:
    receiver.status = 410
    webhook, _ = add_webhook(resources, caller, receiver.port, "job.queued")
    add_probe(resources, caller)
    add_probe(resources, caller)
    assert deliver_all(sender) == 1
    assert_disabled(resources, webhook, "gone")
    codes = [row.error_code for row in deliveries(resources, webhook)]
    assert sorted(map(str, codes)) == ["rejected", "webhook_disabled"]


def test_success_ends_a_series_of_failures(
    resources: Resources, caller: Caller, receiver: Receiver, sender: Sender
) -> None:
    receiver.status = 500
    webhook, _ = add_webhook(resources, caller, receiver.port, "job.queued")
    add_probe(resources, caller)
    deliver_all(sender)
    assert read(resources, webhook).failing_since is not None
    receiver.status = 200
    make_due(resources)
    deliver_all(sender)
    assert read(resources, webhook).failing_since is None
