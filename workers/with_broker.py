"""A worker that Celery notifies."""

from __future__ import annotations

import sys
import warnings

from celery.platforms import SecurityWarning

from understudy.job_queue import broker_queue
from understudy.settings import Settings
from workers.celery_app import app

# Workers do not communicate with each other, and Celery's gossip fails when a broker restarts.
ARGUMENTS = (
    "--quiet",
    "worker",
    "--pool=prefork",
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
)


def run_worker(settings: Settings) -> int:
    """Run a worker until it receives SIGTERM or SIGINT, and return its exit status."""
    # Celery warns root about pickled messages. Understudy's messages are JSON, and the work itself runs
    # without root's privileges.
    warnings.simplefilter("ignore", SecurityWarning)
    queues = ",".join(map(broker_queue, settings.worker_queues))
    app.worker_main([*ARGUMENTS, f"--queues={queues}", *sys.argv[1:]])
    return 0
