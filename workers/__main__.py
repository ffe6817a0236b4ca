"""Entry point of a worker: ``python -m workers``."""

from __future__ import annotations

import sys
import warnings

from celery.platforms import SecurityWarning

from understudy.job_queue import broker_queue
from workers.celery_app import app, settings

# Workers do not communicate with each other, and Celery's gossip fails when a broker restarts.
ARGUMENTS = (
    "--quiet",
    "worker",
    "--pool=prefork",
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
    f"--queues={','.join(map(broker_queue, settings.worker_queues))}",
)

if __name__ == "__main__":
    # Celery warns root about pickled messages. Understudy's messages are JSON, and the work itself runs
    # without root's privileges.
    warnings.simplefilter("ignore", SecurityWarning)
    app.worker_main([*ARGUMENTS, *sys.argv[1:]])
