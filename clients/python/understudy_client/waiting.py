"""State of a wait for a job: how long a response may be delayed, and when progress is reported."""

from __future__ import annotations

import time
from collections.abc import Callable

from understudy_client._generated.models import Job, JobProgress
from understudy_client.errors import JobTimeout
from understudy_client.event_stream import ENDINGS

OnProgress = Callable[[JobProgress], object]

# Maximum number of seconds for which the service delays a response until the job has ended.
HELD_SECONDS = 30.0
HELD_SECONDS_WITH_PROGRESS = 1.0
# A service that is stopping responds at once. This pause prevents a flood of requests.
PAUSE_SECONDS = 0.2


class Wait:
    """A wait for a job.

    Parameters
    ----------
    timeout_seconds : float, optional
        Maximum time. By default, the wait lasts until the job ends.
    on_progress : callable, optional
        Function that is called with the progress of the job about once a second.
    """

    def __init__(self, timeout_seconds: float | None, on_progress: OnProgress | None) -> None:
        self.deadline = None if timeout_seconds is None else time.monotonic() + timeout_seconds
        self._on_progress = on_progress
        self._held_since = time.monotonic()

    def has_ended(self, job: Job) -> bool:
        """Report the progress of a job and return whether it has ended.

        Raises
        ------
        JobTimeout
            If the maximum time has passed.
        """
        if self._on_progress is not None:
            self._on_progress(job.progress or JobProgress(phase=job.state, fraction=0.0))
        if job.state in ENDINGS:
            return True
        if self.deadline is not None and time.monotonic() >= self.deadline:
            raise JobTimeout(job)
        return False

    def held_seconds(self) -> float:
        """Return the number of seconds, at least 1, for which the service may delay the next response."""
        self._held_since = time.monotonic()
        seconds = HELD_SECONDS if self._on_progress is None else HELD_SECONDS_WITH_PROGRESS
        if self.deadline is None:
            return seconds
        return max(1.0, min(seconds, self.deadline - self._held_since))

    def pause_seconds(self) -> float:
        """Return the pause before the next request."""
        return max(0.0, PAUSE_SECONDS - (time.monotonic() - self._held_since))
