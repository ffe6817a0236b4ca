"""The doorbell: a message without content that notifies workers of queued jobs.

The jobs table is the only source of truth. A lost message delays a job by a few seconds, until workers are
notified again, and a message that is delivered twice finds no job to claim. Therefore a failing broker never
raises an error here.
"""

from __future__ import annotations

from typing import Any, Protocol

from celery import Celery

from understudy import counters
from understudy.errors import UnderstudyError
from understudy.logs import get_logger
from understudy.parameters.needs import DEFAULT_QUEUE

# A test ensures that this name equals the name of the task in `workers/tasks.py`.
TASK_NAME = "understudy.run_next_job"
QUEUE_NAME = "understudy"
BROKER_TIMEOUT_SECONDS = 1
# Value of UNDERSTUDY_REDIS_URL for an installation without a broker.
NO_BROKER = "none"

logger = get_logger(__name__)


def broker_queue(queue: str) -> str:
    """Return the broker's name for a job queue."""
    return QUEUE_NAME if queue == DEFAULT_QUEUE else f"{QUEUE_NAME}.{queue}"


class JobQueue(Protocol):
    """A protocol for notifying workers of queued jobs."""

    @property
    def has_broker(self) -> bool:
        """Whether messages go through a broker, which must be reachable."""

    def ring(self, n: int = 1, *, queue: str = DEFAULT_QUEUE) -> bool:
        """Notify up to `n` workers of a queue. Return False if the broker cannot be reached."""

    def is_reachable(self) -> bool:
        """Return whether the broker responds."""

    def close(self) -> None:
        """Close the connections."""


class CeleryQueue:
    """A queue that sends Celery messages by task name, without importing the task."""

    has_broker = True

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
        # Import the transport now, so that the first request does not wait for it. This does not connect.
        try:
            self._app.connection_for_write().get_transport_cls()
        # Celery raises these errors for an unknown scheme or port. The cause is dropped because it contains
        # the URL.
        except (KeyError, ValueError, ImportError):
            raise UnderstudyError(
                "UNDERSTUDY_REDIS_URL is not the URL of a broker. Set it to a URL such as redis://host:6379/0.",
                code="configuration",
            ) from None

    def ring(self, n: int = 1, *, queue: str = DEFAULT_QUEUE) -> bool:
        """Send `n` messages. If the broker does not respond, log a warning and return False."""
        try:
            for _ in range(n):
                self._app.send_task(TASK_NAME, queue=broker_queue(queue), retry=False)
        # The job is already committed, so no state of the broker may fail the request.
        except Exception as error:
            counters.count("broker_errors")
            logger.warning("doorbell_failed", error=type(error).__name__)
            return False
        return True

    def is_reachable(self) -> bool:
        """Open a connection and close it again."""
        options: dict[str, Any] = {"max_retries": 0, "timeout": BROKER_TIMEOUT_SECONDS}
        try:
            with self._app.connection_for_write() as connection:
                connection.ensure_connection(**options)
        except Exception:  # After any error, the broker is not usable.
            return False
        return True

    def close(self) -> None:
        """Close the pools of connections."""
        self._app.close()


class ListQueue:
    """A queue that only counts messages, for tests and for a process that runs its jobs itself."""

    has_broker = True

    def __init__(self) -> None:
        self.n_rings = 0

    def ring(self, n: int = 1, *, queue: str = DEFAULT_QUEUE) -> bool:
        """Count the messages."""
        self.n_rings += n
        return True

    def is_reachable(self) -> bool:
        """Return True because no broker is needed."""
        return True

    def close(self) -> None:
        """Do nothing."""
