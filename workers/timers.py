"""What every worker does now and then beside its jobs; no leader, as each call may be made anywhere."""

from __future__ import annotations

import threading
from collections.abc import Callable

from understudy.logs import get_logger

logger = get_logger(__name__)


class Timers:
    """Calls functions at intervals, each in a thread of its own, so that a slow one delays no other."""

    def __init__(self) -> None:
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def start(self, name: str, seconds: float, call: Callable[[], object]) -> None:
        """Call now, and again and again, `seconds` after the last call ended."""
        thread = threading.Thread(target=self._run, args=(name, seconds, call), name=name, daemon=True)
        self._threads.append(thread)
        thread.start()

    def stop(self, timeout_seconds: float) -> None:
        """Begin no call any more and wait, but not for ever, for those that run."""
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout_seconds)

    def _run(self, name: str, seconds: float, call: Callable[[], object]) -> None:
        while not self._stop.is_set():
            try:
                call()
            # A thread that died would stop rescues without a sign; whatever it was, the next call is tried.
            except Exception:
                logger.warning("timer_failed", timer=name, exc_info=True)
            self._stop.wait(seconds)
