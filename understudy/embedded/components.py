"""The parts of a stack, which the supervisor starts, watches, restarts and stops."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

STEADY_SECONDS = 30
PAUSE_SECONDS_MAX = 10


class Startable(Protocol):
    """The process of a part: a private server or a child process."""

    def is_running(self) -> bool:
        """Return whether the process was started and has not ended."""
        ...

    def ask_to_stop(self) -> None:
        """Ask the process to stop, without waiting."""
        ...

    def stop(self) -> None:
        """Stop the process and wait until it has ended."""
        ...


@dataclass
class Component:
    """A part of the stack with its recent restarts.

    `pause_seconds_max` is the longest pause before a restart.
    """

    name: str
    runs: Startable
    start: Callable[[], None]
    pause_seconds_max: float = PAUSE_SECONDS_MAX
    _n_failures: int = field(default=0, init=False)
    _started_at: float = field(default=0.0, init=False)
    _retry_at: float | None = field(default=None, init=False)

    def launch(self) -> None:
        """Start the part."""
        self._started_at = time.monotonic()
        self.start()

    def notice_end(self) -> float | None:
        """Return the pause in seconds before a restart if the part has just ended, otherwise None.

        The pause doubles each time the part ends within half a minute of its start.
        """
        if self.runs.is_running() or self._retry_at is not None:
            return None
        is_steady = time.monotonic() - self._started_at > STEADY_SECONDS
        self._n_failures = 1 if is_steady else self._n_failures + 1
        pause = 0.0 if self._n_failures == 1 else min(self.pause_seconds_max, 0.25 * 2**self._n_failures)
        self._retry_at = time.monotonic() + pause
        return pause

    def restart_when_due(self) -> bool:
        """Restart the part if its pause is over, and return whether it was restarted."""
        if self._retry_at is None or time.monotonic() < self._retry_at:
            return False
        self._retry_at = None
        self.launch()
        return True
