"""Health checks of the services that jobs need."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy.orm import Session

from understudy.db import jobs, workers
from understudy.db.revision import check_revision
from understudy.errors import Unavailable, UnderstudyError
from understudy.resources import Resources

OK = "ok"
SILENT = "no worker has sent a heartbeat recently"
PAUSED = "all workers are stopping or have no disk space left"
IGNORED = "jobs wait although workers are idle"
UNSERVED = "jobs wait in a queue that no worker serves"
# Time that a due job may wait while workers are idle.
WAIT_MAX = timedelta(seconds=60)


def checks(resources: Resources) -> dict[str, str]:
    """Return ``ok`` or a description of the problem for each required service."""
    database, live_workers = _check_database(resources)
    results = {"database": database, "storage": _check_storage(resources), "workers": live_workers}
    if resources.queue.has_broker:
        results["broker"] = OK if resources.queue.is_reachable() else "does not respond"
    return results


def _check_database(resources: Resources) -> tuple[str, str]:
    """Return the state of the database, and the state of the workers that are recorded in it."""
    lease = timedelta(seconds=resources.settings.lease_seconds)
    try:
        with resources.sessions() as session:
            check_revision(session)
            is_any_alive = bool(workers.seen_within(session, lease))
            if not workers.count_slots(session, lease):
                return OK, PAUSED if is_any_alive else SILENT
            return OK, _check_queues(session, resources.limits.running_jobs_max, lease)
    except Unavailable:
        return "does not respond", "unknown"
    except UnderstudyError as error:
        return error.detail, "unknown"


def _check_queues(session: Session, running_jobs_max: int | None, lease: timedelta) -> str:
    """Return ``ok``, or the reason why jobs have waited too long although their workers are not busy."""
    idle = workers.served_queues(session, lease, with_idle_slot=True)
    if jobs.count_overdue(session, idle, WAIT_MAX, running_jobs_max=running_jobs_max):
        return IGNORED
    served = workers.served_queues(session, lease)
    n_unserved = jobs.count_overdue(
        session, served, WAIT_MAX, running_jobs_max=running_jobs_max, in_other_queues=True
    )
    return UNSERVED if n_unserved else OK


def _check_storage(resources: Resources) -> str:
    try:
        resources.store.check_writable()
    except Unavailable as error:
        return error.detail
    return OK
