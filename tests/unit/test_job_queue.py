from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from understudy.embedded.servers import PrivateValkey
from understudy.job_queue import QUEUE_NAME, TASK_NAME, CeleryQueue


@pytest.fixture
def bell(valkey: str) -> Iterator[CeleryQueue]:
    """Open a doorbell on the private broker."""
    queue = CeleryQueue(valkey)
    yield queue
    queue.close()


def messages(url: str, queue: str = QUEUE_NAME) -> list[dict[str, object]]:
    """Take the messages that wait."""
    with redis.Redis(unix_socket_path=url.removeprefix("redis+socket://")) as client:
        taken = client.lrange(queue, 0, -1)
        client.delete(queue)
    return [json.loads(message) for message in taken]


def test_ring_leaves_messages_that_say_nothing(bell: CeleryQueue, valkey: str) -> None:
    assert bell.ring(3)

    found = messages(valkey)
    assert [message["headers"]["task"] for message in found] == [TASK_NAME] * 3  # type: ignore[index]
    assert {message["headers"]["argsrepr"] for message in found} == {"()"}  # type: ignore[index]


def test_workers_of_a_queue_are_told_by_themselves(bell: CeleryQueue, valkey: str) -> None:
    assert bell.ring(queue="gpu")

    assert messages(valkey) == []
    assert len(messages(valkey, f"{QUEUE_NAME}.gpu")) == 1


def test_broker_that_is_there_is_reachable(bell: CeleryQueue) -> None:
    assert bell.is_reachable()


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "redis+socket:///nowhere/broker.sock"])
def test_broker_that_is_not_there_is_told_but_not_raised(url: str) -> None:
    queue = CeleryQueue(url)

    assert not queue.ring()
    assert not queue.is_reachable()
    queue.close()


def test_bell_rings_again_when_the_broker_is_back(tmp_path: Path) -> None:
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
