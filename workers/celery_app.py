"""The Celery application: settings, and signal handlers for the worker processes.

Celery only notifies workers. Messages are acknowledged on arrival, and Celery neither stores results nor
retries tasks. The jobs table contains all jobs. A lost message delays a job by a few seconds
(docs/decisions/0003).
"""

from __future__ import annotations

import gc
import logging
import signal
import sys
from typing import Any

from amqp.exceptions import ChannelError
from celery import Celery, signals

from understudy.job_queue import QUEUE_NAME, broker_queue
from understudy.logs import configure_logs, get_logger
from understudy.resources import uses_broker
from understudy.settings import Settings
from understudy.tracing import close_traces
from workers.transport import use_transport
from workers.worker import NOT_CONFIGURED, Worker, check_settings

logger = get_logger(__name__)

settings = Settings()

use_transport()

app = Celery("understudy", include=["workers.tasks"])
app.conf.update(
    broker_url=settings.redis_url and settings.redis_url.get_secret_value(),
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # Detect a broker that hangs. Without timeouts, a worker would wait indefinitely.
    broker_transport_options={
        "socket_connect_timeout": 5,
        "socket_timeout": 30,
        "socket_keepalive": True,
        "health_check_interval": 25,
    },
    accept_content=["json"],
    task_serializer="json",
    task_default_queue=QUEUE_NAME,
    task_acks_late=False,
    task_ignore_result=True,
    worker_concurrency=settings.worker_concurrency,
    # A busy worker must not reserve messages that an idle worker could receive.
    worker_prefetch_multiplier=1,
    worker_disable_prefetch=True,
    # Anyone with write access to the broker could otherwise stop or throttle workers.
    worker_enable_remote_control=False,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
)


def set_up_logs(**_: object) -> None:
    """Use the Understudy log format instead of the Celery format."""
    configure_logs(settings.log_level, settings.log_format)
    # These loggers write two lines for each message, which repeat the events of the job.
    for name in ("celery.app.trace", "celery.worker.strategy"):
        logging.getLogger(name).setLevel(logging.WARNING)


def make_worker(sender: Any, **_: object) -> None:  # `Any` is a Celery worker, whose class is untyped.
    """Create the worker in the main process, before the fork of the pool processes."""
    # Celery logs an exception of a signal handler and starts the worker regardless. `SystemExit` ends it.
    check_settings(settings)
    if not uses_broker(settings):
        sys.stderr.write(
            "error: UNDERSTUDY_REDIS_URL is `none`. Start the worker with `understudy worker`.\n"
        )
        raise SystemExit(NOT_CONFIGURED)
    sender.app.understudy_worker = Worker(settings, count_messages)
    # Exempt all current objects from garbage collection, so that pool processes share their memory pages.
    gc.collect()
    gc.freeze()


def open_pool_process(**_: object) -> None:
    """Open the resources in a pool process, after the fork."""
    current_worker().open()


def close_pool_process(**_: object) -> None:
    """Send the last traces of a pool process."""
    close_traces()


def start_timers(**_: object) -> None:
    """Start the timers in the main process, after the fork."""
    worker = current_worker()
    worker.open()
    worker.start_timers()
    # After a second Ctrl-C, Celery would kill the pool processes, and their jobs would count as crashed.
    signal.signal(signal.SIGINT, lambda *_: signal.raise_signal(signal.SIGTERM))


def drain(**_: object) -> None:
    """Notify the pool processes that the worker is stopping. A second signal requeues running jobs at once.

    The function runs in the main process's signal handler.
    """
    current_worker().drain()


def close(**_: object) -> None:
    """Clean up in the main process, after the pool has ended."""
    current_worker().close()


def count_messages() -> int:
    """Return the number of messages in the worker's queues. A missing queue or broker counts as 0."""
    return sum(_count_messages(broker_queue(queue)) for queue in settings.worker_queues)


def _count_messages(name: str) -> int:
    try:
        with app.connection_for_read() as connection:
            n: int = connection.default_channel.queue_declare(name, passive=True).message_count
            return n
    except ChannelError:
        # The queue does not exist yet.
        return 0
    # The broker can contain anything, for example a key of another type instead of the queue.
    except Exception as error:
        logger.warning("messages_not_counted", error=type(error).__name__)
        return 0


def current_worker() -> Worker:
    """Return the worker that this process belongs to."""
    worker: Worker = app.understudy_worker
    return worker


signals.setup_logging.connect(set_up_logs)
signals.worker_init.connect(make_worker)
signals.worker_process_init.connect(open_pool_process)
signals.worker_process_shutdown.connect(close_pool_process)
signals.worker_ready.connect(start_timers)
signals.worker_shutting_down.connect(drain)
signals.worker_shutdown.connect(close)
