"""A worker: a main process with the sandbox and the timers, and pool processes that run jobs."""

from __future__ import annotations

import random
import secrets
import socket
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Protocol

from understudy.db.revision import check_revision
from understudy.errors import Unavailable, UnderstudyError
from understudy.job_kinds import KINDS
from understudy.logs import get_logger
from understudy.resources import Resources, ResourceSettings, open_resources
from understudy.sandbox import Sandbox
from understudy.sandbox.walls import find_walls
from understudy.services import erasure, job_runs, maintenance, rescue, retention
from understudy.services.blob_checks import check_some_blobs
from understudy.services.disks import find_disk_problem
from understudy.services.job_requests import RUN_WORK
from understudy.services.metrics import ServiceCollector, serve_metrics
from understudy.synthesizers import SYNTHESIZERS
from understudy.threads import count_cores
from understudy.tracing import configure_traces
from workers.drain import Drain
from workers.job_slots import JobSlots
from workers.timers import Timers
from workers.watchdog import Watchdog
from workers.webhooks import WebhookThreads

REPORT_SECONDS = 5.0
# Maximum time in seconds until other processes detect that a worker is stopping.
DRAIN_LOOK_SECONDS = 0.5
SWEEP_SECONDS = 600.0
SWEEP_CHECK_SECONDS = 60.0
ERASE_SECONDS = 10.0
# Interval in seconds between two checks for due webhook deliveries, and thus the longest delay of an event.
WEBHOOK_LOOK_SECONDS = 1.0
RETENTION_SECONDS = 60.0
STOP_SECONDS = 5.0
# Time in seconds after which a call fails if the database server does not respond. Nobody waits for a
# worker's calls, so this limit is higher than the API's limit. It is less than the time between a heartbeat
# and the end of the lease.
DATABASE_PATIENCE_SECONDS = 5.0
# Maximum interval in seconds between two checks of the watchdog. A job is overdue after two intervals, so an
# idle worker runs each job within a minute even if the broker delivers no message.
WATCH_SECONDS_MAX = 15.0
# Time in seconds for a job to end after the drain. It covers the grace period of the job process and the last
# transaction.
SETTLE_SECONDS = 30.0
# Exit status of a worker with missing or invalid settings. All commands use the same status
# (docs/reference/cli.md).
NOT_CONFIGURED = 5

# Modules that all kinds of jobs import, and the compiled kernels: 170 MB for each worker. scikit-learn
# (another 120 MB) is not preloaded, because only `evaluate` needs it. DuckDB is not preloaded, because its
# import takes only a third of a second for each CSV file.
PRELOAD = (
    *(kind.work.partition(":")[0] for kind in KINDS.values()),
    *(module for entry in SYNTHESIZERS.values() for module in entry.preload),
    "understudy.tables.formats.parquet",
    "understudy.kernels.compilation:compile_kernels",
)

logger = get_logger(__name__)


class WorkerSettings(ResourceSettings, Protocol):
    """The settings that a worker needs. Only `celery_app` may import the class `Settings`."""

    @property
    def worker_concurrency(self) -> int: ...
    @property
    def worker_queues(self) -> tuple[str, ...]: ...
    @property
    def rescue_seconds(self) -> float: ...
    @property
    def ring_seconds(self) -> float: ...
    @property
    def drain_seconds(self) -> float: ...
    @property
    def otlp_endpoint(self) -> str | None: ...
    @property
    def metrics_host(self) -> str: ...
    @property
    def worker_metrics_port(self) -> int | None: ...


def check_walls(settings: WorkerSettings) -> None:
    """Check that the kernel offers every wall of the sandbox if the setting `sandbox` is `strict`.

    Raises
    ------
    UnderstudyError
        With the code `configuration`, if a wall is missing.
    """
    missing = find_walls().missing()
    if settings.sandbox == "strict" and missing:
        raise UnderstudyError(
            f"{missing[0]} Use another kernel, or set UNDERSTUDY_SANDBOX=auto.", code="configuration"
        )


