"""Supervision of running work: it is stopped if its job is cancelled, released, lost or too slow."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from understudy.resources import ResourceSettings
from understudy.sandbox import Outcome, Run
from understudy.services.heartbeats import Heartbeat

if TYPE_CHECKING:
    from understudy.db.orm import Job

# Time in seconds within which the work must end after it was asked to stop.
GRACE_SECONDS = 10.0
# Interval in seconds between two checks for a reason to stop. The end of the work is noticed immediately.
WAIT_SECONDS = 0.1


@dataclass(frozen=True)
class Watched:
    """The outcome of the work, and the reason for stopping it early.

    The reason is `cancelled`, `released`, `time_limit` or `lost`.
    """

    outcome: Outcome | None
    stopped_by: str | None = None


def ends_at(settings: ResourceSettings, job: Job, started_at: float) -> float:
    """Return the time, by the monotonic clock, at which the attempt exceeds its maximum duration."""
    of_kind = settings.job_kind_seconds_max.get(job.kind, settings.job_seconds_max)
    return started_at + min(of_kind, settings.job_seconds_max)


@dataclass(frozen=True)
class Reasons:
    """The possible reasons for stopping the work early."""

    heartbeat: Heartbeat
    is_draining: Callable[[], bool]
    ends_at: float

    def current(self) -> str | None:
        """Return the reason for stopping the work now, if there is one."""
        if self.heartbeat.is_cancel_requested:
            return "cancelled"
        if time.monotonic() > self.ends_at:
            return "time_limit"
        return "released" if self.is_draining() else None


def watch(run: Run, reasons: Reasons) -> Watched:
    """Wait until the work has ended, and stop it if the job is cancelled, released, lost or too slow."""
    stopped_by: str | None = None
    kill_at = float("inf")
    while (outcome := run.wait(WAIT_SECONDS)) is None:
        if reasons.heartbeat.is_lost:
            run.kill()
            return Watched(run.wait(GRACE_SECONDS), "lost")
        if stopped_by is None:
            stopped_by = reasons.current()
            if stopped_by is not None:
                run.terminate()
                kill_at = time.monotonic() + GRACE_SECONDS
        elif time.monotonic() > kill_at:
            # A process that hangs in the kernel ends only later, so the wait is limited.
            run.kill()
            return Watched(run.wait(GRACE_SECONDS), stopped_by)
    return Watched(outcome, stopped_by)
