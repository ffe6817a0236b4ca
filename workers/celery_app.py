"""The Celery application: settings, and what happens in which process of a worker.

Celery is a doorbell. Messages are acknowledged when they arrive, results are not kept, nothing is retried by
Celery: the jobs table knows what there is to do, and a lost message costs some seconds (docs/decisions/0003).
"""

from __future__ import annotations

import gc
import logging
from typing import Any

from amqp.exceptions import ChannelError
from celery import Celery, signals
from kombu.exceptions import OperationalError

from understudy.job_queue import QUEUE_NAME, broker_queue
from understudy.logs import configure_logs
from understudy.settings import Settings
from workers.transport import use_transport
from workers.worker import Worker

settings = Settings()

use_transport()

app = Celery("understudy", include=["workers.tasks"])
app.conf.update(
    broker_url=settings.redis_url and settings.redis_url.get_secret_value(),
    broker_connection_retry_on_startup=True,
    broker_connection_max_retries=None,
    # A broker that hangs is noticed; None, the default, would wait for ever.
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
    # A busy worker holds no message back from an idle one.
    worker_prefetch_multiplier=1,
    worker_disable_prefetch=True,
    worker_cancel_long_running_tasks_on_connection_loss=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
)


def set_up_logs(**_: object) -> None:
    """Log as all our processes do, instead of as Celery would."""
    configure_logs(settings.log_level, settings.log_format)
    # Two lines a message, which say nothing that the job's own lines do not.
    for name in ("celery.app.trace", "celery.worker.strategy"):
        logging.getLogger(name).setLevel(logging.WARNING)


def make_worker(sender: Any, **_: object) -> None:  # Any: a Celery worker, which has no type
    """Make what main and pool processes share; before the fork, in the main process."""
    sender.app.understudy_worker = Worker(settings, count_messages)
    # What is there by now is kept in pages that the collector does not write to: pool processes share them.
    gc.collect()
    gc.freeze()


def open_pool_process(**_: object) -> None:
    """Open the resources of a pool process, after the fork."""
    current_worker().open()


def start_timers(**_: object) -> None:
    """Start the timers; after the fork, in the main process."""
    worker = current_worker()
    worker.open()
    worker.start_timers()


def drain(**_: object) -> None:
    """Let the pool know that the worker stops; in the signal's handler, in the main process."""
    current_worker().drain()


def close(**_: object) -> None:
    """Clean up; in the main process, when the pool has ended."""
    current_worker().close()


def count_messages() -> int:
    """Return how many messages nobody has taken; 0 as well if there is no queue, or no broker to ask."""
    return sum(_count_messages(broker_queue(queue)) for queue in settings.worker_queues)


def _count_messages(name: str) -> int:
    try:
        with app.connection_for_read() as connection:
            n: int = connection.default_channel.queue_declare(name, passive=True).message_count
            return n
    except (ChannelError, OperationalError, OSError):
        return 0


def current_worker() -> Worker:
    """Return the worker that this process belongs to."""
    worker: Worker = app.understudy_worker
    return worker


signals.setup_logging.connect(set_up_logs)
signals.worker_init.connect(make_worker)
signals.worker_process_init.connect(open_pool_process)
signals.worker_ready.connect(start_timers)
signals.worker_shutting_down.connect(drain)
signals.worker_shutdown.connect(close)
