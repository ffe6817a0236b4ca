"""Recover jobs if their worker no longer sends heartbeats or their message was not delivered.

Any process can call these functions at any time.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from understudy import ids
from understudy.db import jobs, leases, workers
from understudy.db.session import transaction_failpoint
from understudy.db.workers import WorkerState
from understudy.logs import get_logger
from understudy.parameters.needs import DEFAULT_QUEUE
from understudy.resources import CODE_VERSION, Resources
from understudy.services.job_records import abandon_job

# A worker sends a heartbeat every five seconds, so it is considered silent after three missed heartbeats.
WORKER_SILENT_AFTER = timedelta(seconds=15)

logger = get_logger(__name__)


def rescue_jobs(resources: Resources) -> int:
    """Handle jobs with expired leases and expired queued jobs, and return the number of these jobs.

    Several processes can call this function at the same time. The process that locks a job handles it, and
    the other processes skip it.
    """
    with resources.sessions.begin() as session:
        lost = leases.reap(session, backoff_seconds=resources.settings.retry_backoff_seconds)
        expired = leases.expire(session)
        for job in (*lost, *expired):
            abandon_job(session, job)
        transaction_failpoint(session, "reap.before_commit")
    for queue in {job.queue for job in lost if job.state == "queued"}:
        resources.queue.ring(queue=queue)
    for job in lost:
        logger.warning("job_lost", job_id=ids.to_text("job", job.id), state=job.state, crashes=job.crashes)
    for job in expired:
        logger.warning("job_expired", job_id=ids.to_text("job", job.id))
    return len(lost) + len(expired)


def ring_waiting_jobs(resources: Resources, queues: Collection[str] = (DEFAULT_QUEUE,)) -> int:
    """Send messages to the workers for the due jobs of the given queues, and return the number of messages.

    These messages replace messages that the broker has lost or never received. No other state has to be
    reconciled.
    """
    with resources.sessions() as session:
        n_due = {queue: n for queue, n in jobs.count_due(session).items() if queue in queues}
        n_slots = workers.count_slots(session, WORKER_SILENT_AFTER) if n_due else 0
    n_rings = {queue: min(n, max(n_slots, 1)) for queue, n in n_due.items()}
    for queue, n in n_rings.items():
        resources.queue.ring(n, queue=queue)
    return sum(n_rings.values())


def count_due_jobs(resources: Resources, queues: Collection[str]) -> int:
    """Return the number of jobs that a worker serving these queues could claim now."""
    with resources.read_sessions() as session:
        return sum(n for queue, n in jobs.count_due(session).items() if queue in queues)


def count_overdue_jobs(resources: Resources, queues: Collection[str], seconds: float) -> int:
    """Return the number of jobs that have been due for longer than `seconds`."""
    n_max = resources.limits.running_jobs_max
    with resources.sessions() as session:
        return jobs.count_overdue(session, queues, timedelta(seconds=seconds), running_jobs_max=n_max)


def count_running_jobs(resources: Resources, worker_name: str) -> int:
    """Return the number of jobs that the named worker is running."""
    with resources.sessions() as session:
        return jobs.count_running(session, worker_name)


def report_worker(
    resources: Resources,
    name: str,
    *,
    concurrency: int,
    queues: Collection[str] = (DEFAULT_QUEUE,),
    draining: bool = False,
) -> None:
    """Record that a worker is alive. Workers call this function every few seconds."""
    state = WorkerState(CODE_VERSION, concurrency, queues, draining)
    with resources.sessions.begin() as session:
        workers.report(session, name, state)


def leave_worker(resources: Resources, name: str) -> None:
    """Record that a worker has stopped."""
    with resources.sessions.begin() as session:
        workers.leave(session, name)
