"""A worker without a broker: one process that runs jobs in threads and is notified by the database.

The worker also looks for due jobs every `ring_seconds` because notifications can be lost.
"""

from __future__ import annotations

import signal
import threading
from types import FrameType

from understudy.db.doorbell import Listener
from understudy.errors import Unavailable
from understudy.logs import configure_logs, get_logger
from understudy.services import rescue
from understudy.settings import Settings
from workers.slots import Slots
from workers.worker import SETTLE_SECONDS, Worker, check_settings

logger = get_logger(__name__)


def run_worker(settings: Settings) -> int:
    """Run a worker until it receives SIGTERM or SIGINT, and return its exit status."""
    configure_logs(settings.log_level, settings.log_format)
    check_settings(settings)
    # Each slot uses two connections: one for its job, and one for the heartbeats.
    settings = settings.model_copy(update={"threads": max(settings.threads, settings.worker_concurrency)})
    worker = Worker(settings, None)
    stopping = threading.Event()

    def stop(_number: int, _frame: FrameType | None) -> None:
        worker.drain()
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, stop)
    worker.open()
    worker.start_timers()
    _serve(worker, settings, stopping)
    worker.close()
    return 0


def _serve(worker: Worker, settings: Settings, stopping: threading.Event) -> None:
    """Run jobs until the worker stops, and wait until they have ended."""
    slots = Slots(settings.worker_concurrency, worker.run_jobs)

    def ring(queue: str | None) -> None:
        if queue is None:
            # A new connection has started to listen. Many jobs may have been queued before that.
            slots.ring(settings.worker_concurrency)
        elif queue in settings.worker_queues:
            slots.ring()

    assert settings.database_url is not None
    listener = Listener(settings.database_url.get_secret_value(), ring)
    listening = threading.Thread(target=listener.run, name="doorbell", daemon=True)
    listening.start()
    slots.start()
    while not stopping.wait(settings.ring_seconds):
        try:
            n_due = rescue.count_due_jobs(worker.resources, settings.worker_queues)
        except Unavailable as error:
            logger.warning("due_jobs_not_counted", code=error.code)
        else:
            slots.ring(n_due)
    listener.stop()
    slots.stop(settings.drain_seconds + SETTLE_SECONDS)
    listening.join(SETTLE_SECONDS)
