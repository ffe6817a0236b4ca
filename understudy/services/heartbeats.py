"""Keeps a lease alive while the work goes on, and says when it is to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Any, Self
from uuid import UUID

from understudy.db import leases
from understudy.errors import Unavailable
from understudy.logs import get_logger
from understudy.resources import Resources

# How often there is a look at the progress; so seldom it is written at most, and within a second shown.
LOOK_SECONDS = 0.5
# How often there is a look whether the job shall stop, if no heartbeat has told so.
CANCEL_LOOK_SECONDS = 1.0
# The rest of the lease is for stopping the work before another worker may begin.
LEASE_FRACTION = 0.9

logger = get_logger(__name__)


class Heartbeat:
    """A thread of its own, so that neither a long wait nor a large file delays a heartbeat.

    Parameters
    ----------
    sent_at : float
        `time.monotonic()` before the claim was sent. A lease is counted from there, by our own clock: a
        process that was frozen, or cannot reach the database, knows without asking that its time is over.
    read_progress : callable
        Returns the progress as JSON, or None if there is none yet.
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
        self._told: dict[str, Any] | None = None
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
        """Whether another worker may have the job by now."""
        lease_seconds = self._resources.settings.lease_seconds
        return self._is_fenced or time.monotonic() > self._beat_at + LEASE_FRACTION * lease_seconds

    def stop(self) -> None:
        """Let the heart stand still; the lease goes on for its length."""
        self._stopped.set()
        self._thread.join()

    def _run(self) -> None:
        period = min(LOOK_SECONDS, self._resources.settings.heartbeat_seconds)
        while not self._stopped.wait(period) and not self.is_lost:
            try:
                self._look()
            except Unavailable:
                # The next look comes soon, and the lease lasts for several.
                logger.warning("heartbeat_failed")

    def _look(self) -> None:
        now = time.monotonic()
        progress = self._read_progress()
        is_news = progress is not None and progress != self._told
        if is_news or now >= self._beat_at + self._resources.settings.heartbeat_seconds:
            self._beat(progress)
        elif now >= self._looked_at + CANCEL_LOOK_SECONDS:
            self._look_for_cancel()

    def _beat(self, progress: dict[str, Any] | None) -> None:
        sent_at = time.monotonic()
        with self._resources.sessions.begin() as session:
            job = leases.heartbeat(
                session,
                self._job_id,
                self._token,
                lease_seconds=self._resources.settings.lease_seconds,
                progress=progress,
            )
        if job is None:
            self._is_fenced = True
            return
        self._beat_at = self._looked_at = sent_at
        self._told = progress
        self.is_cancel_requested = job.cancel_requested_at is not None

    def _look_for_cancel(self) -> None:
        self._looked_at = time.monotonic()
        with self._resources.sessions() as session:
            self.is_cancel_requested = leases.is_cancel_requested(session, self._job_id, self._token)
