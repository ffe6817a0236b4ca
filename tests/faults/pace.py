"""A clock that slows down under load, for time limits on a busy machine."""

from __future__ import annotations

import threading
import time

# CPU time of the busy loop that measures the speed of the machine, and the pause between two measurements.
PROBE_SECONDS = 0.01
PAUSE_SECONDS = 0.5


class QuietClock:
    """A clock that advances by one second per second of CPU time that a busy thread receives.

    On a quiet machine, the clock agrees with the monotonic clock. If other processes compete for the cores,
    it runs more slowly. A busy loop measures the factor about twice per second.
    """

    def __init__(self) -> None:
        self._seconds = 0.0
        self._measured_at = time.monotonic()
        self._slowness = 1.0
        self._lock = threading.Lock()
        threading.Thread(target=self._run, name="quiet-clock", daemon=True).start()

    def seconds(self) -> float:
        """Return the seconds that this clock has counted since its creation."""
        with self._lock:
            return self._seconds + (time.monotonic() - self._measured_at) / self._slowness

    def _run(self) -> None:
        while True:
            time.sleep(PAUSE_SECONDS)
            slowness = measure_slowness()
            with self._lock:
                now = time.monotonic()
                self._seconds += (now - self._measured_at) / self._slowness
                self._measured_at, self._slowness = now, slowness


def measure_slowness() -> float:
    """Return the ratio of wall time to CPU time of a busy loop, at least 1."""
    wall, cpu = time.perf_counter(), time.thread_time()
    while time.thread_time() - cpu < PROBE_SECONDS:
        pass
    return max(1.0, (time.perf_counter() - wall) / PROBE_SECONDS)
