"""Periodic tasks of a worker. Every worker can run all of them, so no leader is needed."""

from __future__ import annotations

import threading
from collections.abc import Callable

from understudy.logs import get_logger

logger = get_logger(__name__)


class Timers:
    """Timers that call functions at intervals.

    Each timer has a thread, so that a slow call does not delay the others.
    """

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, name: str, seconds: float, call: Callable[[], object]) -> None:
        """Call a function now, and then again `seconds` after each call has ended."""
        thread = threading.Thread(target=self._run, args=(name, seconds, call), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Start no new calls, and wait for each running call for up to `timeout_seconds`."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout_seconds)

    def _run(self, name: str, seconds: float, call: Callable[[], object]) -> None:
        while not self._stop.is_set():
            try:
                call()
            # Every error is logged and the timer continues because no job would be rescued if the thread
            # ended.
            except Exception:
                logger.warning("timer_failed", timer=name, exc_info=True)
            self._stop.wait(seconds)
