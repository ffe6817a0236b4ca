"""Health checks of the services that jobs need."""

from __future__ import annotations

from datetime import timedelta

from understudy.db import jobs, workers
from understudy.db.revision import check_revision
from understudy.errors import Unavailable, UnderstudyError
from understudy.resources import Resources

OK = "ok"
SILENT = "no worker has sent a heartbeat recently"
PAUSED = "all workers are stopping or have no disk space left"
# Time that a due job may wait while workers are idle.
WAIT_MAX = timedelta(seconds=60)


def checks(resources: Resources) -> dict[str, str]:
    """Return ``ok`` or a description of the problem for each required service."""
    database, live_workers = _check_database(resources)
    return {
        "database": database,
        "broker": OK if resources.queue.is_reachable() else "does not respond",
        "storage": _check_storage(resources),
        "workers": live_workers,
    }


def _check_database(resources: Resources) -> tuple[str, str]:
    """Return the state of the database, and the state of the workers that it contains."""
    lease = timedelta(seconds=resources.settings.lease_seconds)
    try:
        with resources.sessions() as session:
            check_revision(session)
            n_slots = workers.count_slots(session, lease)
            is_any_alive = bool(workers.seen_within(session, lease))
            n_running = jobs.count_running(session)
            n_overdue = jobs.count_overdue(session, None, WAIT_MAX) if n_running < n_slots else 0
    except Unavailable:
        return "does not respond", "unknown"
    except UnderstudyError as error:
        return error.detail, "unknown"
    if not n_slots:
        return OK, SILENT if not is_any_alive else PAUSED
    return OK, "jobs wait although workers are idle" if n_overdue else OK


def _check_storage(resources: Resources) -> str:
    try:
        resources.store.check_writable()
    except Unavailable as error:
        return error.detail
    return OK
