"""Heartbeats that renew the lease of a running job, report its progress and check for cancellation."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from understudy.db import leases
from understudy.db.session import transaction_failpoint
from understudy.errors import Unavailable
from understudy.failpoints import failpoint
from understudy.logs import get_logger
from understudy.resources import Resources

# Seconds between two checks of the progress. This is also the minimum interval between two updates.
LOOK_SECONDS = 0.5
# Seconds between two checks for a cancellation request. A heartbeat also checks for a request.
CANCEL_LOOK_SECONDS = 1.0
# A lease counts as lost after this fraction of its duration. The remaining time is for stopping the work
# before another worker can start it.
LEASE_FRACTION = 0.9

logger = get_logger(__name__)


class Heartbeat:
    """A thread that sends heartbeats. Neither a long wait nor a large file delays the heartbeats.

    Parameters
    ----------
    sent_at : float
        `time.monotonic()` before the claim was sent. From this time on, the local clock measures the lease. A
        process that was suspended or cannot reach the database can therefore detect that its lease has
        expired.
    read_progress : callable
        Returns the progress as JSON, or None if there is no progress yet.
    """

    def __init__(
        self,
        resources: Resources,
        job_id: UUID,
        token: int,
        *,
        sent_at: float,
        read_progress: Callable[[], dict[str, Any] | None],
    ) -> None:
        self.is_cancel_requested = False
        self._resources = resources
        self._job_id = job_id
        self._token = token
        self._beat_at = sent_at
        self._looked_at = sent_at
        self._read_progress = read_progress
        self._sent_progress: dict[str, Any] | None = None
        self._is_fenced = False
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="heartbeat", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def is_lost(self) -> bool:
        """Whether another worker may have claimed the job."""
        lease_seconds = self._resources.settings.lease_seconds
        return self._is_fenced or time.monotonic() > self._beat_at + LEASE_FRACTION * lease_seconds

    @property
    def beat_at(self) -> float:
        """The time by the monotonic clock at which the last successful heartbeat was sent."""
        return self._beat_at

    def stop(self) -> None:
        """Stop sending heartbeats. The lease then expires after its normal duration."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        period = min(LOOK_SECONDS, self._resources.settings.heartbeat_seconds)
        while not self._stopped.wait(period) and not self.is_lost:
            try:
                self._look()
            # The next check follows soon, and the lease outlasts several checks.
            except Unavailable:
                logger.warning("heartbeat_failed")
            except Exception:  # Without this thread, the job would be lost.
                logger.warning("heartbeat_failed", exc_info=True)

    def _look(self) -> None:
        now = time.monotonic()
        progress = self._read_progress()
        is_new = progress is not None and progress != self._sent_progress
        if is_new or now >= self._beat_at + self._resources.settings.heartbeat_seconds:
            self._beat(progress)
        elif now >= self._looked_at + CANCEL_LOOK_SECONDS:
            self._look_for_cancel()

    def _beat(self, progress: dict[str, Any] | None) -> None:
        failpoint("heartbeat.before")
        sent_at = time.monotonic()
        with self._resources.sessions.begin() as session:
            job = leases.heartbeat(
                session,
                self._job_id,
                self._token,
                lease_seconds=self._resources.settings.lease_seconds,
                progress=progress,
            )
            transaction_failpoint(session, "heartbeat.before_commit")
        if job is None:
            self._is_fenced = True
            return
        self._beat_at = self._looked_at = sent_at
        self._sent_progress = progress
        self.is_cancel_requested = job.cancel_requested_at is not None

    def _look_for_cancel(self) -> None:
        self._looked_at = time.monotonic()
        with self._resources.sessions() as session:
            self.is_cancel_requested = leases.is_cancel_requested(session, self._job_id, self._token)
