"""Tests for the order of deliveries: leases, limits, fair turns and changed addresses."""

from __future__ import annotations

import json
import threading

from tests.api.conftest import wait_until
from tests.receivers import HOST, Receiver, Resolver, receiving
from tests.service import make_caller
from tests.unit.services.webhooks.rows import (
    add_probe,
    add_webhook,
    claim,
    deliver_all,
    deliveries,
    run_sql,
    with_settings,
)
from understudy import ids
from understudy.resources import Resources
from understudy.services.api_keys import Caller
from understudy.services.webhook_deliveries import (
    HEALTHY,
    Sender,
)
from understudy.services.webhooks import (
    change_webhook,
    redeliver,
)
from understudy.services.webhooks import test_webhook as ping
from understudy.settings import Settings
from workers.webhooks import WebhookThreads


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


def test_number_of_concurrent_requests_to_a_webhook_is_limited(
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
