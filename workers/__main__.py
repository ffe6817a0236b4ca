"""Entry point of a worker: ``python -m workers``."""

from __future__ import annotations

import sys
import warnings

from understudy.job_queue import broker_queue
from understudy.resources import uses_broker
from understudy.settings import Settings

# Workers do not communicate with each other, and Celery's gossip fails when a broker restarts.
ARGUMENTS = (
    "--quiet",
    "worker",
    "--pool=prefork",
    "--without-gossip",
    "--without-mingle",
    "--without-heartbeat",
)


def main() -> int:
    """Run a worker with or without a broker, depending on the settings."""
    settings = Settings()
    if not uses_broker(settings):
        # Imported here, because a worker with a broker does not need this module.
        from workers.polling import run_worker

        return run_worker(settings)
    # Imported here, because the import creates the Celery application, which needs a broker.
    from celery.platforms import SecurityWarning

    from workers.celery_app import app

    # Celery warns root about pickled messages. Understudy's messages are JSON, and the work itself runs
    # without root's privileges.
    warnings.simplefilter("ignore", SecurityWarning)
    queues = ",".join(map(broker_queue, settings.worker_queues))
    app.worker_main([*ARGUMENTS, f"--queues={queues}", *sys.argv[1:]])
    return 0


if __name__ == "__main__":
    sys.exit(main())
