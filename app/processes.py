"""Several API processes that share one listening socket, and a parent that replaces those that end."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from types import FrameType

# Pause in seconds before a process that ended is replaced, so that a broken process does not restart at once.
RESTART_SECONDS = 1.0


class Processes:
    """Forked processes that call a function. The parent forwards SIGTERM and SIGINT to them."""

    def __init__(self, serve: Callable[[], None]) -> None:
        self._serve = serve
        self._pids: set[int] = set()
        self._is_stopping = False

    def run(self, n_processes: int) -> None:
        """Keep `n_processes` processes running until a signal arrives, then wait until they have ended."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._forward)
        for _ in range(n_processes):
            self._start()
        while self._pids:
            pid, _ = os.wait()
            self._pids.discard(pid)
            if not self._is_stopping:
                time.sleep(RESTART_SECONDS)
                self._start()

    def _start(self) -> None:
        # A signal between the fork and the registration would not reach the new process.
        handled = {signal.SIGTERM, signal.SIGINT}
        signal.pthread_sigmask(signal.SIG_BLOCK, handled)
        pid = 0 if self._is_stopping else os.fork()
        if pid:
            self._pids.add(pid)
        elif not self._is_stopping:
            for number in handled:
                signal.signal(number, signal.SIG_DFL)
            signal.pthread_sigmask(signal.SIG_UNBLOCK, handled)
            status = 1
            try:
                self._serve()
                status = 0
            finally:
                os._exit(status)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, handled)

    def _forward(self, number: int, _frame: FrameType | None) -> None:
        self._is_stopping = True
        for pid in self._pids:
            os.kill(pid, number)
