"""The overall progress of a job, computed from the phases that its work reports.

Each kind of job declares its phases with their usual shares of the work. The duration of the whole job is
estimated as the time until a checkpoint, divided by the share of the work at this checkpoint. Between
checkpoints, the fraction grows with time until it reaches the next checkpoint. If the first report has the
fraction 0, the time is measured from this report.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from understudy.job_kinds.base import Phase

Json = dict[str, Any]

# Minimum share of completed work for estimating the duration. Earlier estimates are too rough.
FRACTION_MIN = 0.02
# Maximum fraction that is reported for a running job, which is never complete.
FRACTION_MAX = 0.99
# A phase with at least this share of the work is long. A long phase reports several times.
LONG_SHARE = 0.5
# Maximum share of the work between two reports of a long phase, and minimum share for measuring the speed of
# a steady phase.
STEP_SHARE = 0.1
MIN_PACE = 1e-3


@dataclass(frozen=True)
class _Checkpoint:
    """A share of the work, and the time in seconds at which it was reached."""

    share: float
    seconds: float


class JobProgress:
    """The progress of one attempt. It never decreases.

    Parameters
    ----------
    phases : sequence of Phase
        Phases of the work, in order. If there are none, the fraction that the work reports is used.
    clock : callable
        Returns the time in seconds.
    """

    def __init__(self, phases: Sequence[Phase], clock: Callable[[], float] = time.monotonic) -> None:
        total = sum(phase.weight for phase in phases) or 1.0
        self._spans: dict[str, tuple[float, float]] = {}
        at = 0.0
        for phase in phases:
            self._spans[phase.name] = (at / total, (at + phase.weight) / total)
            at += phase.weight
        self._steady = {phase.name for phase in phases if phase.is_steady}
        self._clock = clock
        self._began = clock()
        self._reached = _Checkpoint(0.0, 0.0)
        # First report of the current steady phase.
        self._steady_from: _Checkpoint | None = None
        self._fraction = 0.0
        self._has_report = False

    def update(self, report: Json | None) -> Json | None:
        """Return the overall progress as JSON, or None if the work has not reported anything."""
        if report is None:
            return None
        share = self._share_of(report)
        if not share and not self._has_report:
            # The time to start the process is not part of the work.
            self._began = self._clock()
        self._has_report = True
        seconds = self._clock() - self._began
        if share > self._reached.share:
            self._reached = _Checkpoint(share, seconds)
            self._note_steady_phase(report)
        pace = self._pace(seconds)
        if pace is None:
            return {**report, "fraction": 0.0}
        reached = self._reached
        by_time = min(reached.share + (seconds - reached.seconds) / pace, self._next_share())
        self._fraction = round(max(self._fraction, min(by_time, FRACTION_MAX)), 2)
        remaining = max((1 - by_time) * pace, 0.0)
        return {**report, "fraction": self._fraction, "eta_seconds": _rounded(remaining)}

    def _share_of(self, report: Json) -> float:
        fraction = float(report["fraction"])
        start, end = self._spans.get(report["phase"], (0.0, 1.0) if not self._spans else (0.0, 0.0))
        return start + (end - start) * fraction

    def _note_steady_phase(self, report: Json) -> None:
        if report["fraction"] > 0 and report["phase"] in self._steady and self._steady_from is None:
            self._steady_from = self._reached

    def _next_share(self) -> float:
        """Return the share of the job's work by which the next progress report is expected."""
        share = self._reached.share
        for start, end in self._spans.values():
            if share < end:
                return min(end, share + STEP_SHARE) if end - start >= LONG_SHARE else end
        return 1.0

    def _pace(self, seconds: float) -> float | None:
        """Return the time in seconds that the whole work takes at the current speed, or None if unknown."""
        reached = self._reached
        if reached.share < FRACTION_MIN or reached.seconds <= 0:
            return None
        first = self._steady_from
        if first is None or reached.share - first.share < STEP_SHARE:
            first = _Checkpoint(0.0, 0.0)
        pace = (reached.seconds - first.seconds) / (reached.share - first.share)
        # If the next report is overdue, the work has become slower, even if the report arrives now.
        if_now = (seconds - first.seconds) / (max(self._next_share(), reached.share) - first.share)
        return max(pace, if_now, MIN_PACE)


def _rounded(seconds: float) -> float:
    return round(seconds, 1) if seconds < 10 else float(round(seconds))
