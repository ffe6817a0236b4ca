"""Starts a worker: ``python -m workers``."""

from __future__ import annotations

import sys

from workers.celery_app import app

# Workers need not know of each other, and gossip fails when the broker comes back.
ARGUMENTS = ("worker", "--pool=prefork", "--without-gossip", "--without-mingle", "--without-heartbeat")

if __name__ == "__main__":
    app.worker_main([*ARGUMENTS, *sys.argv[1:]])
