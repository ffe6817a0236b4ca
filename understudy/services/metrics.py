"""Prometheus metrics. No label contains a value from a caller.

Metrics of jobs come from the database at each scrape, so every process reports the same values, and they
survive restarts. Other metrics describe only the process that reports them.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Iterator

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from understudy import counters
from understudy.db import statistics, workers
from understudy.errors import UnderstudyError
from understudy.logs import get_logger
from understudy.resources import Resources
from understudy.services.disks import free_bytes
from understudy.services.rescue import WORKER_SILENT_AFTER

# Collected metrics are reused for this number of seconds, so frequent scrapes cause few queries.
CACHE_SECONDS = 5.0
# Number of consecutive ports to try. Each process on a machine uses the next free port.
N_PORTS = 16

logger = get_logger(__name__)


class ServiceCollector(Collector):
    """The metrics of jobs, the database, the broker and the disks.

    Parameters
    ----------
    n_walls_missing : int, optional
        Number of sandbox mechanisms that the kernel lacks.
    """

    def __init__(self, resources: Resources, n_walls_missing: int | None = None) -> None:
        self._resources = resources
        self._n_walls_missing = n_walls_missing
        self._lock = threading.Lock()
        self._read_at = float("-inf")
        self._families: list[Metric] = []

    def collect(self) -> Iterable[Metric]:
        """Return the metrics, which are at most `CACHE_SECONDS` old."""
        with self._lock:
            if time.monotonic() >= self._read_at + CACHE_SECONDS:
                self._families = [*self._of_process(), *self._of_broker(), *self._of_database()]
                self._read_at = time.monotonic()
            return self._families

    def _of_process(self) -> Iterator[Metric]:
        for name in counters.NAMES:
            text = f"Number of {name.replace('_', ' ')} in this process and its children."
            yield CounterMetricFamily(f"understudy_{name}", text, value=counters.value(name))
        disks = _gauge("understudy_disk_free_bytes", "Free space of a disk.", "disk")
        for disk, n_bytes in free_bytes(self._resources).items():
            disks.add_metric([disk], n_bytes)
        yield disks
        yield GaugeMetricFamily(
            "understudy_store_up", "Whether the blob store accepts writes.", value=self._is_store_up()
        )
        if self._n_walls_missing is not None:
            text = "Mechanisms of the sandbox that the kernel lacks."
            yield GaugeMetricFamily("understudy_sandbox_walls_missing", text, value=self._n_walls_missing)

    def _is_store_up(self) -> bool:
        try:
            self._resources.store.check_writable()
        except UnderstudyError:
            return False
        return True

    def _of_broker(self) -> Iterator[Metric]:
        is_up = self._resources.queue.is_reachable()
        yield GaugeMetricFamily("understudy_broker_up", "Whether the broker responds.", value=is_up)

    def _of_database(self) -> list[Metric]:
        text = "Whether the database responds."
        try:
            families = list(self._of_jobs())
        except UnderstudyError:
            return [GaugeMetricFamily("understudy_database_up", text, value=0)]
        return [GaugeMetricFamily("understudy_database_up", text, value=1), *families]

    def _of_jobs(self) -> Iterator[Metric]:
        with self._resources.read_sessions() as session:
            job_counts = statistics.count_jobs(session)
            due = statistics.due_jobs(session)
            totals = statistics.attempt_totals(session)
            n_bytes = statistics.stored_bytes(session)
            n_slots = workers.count_slots(session, WORKER_SILENT_AFTER)
            alive = workers.seen_within(session, WORKER_SILENT_AFTER)
        jobs = _gauge("understudy_jobs", "Number of jobs.", "kind", "state")
        for kind, state, n in job_counts:
            jobs.add_metric([kind, state], n)
        depth = _gauge("understudy_queue_due_jobs", "Jobs that a worker could start now.", "queue")
        age = _gauge("understudy_queue_oldest_due_seconds", "Time that the oldest job has been due.", "queue")
        for queue in due:
            depth.add_metric([queue.queue], queue.n_jobs)
            age.add_metric([queue.queue], float(queue.oldest_seconds))
        yield from (jobs, depth, age, *_of_attempts(totals))
        yield GaugeMetricFamily("understudy_stored_bytes", "Size of all stored files.", value=n_bytes)
        yield GaugeMetricFamily(
            "understudy_worker_slots", "Jobs that workers can run at once.", value=n_slots
        )
        states = _gauge("understudy_workers", "Number of workers that send heartbeats.", "state")
        for state, is_draining in (("ready", False), ("draining", True)):
            states.add_metric([state], sum(worker.draining is is_draining for worker in alive))
        yield states


def _of_attempts(totals: list[statistics.AttemptTotals]) -> Iterator[Metric]:
    labels = ("kind", "outcome")
    attempts = CounterMetricFamily("understudy_attempts", "Ended attempts at jobs.", labels=labels)
    seconds = CounterMetricFamily("understudy_attempt_seconds", "Duration of ended attempts.", labels=labels)
    text = "CPU time of ended attempts."
    cpu_seconds = CounterMetricFamily("understudy_attempt_cpu_seconds", text, labels=labels)
    for total in totals:
        own = [total.kind, total.outcome]
        attempts.add_metric(own, total.n_attempts)
        seconds.add_metric(own, total.seconds)
        cpu_seconds.add_metric(own, total.cpu_seconds)
    yield from (attempts, seconds, cpu_seconds)


def _gauge(name: str, text: str, *labels: str) -> GaugeMetricFamily:
    return GaugeMetricFamily(name, text, labels=labels)


def serve_metrics(collectors: Iterable[Collector], host: str, port: int) -> int | None:
    """Serve metrics on the first free port, starting at `port`. Return that port, or None if none is free."""
    registry = CollectorRegistry()
    for collector in collectors:
        registry.register(collector)
    for candidate in range(port, port + N_PORTS):
        try:
            start_http_server(candidate, host, registry)
        except OSError:
            continue
        logger.info("metrics_served", port=candidate)
        return candidate
    logger.error("metrics_not_served", port=port)
    return None
