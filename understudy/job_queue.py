"""The doorbell: a message that says "there is work" and nothing else.

The jobs table is the truth. A message that is lost costs some seconds, until the next look at the table; one
that is delivered twice finds nothing to claim. So nothing here ever raises on account of the broker.
"""

from __future__ import annotations

from typing import Any, Protocol

from celery import Celery
from kombu.exceptions import OperationalError

from understudy.errors import UnderstudyError
from understudy.logs import get_logger
from understudy.parameters.needs import DEFAULT_QUEUE

# Held equal to the task's name in `workers/tasks.py` by a test.
TASK_NAME = "understudy.run_next_job"
QUEUE_NAME = "understudy"
BROKER_TIMEOUT_SECONDS = 1
# What a broken connection raises through Celery; redis's own errors derive from none of the others.
BROKER_ERRORS: tuple[type[Exception], ...] = (OperationalError, OSError)

logger = get_logger(__name__)


def broker_queue(queue: str) -> str:
    """Return the name that a queue of jobs has at the broker."""
    return QUEUE_NAME if queue == DEFAULT_QUEUE else f"{QUEUE_NAME}.{queue}"


class JobQueue(Protocol):
    """How workers are told that jobs wait."""

    def ring(self, n: int = 1, *, queue: str = DEFAULT_QUEUE) -> bool:
        """Tell up to `n` workers of a queue that there is work; False if they could not be told."""

    def is_reachable(self) -> bool:
        """Tell whether the broker answers."""

    def close(self) -> None:
        """Close the connections."""


class CeleryQueue:
    """Rings through Celery's broker; sends by name and knows no task."""

    def __init__(self, url: str) -> None:
        self._app = Celery("understudy-doorbell", broker=url, set_as_current=False)
        self._app.conf.update(
            broker_connection_timeout=BROKER_TIMEOUT_SECONDS,
            broker_connection_retry=False,
            broker_transport_options={
                "socket_timeout": BROKER_TIMEOUT_SECONDS,
                "socket_connect_timeout": BROKER_TIMEOUT_SECONDS,
                "max_retries": 0,
            },
            task_ignore_result=True,
            task_publish_retry=False,
            task_serializer="json",
        )
        # Imports what speaks to the broker, lest the first request wait for it; connects to nothing.
        try:
            self._app.connection_for_write().get_transport_cls()
        # What Celery raises for an unknown scheme or port. Without its cause, which shows the URL.
        except (KeyError, ValueError, ImportError):
            raise UnderstudyError(
                "UNDERSTUDY_REDIS_URL is not the URL of a broker. Give one such as redis://host:6379/0.",
                code="configuration",
            ) from None

    def ring(self, n: int = 1, *, queue: str = DEFAULT_QUEUE) -> bool:
        """Send `n` messages; a broker that does not answer is logged and otherwise ignored."""
        try:
            for _ in range(n):
                self._app.send_task(TASK_NAME, queue=broker_queue(queue), retry=False)
        except BROKER_ERRORS as error:
            logger.warning("doorbell_failed", error=type(error).__name__)
            return False
        return True

    def is_reachable(self) -> bool:
        """Open a connection and close it again."""
        options: dict[str, Any] = {"max_retries": 0, "timeout": BROKER_TIMEOUT_SECONDS}
        try:
            with self._app.connection_for_write() as connection:
                connection.ensure_connection(**options)
        except BROKER_ERRORS:
            return False
        return True

    def close(self) -> None:
        """Close the pools of connections."""
        self._app.close()


class ListQueue:
    """Counts the rings; for tests, and for a process that runs its jobs itself."""

    def __init__(self) -> None:
        self.n_rings = 0

    def ring(self, n: int = 1, *, queue: str = DEFAULT_QUEUE) -> bool:
        """Count."""
        self.n_rings += n
        return True

    def is_reachable(self) -> bool:
        """Return True: there is no broker to miss."""
        return True

    def close(self) -> None:
        """Do nothing."""
