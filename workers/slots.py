"""The slots of a worker without a broker: threads that run jobs when they are notified."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from understudy.logs import get_logger

logger = get_logger(__name__)


class Slots:
    """Threads that run jobs until none is left, and then wait for the next notification.

    Parameters
    ----------
    n : int
        Number of threads.
    run_jobs : callable
        Function that runs jobs until none is due.
    """

    def __init__(self, n: int, run_jobs: Callable[[], object]) -> None:
        self._run_jobs = run_jobs
        self._condition = threading.Condition()
        self._n_rings = 0
        self._is_stopping = False
        self._threads = [
            threading.Thread(target=self._run, name=f"slot-{number}", daemon=True) for number in range(n)
        ]

    def start(self) -> None:
        """Start the threads, which first look for due jobs."""
        self.ring(len(self._threads))
        for thread in self._threads:
            thread.start()

    def ring(self, n: int = 1) -> None:
        """Wake up to `n` threads. A thread that is busy looks for another job when its job has ended."""
        with self._condition:
            self._n_rings = min(self._n_rings + n, len(self._threads))
            self._condition.notify(n)

    def stop(self, timeout_seconds: float) -> None:
        """Start no more jobs, and wait up to `timeout_seconds` for the running jobs to end."""
        with self._condition:
            self._is_stopping = True
            self._condition.notify_all()
        deadline = time.monotonic() + timeout_seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        while self._is_rung():
            try:
                self._run_jobs()
            except Exception:  # The thread must survive every error. It tries again at the next notification.
                logger.warning("slot_failed", exc_info=True)

    def _is_rung(self) -> bool:
        """Wait for a notification, and return False if the worker stops."""
        with self._condition:
            self._condition.wait_for(lambda: self._n_rings or self._is_stopping)
            self._n_rings = max(0, self._n_rings - 1)
            return not self._is_stopping
