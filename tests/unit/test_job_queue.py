from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.service import connect_valkey
from understudy.embedded.servers import PrivateValkey
from understudy.job_queue import QUEUE_NAME, TASK_NAME, CeleryQueue


@pytest.fixture
def doorbell(valkey: str) -> Iterator[CeleryQueue]:
    """Open a doorbell on the private broker."""
    queue = CeleryQueue(valkey)
    yield queue
    queue.close()


def messages(url: str, queue: str = QUEUE_NAME) -> list[dict[str, object]]:
    """Remove and return the waiting messages."""
    with connect_valkey(url) as client:
        taken = client.lrange(queue, 0, -1)
        client.delete(queue)
    return [json.loads(message) for message in taken]


def test_ring_sends_messages_without_arguments(doorbell: CeleryQueue, valkey: str) -> None:
    assert doorbell.ring(3)

    sent = messages(valkey)
    assert [message["headers"]["task"] for message in sent] == [TASK_NAME] * 3  # type: ignore[index]
    assert {message["headers"]["argsrepr"] for message in sent} == {"()"}  # type: ignore[index]


def test_each_queue_has_its_own_messages(doorbell: CeleryQueue, valkey: str) -> None:
    assert doorbell.ring(queue="gpu")

    assert messages(valkey) == []
    assert len(messages(valkey, f"{QUEUE_NAME}.gpu")) == 1


def test_running_broker_is_reachable(doorbell: CeleryQueue) -> None:
    assert doorbell.is_reachable()


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis+socket:///nowhere/broker.sock"])
def test_unreachable_broker_is_reported_without_an_exception(url: str) -> None:
    queue = CeleryQueue(url)

    assert not queue.ring()
    assert not queue.is_reachable()
    queue.close()


def test_doorbell_works_again_after_a_restart_of_the_broker(tmp_path: Path) -> None:
    server = PrivateValkey(tmp_path / "valkey")
    server.start()
    queue = CeleryQueue(server.url)
    assert queue.ring()

    server.stop()
    assert not queue.ring()
    server.start()
    assert queue.ring()

    queue.close()
    server.stop()