def check_schema(settings: WorkerSettings) -> None:
    """Check that the database is migrated. An unreachable database is checked before the first job instead.

    Raises
    ------
    UnderstudyError
        With the code `configuration`, if a setting is invalid or the schema is older than the code.
    """
    resources = open_resources(settings, patience_seconds=DATABASE_PATIENCE_SECONDS)
    try:
        _check_revision(resources)
    except Unavailable:
        logger.warning("schema_not_checked")
    finally:
        resources.close()


def _check_revision(resources: Resources) -> None:
    with resources.sessions() as session:
        check_revision(session)


def check_settings(settings: WorkerSettings) -> None:
    """End this process with an error message if a setting is missing or invalid, or the schema is too old.

    Without this check, a worker without a broker URL would try to connect to Celery's default broker
    indefinitely.
    """
    try:
        check_schema(settings)
        check_walls(settings)
    except UnderstudyError as error:
        sys.stderr.write(f"error: {error.detail}\n")
        raise SystemExit(NOT_CONFIGURED) from error


class Worker:
    """A worker, created before the fork of its pool processes and opened in each process after the fork.

    Parameters
    ----------
    count_messages : callable, optional
        Function that returns the number of messages in the worker's queues. None for a worker without a
        broker.
    """

    def __init__(self, settings: WorkerSettings, count_messages: Callable[[], int] | None) -> None:
        self.name = f"{socket.gethostname()}-{secrets.token_hex(3)}"
        self._settings = settings
        self._count_messages = count_messages
        self._drain = Drain()
        self._timers = Timers()
        self._slots = JobSlots(settings.worker_concurrency)
        self._watchdog = Watchdog(self._count_overdue, self._count_idle, self._run_job)
        self._watch_seconds = min(settings.ring_seconds, WATCH_SECONDS_MAX)
        self._disk_problem: str | None = None
        self._is_drain_reported = False
        self._is_schema_checked = False
        self._resources: Resources | None = None
        self._webhooks: WebhookThreads | None = None
        threads = max(1, count_cores() // settings.worker_concurrency)
        self._sandbox = Sandbox(RUN_WORK, PRELOAD, threads=threads)

    @property
    def resources(self) -> Resources:
        """The resources of this process."""
        assert self._resources is not None, "open() comes first"
        return self._resources

    def open(self) -> None:
        """Open the resources of this process, and discard those copied by a fork."""
        self._resources = open_resources(self._settings, patience_seconds=DATABASE_PATIENCE_SECONDS)
        configure_traces(self._settings.otlp_endpoint, "understudy-worker")

    def start_timers(self) -> None:
        """Start the sandbox and the periodic tasks, in the main process."""
        if self._settings.worker_metrics_port is not None:
            collector = ServiceCollector(self.resources, len(self._sandbox.walls.missing()))
            serve_metrics([collector], self._settings.metrics_host, self._settings.worker_metrics_port)
        for sentence in self._sandbox.walls.missing():
            logger.warning("sandbox_wall_missing", detail=sentence)
        self._sandbox.open()
        self._timers.start("report", REPORT_SECONDS, self.report)
        self._timers.start("drain", DRAIN_LOOK_SECONDS, self._report_drain)
        self._timers.start(
            "rescue", self._settings.rescue_seconds, lambda: rescue.rescue_jobs(self.resources)
        )
        if self._count_messages is not None:
            self._timers.start("ring", self._settings.ring_seconds, self.ring)
            self._timers.start("watch", self._watch_seconds, self._watchdog.look)
        self._webhooks = WebhookThreads(self.resources)
        self._timers.start("webhooks", WEBHOOK_LOOK_SECONDS, self._webhooks.look)
        self._timers.start("erase", ERASE_SECONDS, lambda: erasure.erase_in_turn(self.resources))
        # One worker performs each sweep. All workers check more often whether a sweep is due, in case that
        # worker dies.
        self._timers.start(
            "sweep",
            SWEEP_CHECK_SECONDS,
            lambda: maintenance.sweep_in_turn(self.resources, every=timedelta(seconds=SWEEP_SECONDS)),
        )
        self._timers.start("retention", RETENTION_SECONDS, lambda: retention.delete_expired(self.resources))
        rng = random.Random(self.name)  # noqa: S311 - the choice of blobs to check is not a secret
        self._timers.start("check", SWEEP_SECONDS, lambda: check_some_blobs(self.resources, rng))

    def ring(self) -> None:
        """Notify workers of queued jobs, unless unread messages are waiting.

        Idle workers read waiting messages immediately. While all workers are busy, more messages would
        accumulate.
        """
        if self._count_messages is not None and self._count_messages() == 0:
            rescue.ring_waiting_jobs(self.resources, self._settings.worker_queues)

    def report(self) -> None:
        """Record in the database that this worker is alive, and whether it accepts jobs."""
        self._note_disk_problem(find_disk_problem(self.resources))
        rescue.report_worker(
            self.resources,
            self.name,
            concurrency=self._settings.worker_concurrency,
            queues=self._settings.worker_queues,
            draining=self._drain.has_begun or self._disk_problem is not None,
        )

    def _report_drain(self) -> None:
        if self._drain.has_begun and not self._is_drain_reported:
            self.report()
            self._is_drain_reported = True

    def _note_disk_problem(self, problem: str | None) -> None:
        if problem is not None and self._disk_problem is None:
            logger.error("worker_paused", detail=problem)
        elif problem is None and self._disk_problem is not None:
            logger.info("worker_resumed")
        self._disk_problem = problem

    def run_jobs(self) -> int:
        """Run jobs until none is queued or the worker stops, and return their number.

        One message can lead to many jobs, so that lost messages cause no delay while a worker is busy. Other
        projects are not delayed, because each claim serves the project with the fewest running jobs.
        """
        n_jobs = 0
        while self._run_job():
            n_jobs += 1
        return n_jobs

    def _count_overdue(self) -> int:
        if self._disk_problem is not None:
            return 0
        seconds = 2 * self._watch_seconds
        return rescue.count_overdue_jobs(self.resources, self._settings.worker_queues, seconds)

    def _count_idle(self) -> int:
        return self._settings.worker_concurrency - rescue.count_running_jobs(self.resources, self.name)

    def _run_job(self) -> bool:
        if self._drain.has_begun or find_disk_problem(self.resources) is not None:
            return False
        try:
            if not self._is_schema_checked:
                _check_revision(self.resources)
                self._is_schema_checked = True
            # The watchdog's threads and the pool processes together run at most `worker_concurrency` jobs.
            with self._slots.taken() as is_taken:
                return is_taken and job_runs.run_next_job(
                    self.resources,
                    self._sandbox,
                    self.name,
                    queues=self._settings.worker_queues,
                    is_draining=self._drain.is_over,
                )
        except Unavailable as error:
            # No job is lost: the job is rescued, or it is still queued and workers are notified again.
            logger.warning("job_run_interrupted", code=error.code)
        except UnderstudyError as error:
            logger.error("worker_paused", detail=error.detail)
        return False

    def drain(self) -> None:
        """Accept no more jobs. Running jobs have `drain_seconds` to end, or no time after a second call."""
        if self._webhooks is not None:
            self._webhooks.stop()
        self._drain.begin(0.0 if self._drain.has_begun else self._settings.drain_seconds)

    def close(self) -> None:
        """Delete the worker's row and stop the timers and the sandbox.

        Call this method when all jobs have ended.
        """
        self._timers.stop(STOP_SECONDS)
        if self._webhooks is not None:
            self._webhooks.close()
        self._watchdog.stop(self._settings.drain_seconds + SETTLE_SECONDS)
        self._sandbox.close()
        if self._resources is None:
            return
        try:
            rescue.leave_worker(self._resources, self.name)
        except Unavailable:
            logger.info("worker_row_not_deleted", worker=self.name)
        self._resources.close()
