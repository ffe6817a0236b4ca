"""Tests for the delivery of events: signatures, leases, retries, fairness and disabled webhooks."""

from __future__ import annotations

import json
import random
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session, sessionmaker

from tests.api.conftest import wait_until
from tests.receivers import HOST, Receiver, Resolver, receiving
from tests.service import make_caller
from understudy import ids
from understudy.db import events, webhook_deliveries, webhooks
from understudy.db.orm_events import Webhook, WebhookDelivery
from understudy.db.webhook_deliveries import Claim
from understudy.errors import NotFound, Unavailable
from understudy.parameters.probe import ProbeParameters
from understudy.resources import Resources
from understudy.services import deletion
from understudy.services.api_keys import Caller
from understudy.services.erasure import erase_files
from understudy.services.jobs import submit_job
from understudy.services.maintenance import sweep
from understudy.services.webhook_deliveries import (
    FAILING,
    HEALTHY,
    JITTER_FRACTION,
    PAUSES_SECONDS,
    Sender,
)
from understudy.services.webhook_signatures import sign
from understudy.services.webhooks import (
    WebhookRequest,
    change_webhook,
    create_webhook,
    delete_webhook,
    redeliver,
    rotate_secret,
)
from understudy.services.webhooks import test_webhook as ping
from understudy.settings import Settings
from workers.webhooks import N_REQUESTS, WebhookThreads

Json = dict[str, Any]
LANES = (HEALTHY, FAILING)


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Return settings that allow webhooks on this machine."""
    allowed = {"webhook_http": True, "webhook_ports": (), "webhook_networks": ("127.0.0.1/32",)}
    return settings.model_copy(update={**allowed, "webhook_timeout_seconds": 30.0, "webhooks_max": 3})


@pytest.fixture(autouse=True)
def resolver(monkeypatch: pytest.MonkeyPatch) -> Resolver:
    """Install a resolver that knows only the host of these tests."""
    resolver = Resolver()
    monkeypatch.setattr(socket, "getaddrinfo", resolver)
    return resolver


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Start a receiver."""
    with receiving(Receiver()) as receiver:
        yield receiver


@pytest.fixture
def sender(resources: Resources) -> Sender:
    """Return a sender with a fixed seed."""
    return Sender(resources, random.Random(7))  # noqa: S311 - jitter is not a secret


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


