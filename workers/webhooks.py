"""Threads of a worker's main process that deliver events to webhooks."""

from __future__ import annotations

import random
import threading
from concurrent.futures import ThreadPoolExecutor

from understudy.db.webhook_deliveries import Claim, Lane
from understudy.errors import Unavailable
from understudy.logs import get_logger
from understudy.resources import Resources
from understudy.services.webhook_deliveries import FAILING, HEALTHY, Sender

# Maximum number of concurrent requests to healthy and to failing webhooks.
N_REQUESTS = {HEALTHY: 8, FAILING: 4}

logger = get_logger(__name__)


class WebhookThreads:
    """Threads that deliver due events until none is left. `look` starts a thread for each due delivery."""

    def __init__(self, resources: Resources) -> None:
        self._sender = Sender(resources, random.SystemRandom())
        self._free = {lane: threading.Semaphore(number) for lane, number in N_REQUESTS.items()}
        self._pool = ThreadPoolExecutor(sum(N_REQUESTS.values()), "webhook")
        self._is_stopping = False

    def look(self) -> None:
        """Start a thread for each due delivery, as long as threads are free."""
        for lane, free in self._free.items():
            while not self._is_stopping and free.acquire(blocking=False):
                if not self._start(lane):
                    break

    def stop(self) -> None:
        """Start no more requests."""
        self._is_stopping = True

    def close(self) -> None:
        """Start no more requests, and wait for the requests in progress."""
        self.stop()
        self._pool.shutdown()

    def _start(self, lane: Lane) -> bool:
        """Start a thread for the next due delivery, or release its permit and return False."""
        is_started = False
        try:
            claimed = self._claim(lane)
            if claimed is not None:
                self._pool.submit(self._deliver, lane, claimed)
                is_started = True
        finally:
            # A thread that was started releases the permit itself.
            if not is_started:
                self._free[lane].release()
        return is_started

    def _claim(self, lane: Lane) -> Claim | None:
        return None if self._is_stopping else self._sender.claim(lane)

    def _deliver(self, lane: Lane, claimed: Claim | None) -> None:
        try:
            while claimed is not None:
                self._sender.deliver(claimed)
                claimed = self._claim(lane)
        except Unavailable as error:
            # The delivery is due again when its lease ends.
            logger.warning("webhook_delivery_interrupted", code=error.code)
        except Exception:  # An error that the thread raises would be lost.
            logger.exception("webhook_delivery_failed")
        finally:
            self._free[lane].release()
