"""The doorbell of an installation without a broker: PostgreSQL notifications (LISTEN and NOTIFY).

A notification only wakes a worker that listens at that moment. Workers also look for due jobs every few
seconds, so a lost notification only delays a job.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import psycopg
from sqlalchemy import func, select
from sqlalchemy.orm import Session, sessionmaker

from understudy.db.session import connect_arguments, parse_url
from understudy.errors import Unavailable
from understudy.logs import get_logger

CHANNEL = "understudy_jobs"
# Time in seconds between two checks of whether the listener should stop.
WAIT_SECONDS = 1.0
# Time in seconds without a notification after which the connection is checked. A proxy, or a network that
# drops packets, can break a connection silently.
CHECK_SECONDS = 15.0
RECONNECT_SECONDS_MAX = 5.0

logger = get_logger(__name__)


class NotifyQueue:
    """A doorbell that notifies the listening workers through the database.

    Parameters
    ----------
    sessions : sessionmaker
        Session factory that runs each statement in its own transaction.
    """

    has_broker = False

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self._sessions = sessions

    def ring(self, n: int = 1, *, queue: str = "default") -> bool:
        """Notify the workers once, whatever `n` is, because each notification reaches all of them."""
        try:
            with self._sessions() as session:
                session.execute(select(func.pg_notify(CHANNEL, queue)))
        # The job is already committed, so a lost notification must not fail the request.
        except Unavailable:
            logger.warning("doorbell_failed", error="Unavailable")
            return False
        return True

    def is_reachable(self) -> bool:
        """Return True because no broker is needed."""
        return True

    def close(self) -> None:
        """Do nothing because the sessions belong to the process."""


class Listener:
    """A connection that receives notifications, and that is opened again whenever it breaks.

    Parameters
    ----------
    database_url : str
        The database URL. The connection must not go through a pooler that shares connections between
        transactions, because it would then receive no notifications.
    on_ring : callable (queue)
        Function that is called with the name of the queue for each notification. It is called with None
        whenever a new connection starts to listen, because earlier notifications may have been missed.
    """

    def __init__(self, database_url: str, on_ring: Callable[[str | None], None]) -> None:
        self._url = parse_url(database_url).set(drivername="postgresql").render_as_string(hide_password=False)
        self._on_ring = on_ring
        self._stopping = threading.Event()

    def run(self) -> None:
        """Listen until `stop` is called."""
        pause = 0.5
        while not self._stopping.is_set():
            began = time.monotonic()
            try:
                self._listen()
            except psycopg.Error as error:
                logger.warning("doorbell_lost", error=type(error).__name__)
            is_steady = time.monotonic() - began > CHECK_SECONDS
            pause = 0.5 if is_steady else min(2 * pause, RECONNECT_SECONDS_MAX)
            self._stopping.wait(pause)

    def stop(self) -> None:
        """Make `run` return soon."""
        self._stopping.set()

    def _listen(self) -> None:
        # The name distinguishes these connections in pg_stat_activity.
        arguments = connect_arguments({"timezone": "UTC"}) | {"application_name": "understudy listener"}
        with psycopg.connect(self._url, autocommit=True, **arguments) as connection:
            connection.execute(f"listen {CHANNEL}".encode())
            self._on_ring(None)
            heard_at = time.monotonic()
            while not self._stopping.is_set():
                for notification in connection.notifies(timeout=WAIT_SECONDS):
                    heard_at = time.monotonic()
                    self._on_ring(notification.payload)
                if time.monotonic() - heard_at > CHECK_SECONDS:
                    connection.execute("select 1")
                    heard_at = time.monotonic()
