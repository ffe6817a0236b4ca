"""Tests that disabled and deleted webhooks have no open deliveries, and that old events are deleted."""

from __future__ import annotations

import threading
from datetime import timedelta
from itertools import pairwise

import pytest
from sqlalchemy import text

from tests.receivers import Receiver
from tests.unit.services.webhooks.rows import (
    add_probe,
    add_webhook,
    claim,
    count,
    deliver_all,
    deliveries,
    read,
    run_sql,
)
from understudy.db import events, webhook_deliveries, webhooks
from understudy.errors import NotFound
from understudy.resources import Resources
from understudy.services import deletion
from understudy.services.api_keys import Caller
from understudy.services.erasure import erase_files
from understudy.services.maintenance import sweep
from understudy.services.webhook_deliveries import (
    Sender,
)
from understudy.services.webhooks import (
    change_webhook,
    delete_webhook,
)


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
    # Transactions that began before the webhook was disabled can add pending deliveries.
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


def test_change_to_a_webhook_during_its_deletion_is_rejected_as_not_found(
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


def test_deletion_of_a_project_and_a_change_to_its_webhook_do_not_deadlock(
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


def test_no_more_attempts_are_made_for_a_deleted_webhook(
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
