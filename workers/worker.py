"""A worker: a main process, which keeps the sandbox and the timers, and pool processes, which run jobs."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable
from typing import Protocol

from understudy.errors import Unavailable
from understudy.job_kinds import KINDS
from understudy.logs import get_logger
from understudy.resources import Resources, ResourceSettings, open_resources
from understudy.sandbox import Sandbox
from understudy.services import job_runs, maintenance, rescue
from understudy.synthesizers import SYNTHESIZERS
from workers.drain import Drain
from workers.timers import Timers

REPORT_SECONDS = 5.0
SWEEP_SECONDS = 600.0
STOP_SECONDS = 5.0

WORK = "understudy.work.run:run_work"
# What the work of all kinds imports, compiled kernels included: 170 MB, once a worker. Not scikit-learn
# (120 MB more), which only `evaluate` loads, and not DuckDB, which each CSV loads in a third of a second.
PRELOAD = (
    *(kind.work.partition(":")[0] for kind in KINDS.values()),
    *(module for entry in SYNTHESIZERS.values() for module in entry.preload),
    "understudy.tables.formats.parquet",
    "understudy.kernels.compilation:compile_kernels",
)

logger = get_logger(__name__)


class WorkerSettings(ResourceSettings, Protocol):
    """What a worker needs of the settings; only `celery_app` may import the class that has them all."""

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


class Worker:
    """What the processes of a worker share; made before the fork, opened after it, in each for itself."""

    def __init__(self, settings: WorkerSettings, count_messages: Callable[[], int]) -> None:
        self.name = f"{socket.gethostname()}-{secrets.token_hex(3)}"
        self._settings = settings
        self._count_messages = count_messages
        self._drain = Drain()
        self._timers = Timers()
        self._resources: Resources | None = None
        threads = max(1, (os.cpu_count() or 1) // settings.worker_concurrency)
        self._sandbox = Sandbox(WORK, PRELOAD, threads=threads)

    @property
    def resources(self) -> Resources:
        """The resources of this process."""
        assert self._resources is not None, "open() comes first"
        return self._resources

    def open(self) -> None:
        """Open the resources of this process, in place of those that a fork may have copied."""
        self._resources = open_resources(self._settings)

    def start_timers(self) -> None:
        """Start the sandbox and, in the main process, what goes on beside the jobs."""
        self._sandbox.open()
        self._timers.start("report", REPORT_SECONDS, self.report)
        self._timers.start(
            "rescue", self._settings.rescue_seconds, lambda: rescue.rescue_jobs(self.resources)
        )
        self._timers.start("ring", self._settings.ring_seconds, self.ring)
        self._timers.start("sweep", SWEEP_SECONDS, lambda: maintenance.sweep(self.resources))

    def ring(self) -> None:
        """Announce the jobs that wait, unless messages wait too.

        Those are taken as soon as anybody has time; more of them would only pile up while all are at work.
        """
        if self._count_messages() == 0:
            rescue.ring_waiting_jobs(self.resources, self._settings.worker_queues)

    def report(self) -> None:
        """Write that this worker is there, and whether it takes jobs."""
        rescue.report_worker(
            self.resources,
            self.name,
            concurrency=self._settings.worker_concurrency,
            draining=self._drain.has_begun,
        )

    def run_jobs(self) -> int:
        """Run jobs until none waits or the worker stops; return how many it was.

        One message may stand for many jobs, so that lost messages cost nothing while anybody is at work. That
        starves nobody: jobs are taken by their place in the line, whoever takes them.
        """
        n_jobs = 0
        while not self._drain.has_begun and self._run_job():
            n_jobs += 1
        return n_jobs

    def _run_job(self) -> bool:
        try:
            return job_runs.run_next_job(
                self.resources,
                self._sandbox,
                self.name,
                queues=self._settings.worker_queues,
                is_draining=self._drain.is_over,
            )
        except Unavailable as error:
            # Nothing is lost: the job is rescued or still waits, and is announced again.
            logger.warning("worker_cannot_go_on", code=error.code)
            return False

    def drain(self) -> None:
        """Take no job any more; those that run may end within `drain_seconds`."""
        self._drain.begin(self._settings.drain_seconds)

    def close(self) -> None:
        """Take the worker's row away and end what was started; called when all jobs have ended."""
        self._timers.stop(STOP_SECONDS)
        self._sandbox.close()
        if self._resources is None:
            return
        try:
            rescue.leave_worker(self._resources, self.name)
        except Unavailable:
            logger.info("worker_row_left_behind", worker=self.name)
        self._resources.close()
