"""The parts of a stack as the supervisor sees them: something to start, watch, start again and stop."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

STEADY_SECONDS = 30
PAUSE_SECONDS_MAX = 10


class Startable(Protocol):
    """What a part runs: a private server or a child process."""

    def is_running(self) -> bool:
        """Say whether it was started and has not ended."""
        ...

    def ask_to_stop(self) -> None:
        """Begin to stop, without waiting."""
        ...

    def stop(self) -> None:
        """Stop it, and return when it has ended."""
        ...


@dataclass
class Component:
    """One part, and how often it had to be started again lately."""

    name: str
    runs: Startable
    start: Callable[[], None]
    _n_failures: int = field(default=0, init=False)
    _started_at: float = field(default=0.0, init=False)
    _retry_at: float | None = field(default=None, init=False)

    def launch(self) -> None:
        """Start it."""
        self._started_at = time.monotonic()
        self.start()

    def notice_end(self) -> float | None:
        """Return the pause before it is started again, if it has just been found dead.

        The pause doubles as long as it dies again within half a minute of its start.
        """
        if self.runs.is_running() or self._retry_at is not None:
            return None
        is_steady = time.monotonic() - self._started_at > STEADY_SECONDS
        self._n_failures = 1 if is_steady else self._n_failures + 1
        pause = 0.0 if self._n_failures == 1 else min(PAUSE_SECONDS_MAX, 0.25 * 2**self._n_failures)
        self._retry_at = time.monotonic() + pause
        return pause

    def restart_when_due(self) -> bool:
        """Start it again if its pause has passed, and say whether that happened."""
        if self._retry_at is None or time.monotonic() < self._retry_at:
            return False
        self._retry_at = None
        self.launch()
        return True