def test_two_secrets_sign_during_the_grace_period(
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


def test_new_secret_signs_alone_if_the_previous_one_cannot_be_read(
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


def read(resources: Resources, webhook: Webhook) -> Webhook:
    """Return the current row of a webhook."""
    with resources.sessions() as session:
        return webhooks.get(session, webhook.project_id, webhook.id)


def assert_disabled(resources: Resources, webhook: Webhook, reason: str) -> None:
    """Check that a webhook is disabled, that this has one event, and that later events are not delivered."""
    row = read(resources, webhook)
    assert (row.is_enabled, row.disabled_reason) == (False, reason)
    with resources.sessions.begin() as session:
        filters = events.EventFilters(type="webhook.disabled")
        (event,) = events.page(session, webhook.project_id, filters=filters).rows
        assert event.subject_id == webhook.id
        n_before = len(webhook_deliveries.page(session, row).rows)
        events.add(session, webhook.project_id, "project.updated", webhook.project_id)
        assert len(webhook_deliveries.page(session, row).rows) == n_before


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


def claim(sender: Sender) -> Claim:
    """Claim a delivery, which must be due."""
    claimed = sender.claim(HEALTHY)
    assert claimed is not None
    return claimed


def test_claimed_delivery_is_not_claimed_again_until_its_lease_ends(
    resources: Resources, caller: Caller, receiver: Receiver, sender: Sender
) -> None:
    webhook, _ = add_webhook(resources, caller, receiver.port, "job.queued")
    add_probe(resources, caller)
    first = claim(sender)
    assert sender.claim(HEALTHY) is None
    # The first worker dies before it sends the request, so its lease ends.
    run_sql(resources, "update webhook_deliveries set lease_until = now(), next_attempt_at = now()")
    assert deliver_all(sender) == 1
    # The first worker continues much later. The request is repeated, but nothing is written.
    sender.deliver(first)
    assert len(receiver.requests) == 2
    assert len({request.headers["webhook-id"] for request in receiver.requests}) == 1
    (delivery,) = deliveries(resources, webhook)
    assert (delivery.state, delivery.n_attempts, len(delivery.attempts)) == ("succeeded", 2, 1)


def test_webhook_has_a_limited_number_of_requests_at_once(
    resources: Resources, caller: Caller, receiver: Receiver, sender: Sender
) -> None:
    add_webhook(resources, caller, receiver.port, "job.queued")
    for _ in range(HEALTHY.running_max + 1):
        add_probe(resources, caller)
    for _ in range(HEALTHY.running_max):
        claim(sender)
    assert sender.claim(HEALTHY) is None


def test_webhooks_are_served_in_turn(
    resources: Resources, caller: Caller, receiver: Receiver, sender: Sender
) -> None:
    busy, _ = add_webhook(resources, caller, receiver.port, "job.queued")
    for _ in range(5):
        add_probe(resources, caller)
    other = make_caller(resources)
    quiet, _ = add_webhook(resources, other, receiver.port, "job.queued")
    add_probe(resources, other)
    assert {claim(sender).webhook.id for _ in range(2)} == {busy.id, quiet.id}


def test_project_with_many_webhooks_has_no_more_turns_and_requests_than_others(
    resources: Resources, caller: Caller, receiver: Receiver, sender: Sender
) -> None:
    for _ in range(3):
        add_webhook(resources, caller, receiver.port, "job.queued")
    for _ in range(HEALTHY.running_max):
        add_probe(resources, caller)
    other = make_caller(resources)
    quiet, _ = add_webhook(resources, other, receiver.port, "job.queued")
    for _ in range(HEALTHY.running_max):
        add_probe(resources, other)
    served = [claim(sender).webhook for _ in range(HEALTHY.project_max + HEALTHY.running_max)]
    assert [webhook.id == quiet.id for webhook in served[:4]] in ([True, False] * 2, [False, True] * 2)
    assert [webhook.id for webhook in served].count(quiet.id) == HEALTHY.running_max
    assert sender.claim(HEALTHY) is None


def test_dead_endpoint_does_not_delay_others(
    resources: Resources, caller: Caller, receiver: Receiver, settings: Settings
) -> None:
    released = threading.Event()
    silent = Receiver(respond=lambda handler: released.wait(60))
    patient = with_settings(resources, settings.model_copy(update={"webhook_timeout_seconds": 60.0}))
    with receiving(silent):
        add_webhook(resources, caller, silent.port, "job.queued")
        for _ in range(10):
            add_probe(resources, caller)
        threads = WebhookThreads(patient)
        threads.look()
        wait_until(lambda: len(silent.requests) == HEALTHY.running_max)
        other = make_caller(resources)
        add_webhook(resources, other, receiver.port, "job.queued")
        add_probe(resources, other)
        threads.look()
        wait_until(lambda: len(receiver.requests) == 1)
        assert len(silent.requests) == HEALTHY.running_max
        threads.stop()
        released.set()
        threads.close()


def test_address_is_checked_again_before_each_request(
    resources: Resources, caller: Caller, receiver: Receiver, sender: Sender, resolver: Resolver
) -> None:
    """Check DNS rebinding: the host has an allowed address at first, and a private one later."""
    webhook, _ = add_webhook(resources, caller, receiver.port, "job.queued")
    n_before, n_attempts = resolver.n_calls, 0
    for addresses in (["127.0.0.2"], ["127.0.0.1", "10.0.0.1"], ["::1"], []):
        resolver.addresses[HOST] = addresses
        add_probe(resources, caller)
        n_attempts += deliver_all(sender)
    assert receiver.requests == []
    codes = {(row.error_code, row.attempts[0]["duration_seconds"]) for row in deliveries(resources, webhook)}
    assert codes == {("unreachable", None)}
    assert resolver.n_calls - n_before == n_attempts
    assert n_attempts >= 4


def test_host_is_looked_up_once_for_each_request(
    resources: Resources, caller: Caller, receiver: Receiver, sender: Sender, resolver: Resolver
) -> None:
    add_webhook(resources, caller, receiver.port, "job.queued")
    add_probe(resources, caller)
    n_before = resolver.n_calls
    assert deliver_all(sender) == 1
    assert len(receiver.requests) == 1
    assert resolver.looked_up[n_before:] == [HOST]


def test_url_that_is_no_longer_allowed_is_not_requested(
    resources: Resources, caller: Caller, receiver: Receiver, settings: Settings, sender: Sender
) -> None:
    webhook, _ = add_webhook(resources, caller, receiver.port, "job.queued")
    add_probe(resources, caller)
    strict = settings.model_copy(update={"webhook_http": False})
    deliver_all(Sender(with_settings(resources, strict), sender.rng))
    assert deliveries(resources, webhook)[0].error_code == "url_not_allowed"
    assert receiver.requests == []


def with_settings(resources: Resources, settings: Settings) -> Resources:
    """Return the same open resources with other settings."""
    return replace(resources, settings=settings)


def test_ping_is_sent_to_one_webhook_only(
    resources: Resources, caller: Caller, receiver: Receiver, sender: Sender
) -> None:
    webhook, _ = add_webhook(resources, caller, receiver.port, "job.queued")
    add_webhook(resources, caller, receiver.port)
    ping(resources, caller.project_id, webhook.id)
    assert deliver_all(sender) == 1
    assert json.loads(receiver.requests[0].body)["data"] == {"webhook_id": ids.to_text("webhook", webhook.id)}


def test_redelivery_starts_the_attempts_again_with_the_same_event(
    resources: Resources, caller: Caller, receiver: Receiver, sender: Sender
) -> None:
    webhook, _ = add_webhook(resources, caller, receiver.port, "job.queued")
    add_probe(resources, caller)
    deliver_all(sender)
    delivery, _ = redeliver(resources, caller.project_id, webhook.id, deliveries(resources, webhook)[0].id)
    assert delivery.state == "pending"
    assert deliver_all(sender) == 1
    first, second = receiver.requests
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    (delivery,) = deliveries(resources, webhook)
    assert (delivery.n_attempts, len(delivery.attempts)) == (2, 2)


def test_enabled_webhook_receives_only_later_events(
    resources: Resources, caller: Caller, receiver: Receiver, sender: Sender
) -> None:
    webhook, _ = add_webhook(resources, caller, receiver.port, "job.queued")
    add_probe(resources, caller)
    change_webhook(resources, caller.project_id, webhook.id, {"is_enabled": False})
    add_probe(resources, caller)
    change_webhook(resources, caller.project_id, webhook.id, {"is_enabled": True})
    assert deliver_all(sender) == 0
    add_probe(resources, caller)
    assert deliver_all(sender) == 1


def test_many_deliveries_are_ended_in_batches(
    resources: Resources,
    caller: Caller,
    receiver: Receiver,
    sender: Sender,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhook_deliveries, "BATCH", 2)
    webhook, _ = add_webhook(resources, caller, receiver.port, "job.queued")
    for _ in range(5):
        add_probe(resources, caller)
    change_webhook(resources, caller.project_id, webhook.id, {"is_enabled": False})
    assert [row.error_code for row in deliveries(resources, webhook)] == ["webhook_disabled"] * 5
    # These are added by transactions that began before the webhook was disabled.
    reopen = (
        "update webhook_deliveries set state = 'pending', finished_at = null, error_code = null,"
        " next_attempt_at = now()"
    )
    run_sql(resources, reopen)
    sweep(resources)
    assert {row.state for row in deliveries(resources, webhook)} == {"failed"}
    run_sql(resources, reopen)
    assert change_webhook(resources, caller.project_id, webhook.id, {"is_enabled": True}).is_enabled
    assert deliver_all(sender) == 0


def test_webhook_with_many_deliveries_is_deleted_in_batches(
    resources: Resources, caller: Caller, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhook_deliveries, "BATCH", 2)
    webhook, _ = add_webhook(resources, caller, receiver.port, "job.queued")
    for _ in range(5):
        add_probe(resources, caller)
    with resources.sessions.begin() as session:
        assert not webhooks.remove(session, webhooks.lock(session, caller.project_id, webhook.id))
    assert len(deliveries(resources, webhook)) == 3
    delete_webhook(resources, caller.project_id, webhook.id)
    with pytest.raises(NotFound):
        read(resources, webhook)
    assert deliveries(resources, webhook) == []


def test_change_during_a_deletion_does_not_find_the_webhook(
    resources: Resources, caller: Caller, receiver: Receiver
) -> None:
    webhook, _ = add_webhook(resources, caller, receiver.port)

    def change(results: list[Exception]) -> None:
        try:
            change_webhook(resources, caller.project_id, webhook.id, {"name": "new"})
        except NotFound as error:
            results.append(error)

    errors: list[Exception] = []
    thread = threading.Thread(target=change, args=(errors,))
    with resources.sessions.begin() as session:
        webhooks.remove(session, webhooks.lock(session, caller.project_id, webhook.id))
        thread.start()
        thread.join(0.3)
        assert thread.is_alive()
    thread.join(10)
    assert len(errors) == 1


def test_deletion_of_a_project_and_a_change_of_its_webhook_do_not_lock_each_other(
    resources: Resources, caller: Caller, receiver: Receiver
) -> None:
    webhook, _ = add_webhook(resources, caller, receiver.port)
    disable = {"is_enabled": False}
    thread = threading.Thread(target=deletion.delete_project, args=(resources, caller.project_id, "tests"))
    with resources.sessions.begin() as session:
        row = webhooks.lock(session, caller.project_id, webhook.id)
        thread.start()
        thread.join(0.3)
        # The event of this change refers to the project.
        webhooks.disable(session, row, "request")
    thread.join(10)
    assert not thread.is_alive()
    with pytest.raises(NotFound):
        change_webhook(resources, caller.project_id, webhook.id, disable)


def test_deleted_webhook_ends_its_attempts(
    resources: Resources, caller: Caller, receiver: Receiver, sender: Sender
) -> None:
    webhook, _ = add_webhook(resources, caller, receiver.port, "job.queued")
    add_probe(resources, caller)
    claimed = claim(sender)
    delete_webhook(resources, caller.project_id, webhook.id)
    assert sender.deliver(claimed).status == 204
    assert deliver_all(sender) == 0


def test_old_events_and_their_deliveries_are_deleted(
    resources: Resources, caller: Caller, receiver: Receiver
) -> None:
    webhook, _ = add_webhook(resources, caller, receiver.port, "job.queued")
    add_probe(resources, caller)
    add_probe(resources, caller)
    run_sql(
        resources,
        "update events set created_at = created_at - interval '31 days'"
        " where type = 'project.created' or id = (select min(event_id::text)::uuid from webhook_deliveries)",
    )
    sweep(resources)
    with resources.sessions() as session:
        assert [row.type for row in events.page(session, caller.project_id).rows] == ["job.queued"]
    assert len(deliveries(resources, webhook)) == 1


def test_deleted_project_keeps_neither_webhooks_nor_events(
    resources: Resources, caller: Caller, receiver: Receiver, sender: Sender
) -> None:
    add_webhook(resources, caller, receiver.port)
    add_probe(resources, caller)
    deletion.delete_project(resources, caller.project_id, "tests")
    assert deliver_all(sender) == 0
    with resources.sessions() as session:
        for table in ("webhooks", "webhook_deliveries", "events"):
            assert session.scalar(text(f"select count(*) from {table}")) == 0, table  # noqa: S608 - our names


def test_events_of_a_deleted_project_are_erased_in_batches(
    resources: Resources,
    caller: Caller,
    receiver: Receiver,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(webhook_deliveries, "BATCH", 2)
    monkeypatch.setattr(deletion, "EVENTS_BATCH", 3)
    webhook, _ = add_webhook(resources, caller, receiver.port, "job.queued")
    for _ in range(5):
        add_probe(resources, caller)
    deletion.delete_project(resources, caller.project_id, "tests")
    row = read(resources, webhook)
    assert (row.is_enabled, row.url, row.secret, row.name) == (False, "", "", "")
    n_events = [count(resources, "events")]
    while n_events[-1]:
        erase_files(resources, kept=timedelta(0))
        n_events.append(count(resources, "events"))
    assert len(n_events) > 2
    assert all(later <= earlier - 3 or later == 0 for earlier, later in pairwise(n_events))
    assert [count(resources, table) for table in ("webhooks", "webhook_deliveries", "erasures")] == [0] * 3


def count(resources: Resources, table: str) -> int:
    """Return the number of rows of a table."""
    with resources.sessions() as session:
        return session.scalar(text(f"select count(*) from {table}")) or 0  # noqa: S608 - our names
