"""A Celery transport that survives unreadable messages.

By default, a worker ends when it cannot read a message in its queue. Anyone with write access to the broker
could then stop all workers.
"""

from __future__ import annotations

from kombu.transport import TRANSPORT_ALIASES, redis

from understudy.logs import get_logger

# Exceptions for bytes that are not a message: not JSON, not an object, a missing field, or a wrong type.
UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)

logger = get_logger(__name__)


class Channel(redis.Channel):
    """A channel that drops unreadable messages. A lost message delays a job by some seconds."""

    def _brpop_read(self, **options: object) -> object:
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call] # kombu is half typed
        except UNREADABLE as error:
            logger.warning("message_dropped", error=type(error).__name__)
            return None


class Transport(redis.Transport):
    """The transport for Redis and Valkey, over TCP and Unix sockets."""

    Channel = Channel


def use_transport() -> None:
    """Use this transport for all ``redis`` URLs of this process."""
    # The transport is set as an alias, because a URL such as redis+socket:// overrides Celery's setting of
    # the transport.
    TRANSPORT_ALIASES["redis"] = f"{__name__}:Transport"
