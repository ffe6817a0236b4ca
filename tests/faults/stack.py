"""A database, a broker and workers for fault injection, and a check of the invariants."""

from __future__ import annotations

import io
import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit
from uuid import UUID

import pyarrow as pa
import pyarrow.csv as pacsv
from sqlalchemy import text

from tests.faults.api import ApiProcess, Client
from tests.faults.invariants import check_invariants
from tests.faults.proxy import FaultProxy, tcp_server, unix_server
from tests.faults.workers import WorkerProcess, until
from tests.rows import upload_csv
from tests.service import connect_valkey, execute, url_of
from understudy import ids
from understudy.db import jobs
from understudy.db.migrate import upgrade
from understudy.db.session import parse_url
from understudy.failpoints import REACHED, VARIABLE
from understudy.job_kinds import parse_parameters
from understudy.job_queue import NO_BROKER
from understudy.resources import Resources, open_resources
from understudy.services.api_keys import create_api_key
from understudy.services.jobs import cancel_job, submit_job
from understudy.services.projects import create_project
from understudy.settings import Settings

SECRET_KEY = "a key for tests, of 32 characters or more"

OPEN_JOBS = """
    select id from jobs where (id = any(:ids) or parent_id = any(:ids)) and state in ('queued', 'running')"""

# The environment variables of each mode.
Mode = Mapping[str, str]
MODES: dict[str, Mode] = {"broker": {}, "none": {"UNDERSTUDY_REDIS_URL": NO_BROKER}}


