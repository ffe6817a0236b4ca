"""Celery's way to the broker, which lives through messages that are none.

As it comes, a worker ends when it finds something in its queue that it cannot read. Whoever can write to the
broker could stop all workers so.
"""

from __future__ import annotations

from kombu.transport import TRANSPORT_ALIASES, redis

from understudy.logs import get_logger

# What reading foreign bytes as a message raises: no JSON, no object, no such field, another type.
UNREADABLE = (AttributeError, KeyError, TypeError, ValueError)

logger = get_logger(__name__)


class Channel(redis.Channel):
    """Drops what cannot be read; a doorbell that is lost costs some seconds."""

    def _brpop_read(self, **options: object) -> object:
        try:
            return super()._brpop_read(**options)  # type: ignore[no-untyped-call] # kombu is half typed
        except UNREADABLE as error:
            logger.warning("message_dropped", error=type(error).__name__)
            return None


class Transport(redis.Transport):
    """Redis and Valkey, over TCP and Unix sockets."""

    Channel = Channel


def use_transport() -> None:
    """Take this transport for all ``redis`` URLs of this process."""
    # By alias, since a URL such as redis+socket:// names its transport and overrules Celery's setting.
    TRANSPORT_ALIASES["redis"] = f"{__name__}:Transport"
