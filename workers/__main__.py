"""Entry point of a worker: ``python -m workers``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pkgutil import resolve_name

from understudy.resources import uses_broker
from understudy.settings import Settings


def main() -> int:
    """Run a worker with or without a broker, depending on the settings."""
    settings = Settings()
    # Only the required module is imported because the Celery application needs a broker.
    module = "workers.with_broker" if uses_broker(settings) else "workers.polling"
    run_worker: Callable[[Settings], int] = resolve_name(f"{module}:run_worker")
    return run_worker(settings)


if __name__ == "__main__":
    sys.exit(main())