class Points:
    """The failpoints of some processes (`understudy.failpoints`)."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder = folder
        self._reserved: set[str] = set()
        self._lock = threading.Lock()

    def reserve(self, name: str) -> bool:
        """Reserve a failpoint for the calling thread, and return False if it is already reserved."""
        with self._lock:
            is_free = name not in self._reserved
            self._reserved.add(name)
        return is_free

    def free(self, name: str) -> None:
        """Disarm a failpoint, release the process that it holds, and end its reservation."""
        (self.folder / name).unlink(missing_ok=True)
        self.release(name)
        with self._lock:
            self._reserved.discard(name)

    def arm(self, name: str, action: str, **order: object) -> None:
        """Arm a failpoint for the next process that reaches it."""
        partial = self.folder / f".{name}"
        partial.write_text(json.dumps({"action": action, **order}))
        self.release(name)
        partial.rename(self.folder / name)

    def is_reached(self, name: str) -> bool:
        """Return whether a process has reached the failpoint since it was armed."""
        return (self.folder / f"{name}{REACHED}").exists()

    def pid(self, name: str) -> int:
        """Return the ID of the process that reached the failpoint."""
        until(lambda: (self.folder / f"{name}{REACHED}").read_text(), "the process is known")
        return int((self.folder / f"{name}{REACHED}").read_text())

    def release(self, name: str) -> None:
        """Release the process that a failpoint holds."""
        (self.folder / f"{name}{REACHED}").unlink(missing_ok=True)

    def clear(self) -> None:
        """Disarm all failpoints and let all processes continue."""
        for path in self.folder.iterdir():
            path.unlink(missing_ok=True)


@contextmanager
def open_stack(postgres_url: str, broker_url: str, folder: Path, mode: str = "broker") -> Iterator[Stack]:
    """Open a stack with a new database and an empty broker, in one of `MODES`."""
    name = f"stack_{ids.new_id().hex}"
    execute(postgres_url, f"create database {name}")
    upgrade(url_of(postgres_url, name))
    stack = Stack(url_of(postgres_url, name), broker_url, folder, MODES[mode])
    stack.broker.flushall()
    try:
        yield stack
    finally:
        stack.close()
        execute(postgres_url, f"drop database {name} with (force)")


class Stack:
    """The servers and workers of a test. Leases are short, so that lost jobs are rescued quickly."""

    def __init__(self, database_url: str, broker_url: str, folder: Path, mode: Mode | None = None) -> None:
        self.environment = {
            "UNDERSTUDY_DATABASE_URL": database_url,
            "UNDERSTUDY_REDIS_URL": broker_url,
            "UNDERSTUDY_SECRET_KEY": SECRET_KEY,
            "UNDERSTUDY_DATA_DIR": str(folder / "data"),
            "UNDERSTUDY_WORKER_CONCURRENCY": "2",
            "UNDERSTUDY_LEASE_SECONDS": "3",
            "UNDERSTUDY_HEARTBEAT_SECONDS": "0.5",
            "UNDERSTUDY_RESCUE_SECONDS": "0.5",
            "UNDERSTUDY_RING_SECONDS": "0.5",
            "UNDERSTUDY_DRAIN_SECONDS": "2",
            "UNDERSTUDY_RETRY_BACKOFF_SECONDS": "0",
            **(mode or {}),
        }
        self.uses_broker = self.environment["UNDERSTUDY_REDIS_URL"] != NO_BROKER
        self._broker_url = broker_url
        self.broker = connect_valkey(broker_url)
        settings = {
            name.removeprefix("UNDERSTUDY_").lower(): value for name, value in self.environment.items()
        }
        self.resources: Resources = open_resources(Settings(**{**settings, "threads": 4}))  # type: ignore[arg-type]
        self.project_id: UUID = create_project(self.resources, "faults").id
        self.folder = folder
        self.log = folder / "worker.log"
        self.worker_points = Points(folder / "worker-failpoints")
        self.api_points = Points(folder / "api-failpoints")
        self._workers: list[WorkerProcess] = []
        self._api: ApiProcess | None = None
        self._proxies: list[FaultProxy] = []
        self._clients: list[Client] = []

    def start_worker(self, **settings: object) -> WorkerProcess:
        """Start a worker and wait until it accepts jobs."""
        before = self._worker_names()
        worker = self.launch_worker(**settings)
        until(lambda: self._worker_names() - before, "worker is ready")
        return worker

    def launch_worker(self, **settings: object) -> WorkerProcess:
        """Start a worker, but do not wait until it accepts jobs."""
        changes = {f"UNDERSTUDY_{name.upper()}": str(value) for name, value in settings.items()}
        points = {VARIABLE: str(self.worker_points.folder)}
        worker = WorkerProcess(self.environment | points | changes, self.log)
        self._workers.append(worker)
        return worker

    def start_api(self, **settings: object) -> ApiProcess:
        """Start an API process, or return the running one."""
        if self._api is None:
            changes = {f"UNDERSTUDY_{name.upper()}": str(value) for name, value in settings.items()}
            points = {VARIABLE: str(self.api_points.folder)}
            self._api = ApiProcess(self.environment | points | changes, self.folder / "api.log")
        if not self._api.is_running():
            self._api.start()
        return self._api

    def client(self, port: int | None = None) -> Client:
        """Return a client of the API with a new key."""
        _, key = create_api_key(self.resources, self.project_id, "faults")
        client = Client(f"http://127.0.0.1:{port or self.start_api().port}", key)
        self._clients.append(client)
        return client

    def proxy_database(self) -> tuple[FaultProxy, str]:
        """Return a proxy in front of the database, and the URL of the database through the proxy."""
        url = parse_url(self.environment["UNDERSTUDY_DATABASE_URL"])
        proxy = self._open_proxy(unix_server(f"{url.query['host']}/.s.PGSQL.5432"))
        through = url.set(host="127.0.0.1", port=proxy.port, query={})
        return proxy, through.render_as_string(hide_password=False)

    def proxy_broker(self) -> tuple[FaultProxy, str]:
        """Return a proxy in front of the broker, and the URL of the broker through the proxy."""
        parts = urlsplit(self._broker_url)
        proxy = self._open_proxy(unix_server(unquote(parts.path)))
        return proxy, f"redis://:{parts.password}@127.0.0.1:{proxy.port}/0"

    def proxy_api(self) -> FaultProxy:
        """Return a proxy in front of the API."""
        return self._open_proxy(tcp_server(self.start_api().port))

    def _open_proxy(self, connect: Callable[[], socket.socket]) -> FaultProxy:
        proxy = FaultProxy(connect)
        self._proxies.append(proxy)
        return proxy

    def stop_workers(self) -> None:
        """Kill the workers that are still running, and close the log of each worker."""
        for worker in self._workers:
            if worker.is_running():
                worker.kill()
            else:
                worker.wait()
        self._workers.clear()

    def submit(self, kind: str, **parameters: Any) -> UUID:
        """Submit a job and return its ID."""
        return submit_job(self.resources, self.project_id, parse_parameters({"kind": kind, **parameters})).id

    def upload(self, table: pa.Table) -> tuple[str, UUID]:
        """Upload a table as CSV and return the IDs of the dataset and of its job."""
        sink = io.BytesIO()
        pacsv.write_csv(table, sink)
        dataset, job = upload_csv(self.resources, self.project_id, sink.getvalue())
        return ids.to_text("dataset", dataset.id), job.id

    def cancel(self, job_id: UUID) -> None:
        """Cancel a job."""
        cancel_job(self.resources, self.project_id, job_id)

    def job(self, job_id: UUID) -> Any:
        """Return the current row of a job."""
        with self.resources.sessions() as session:
            return jobs.get(session, self.project_id, job_id)

    def outcomes(self, job_id: UUID) -> list[str | None]:
        """Return the outcomes of a job's attempts."""
        statement = "select outcome from job_attempts where job_id = :id order by attempt"
        return [row[0] for row in self.rows(statement, id=job_id)]

    def wait_until_running(self, job_id: UUID) -> None:
        """Wait until the work of a job has reported progress."""
        until(lambda: self.job(job_id).state == "running" and self.job(job_id).progress, "job runs")

    def finish(self, *job_ids: UUID) -> list[Any]:
        """Wait until jobs and their shards have ended, and return the rows of the jobs.

        If a job loses its lease, each of its running shards ends only after its own lease has expired.
        """
        until(lambda: not self.rows(OPEN_JOBS, ids=list(job_ids)), "jobs end")
        return [self.job(job_id) for job_id in job_ids]

    def run(self, kind: str, **parameters: Any) -> Any:
        """Run a job to its end and return its row."""
        return self.finish(self.submit(kind, **parameters))[0]

    def rows(self, statement: str, **values: object) -> list[Any]:
        """Return the rows of a query."""
        with self.resources.sessions() as session:
            return list(session.execute(text(statement), values))

    def check(self) -> None:
        """Fail if any invariant is broken. Call this method after all jobs have ended."""
        check_invariants(self)
        assert [violation for client in self._clients for violation in client.violations] == [], "I7"

    def close(self) -> None:
        """Stop the processes and close the connections to the servers."""
        self.stop_workers()
        if self._api is not None:
            self._api.kill()
        for part in (*self._proxies, *self._clients):
            part.close()
        self.broker.flushall()
        self.broker.close()
        self.resources.close()

    def _worker_names(self) -> set[str]:
        return {row.name for row in self.rows("select name from workers")}
