"""A clock that stops while the machine does not run this process, for time limits in tests."""

from __future__ import annotations

import threading
import time

TICK_SECONDS = 0.02


class StallClock:
    """A clock that does not count the time during which no thread of this process could run.

    A thread repeatedly sleeps for one tick. A sleep that takes much longer than a tick is a stall of the
    machine or of the interpreter. Use the clock as a context manager.
    """

    def __init__(self) -> None:
        self._stalled_seconds = 0.0
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name="stall-clock", daemon=True)

    def __enter__(self) -> StallClock:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._ended.set()
        self._thread.join()

    def seconds(self) -> float:
        """Return the time on this clock in seconds. Only differences between readings are meaningful."""
        return time.monotonic() - self._stalled_seconds

    def _run(self) -> None:
        ticked_at = time.monotonic()
        while not self._ended.wait(TICK_SECONDS):
            now = time.monotonic()
            # Sleeps often end late by up to half a tick, even on a quiet machine.
            if (late := now - ticked_at - TICK_SECONDS) > TICK_SECONDS / 2:
                self._stalled_seconds += late
            ticked_at = now
