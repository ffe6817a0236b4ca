"""A watchdog that runs queued jobs if the worker has received no message about them."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

from understudy.logs import get_logger

logger = get_logger(__name__)


class Watchdog:
    """Threads of the main process that run jobs while the broker does not deliver messages.

    Parameters
    ----------
    count_overdue : callable
        Function that returns the number of jobs that have been due for too long.
    count_idle : callable
        Function that returns the number of additional jobs that the worker can run.
    run_job : callable
        Function that runs the next job, and returns False if there is none.
    """

    def __init__(
        self,
        count_overdue: Callable[[], int],
        count_idle: Callable[[], int],
        run_job: Callable[[], bool],
    ) -> None:
        self._count_overdue = count_overdue
        self._count_idle = count_idle
        self._run_job = run_job
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []

    def look(self) -> None:
        """Start a thread for each overdue job that an idle slot of this worker can run."""
        self._threads = [thread for thread in self._threads if thread.is_alive()]
        n_overdue = self._count_overdue()
        if not n_overdue or self._stopping.is_set():
            return
        n_threads = min(n_overdue, self._count_idle())
        if n_threads > 0:
            logger.warning("messages_missing", n_overdue=n_overdue)
        for _ in range(n_threads):
            thread = threading.Thread(target=self._run, name="watchdog-job", daemon=True)
            self._threads.append(thread)
            thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Start no more jobs, and wait up to `timeout_seconds` for the running jobs to end."""
        self._stopping.set()
        deadline = time.monotonic() + timeout_seconds
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))

    def _run(self) -> None:
        try:
            while not self._stopping.is_set() and self._run_job() and self._count_idle() > 0:
                pass
        # After an error, the next check of the watchdog starts another thread.
        except Exception:
            logger.warning("watchdog_failed", exc_info=True)
