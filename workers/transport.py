"""A Celery transport that survives any content of the broker.

A message is only a doorbell, so its content is irrelevant: every message is replaced by the same valid one.
By default, a worker would end, or would stop receiving messages, when it cannot read a message in its queue.
Anyone with write access to the broker could then stop all workers.
"""

from __future__ import annotations

import base64
import uuid
from typing import Any

from kombu.transport import TRANSPORT_ALIASES, redis
from redis.exceptions import RedisError

from understudy.job_queue import TASK_NAME
from understudy.logs import get_logger

BODY = base64.b64encode(b"[[], {}, {}]").decode()

# Exceptions for bytes that are not a message: not JSON, too deeply nested, not an object, or too long.
UNREADABLE = (AttributeError, KeyError, MemoryError, RecursionError, TypeError, ValueError)

# `Any` is a JSON value.
Json = dict[str, Any]

logger = get_logger(__name__)


def doorbell(queue: str) -> Json:
    """Return a valid message that asks a worker to run the queued jobs."""
    message_id = str(uuid.uuid4())
    return {
        "body": BODY,
        "content-encoding": "utf-8",
        "content-type": "application/json",
        "headers": {"lang": "py", "task": TASK_NAME, "id": message_id, "root_id": message_id},
        "properties": {
            "correlation_id": message_id,
            "delivery_info": {"exchange": "", "routing_key": queue},
            "delivery_mode": 2,
            "delivery_tag": message_id,
            "body_encoding": "base64",
            "priority": 0,
        },
    }


class Channel(redis.Channel):
    """A channel that drops messages that are not JSON. A lost message delays a job by a few seconds."""

    def _brpop_read(self, **options: object) -> object:
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call] # kombu is half typed
        except UNREADABLE as error:
            logger.warning("message_dropped", error=type(error).__name__)
            return None


class Transport(redis.Transport):
    """The transport for Redis and Valkey, over TCP and Unix sockets."""

    Channel = Channel
    # A broker that is read-only, full or misconfigured responds with an error. The worker then reconnects,
    # as if the connection were broken, instead of ending.
    connection_errors = (*redis.Transport.connection_errors, RedisError)

    def _deliver(self, message: object, queue: str) -> None:
        """Deliver a valid message instead of the received one."""
        super()._deliver(doorbell(queue), queue)  # type: ignore[no-untyped-call] # kombu is half typed


def use_transport() -> None:
    """Use this transport for all ``redis`` URLs of this process."""
    # The transport is set as an alias because a URL such as redis+socket:// overrides Celery's setting of
    # the transport.
    TRANSPORT_ALIASES["redis"] = f"{__name__}:Transport"
