"""Starts a worker: ``python -m workers``."""

from __future__ import annotations

import sys
import warnings

from celery.platforms import SecurityWarning

from understudy.job_queue import broker_queue
from workers.celery_app import app, settings

# Workers need not know of each other, and gossip fails when the broker comes back.
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
    # It warns root of pickled messages; ours are JSON, and the work itself runs without root's rights.
    warnings.simplefilter("ignore", SecurityWarning)
    app.worker_main([*ARGUMENTS, *sys.argv[1:]])
