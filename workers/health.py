"""Health check of the worker on this machine: ``python -m workers.health``, which needs no broker.

The exit status is 0 if a worker whose name begins with this machine's name has sent a heartbeat recently.
"""

from __future__ import annotations

import socket
import sys

from understudy.db import workers
from understudy.errors import UnderstudyError
from understudy.resources import open_resources
from understudy.services.rescue import WORKER_SILENT_AFTER
from understudy.settings import Settings


def main() -> int:
    """Print the result and return the exit status."""
    host = socket.gethostname()
    try:
        resources = open_resources(Settings())
        with resources.sessions() as session:
            names = [worker.name for worker in workers.seen_within(session, WORKER_SILENT_AFTER)]
    except UnderstudyError as error:
        sys.stderr.write(f"error: {error.detail}\n")
        return 1
    resources.close()
    if any(name.rpartition("-")[0] == host for name in names):
        sys.stdout.write("ok\n")
        return 0
    sys.stderr.write("error: No worker of this machine has sent a heartbeat recently. Check its log.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
