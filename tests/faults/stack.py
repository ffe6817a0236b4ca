"""A database, a broker and workers for fault injection, with a check of the reliability promises."""

from __future__ import annotations

import hashlib
import io
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pyarrow as pa
import pyarrow.csv as pacsv
from sqlalchemy import text

from tests.faults.workers import WorkerProcess, until
from tests.rows import upload_csv
from tests.service import connect_valkey, execute, url_of
from understudy import ids
from understudy.db import jobs
from understudy.db.jobs import TERMINAL_STATES
from understudy.db.migrate import upgrade
from understudy.job_kinds import parse_parameters
from understudy.resources import Resources, open_resources
from understudy.services.erasure import erase_files
from understudy.services.jobs import cancel_job, submit_job
from understudy.services.maintenance import sweep
from understudy.services.projects import create_project
from understudy.settings import Settings

SECRET_KEY = "a key for tests, of 32 characters or more"

# These queries find contradictory rows after all jobs have ended. No query may return a row.
CONTRADICTIONS = {
    "a job that did not end": "select id from jobs where state in ('queued', 'running')",
    "an attempt that did not end": "select job_id from job_attempts where outcome is null",
    "a round without exactly one terminal event": """
        select j.id from jobs j left join job_events e
          on e.job_id = j.id and e.round = j.round and e.type in ('succeeded', 'failed', 'cancelled')
        group by j.id having count(e.id) <> 1""",
    "a job whose number of successful attempts contradicts its state": """
        select j.id from jobs j left join job_attempts a on a.job_id = j.id and a.outcome = 'succeeded'
        group by j.id having count(a.token) <> (case when j.state = 'succeeded' then 1 else 0 end)""",
    "attempts that overlap": """
        select a.job_id from job_attempts a join job_attempts b
          on a.job_id = b.job_id and a.attempt < b.attempt and a.ended_at > b.started_at""",
    "an artifact of an attempt that did not succeed": """
        select f.id from artifacts f where f.token <> 0 and not exists (
          select from job_attempts a where a.token = f.token and a.outcome = 'succeeded')""",
    "a result of a job that did not succeed": """
        select j.id from jobs j where j.state <> 'succeeded' and (
          exists (select from models m where m.job_id = j.id)
          or exists (select from reports r where r.job_id = j.id)
          or exists (select from datasets d where d.job_id = j.id and d.state = 'ready'))""",
    "a successful job without a result": """
        select j.id from jobs j where j.state = 'succeeded' and not (
          j.kind = 'probe' or j.parent_id is not null
          or exists (select from models m where m.job_id = j.id)
          or exists (select from reports r where r.job_id = j.id)
          or exists (select from datasets d where d.job_id = j.id and d.state = 'ready'))""",
}


@contextmanager
def open_stack(postgres_url: str, broker_url: str, folder: Path) -> Iterator[Stack]:
    """Open a stack with a new database and an empty broker."""
    name = f"stack_{ids.new_id().hex}"
    execute(postgres_url, f"create database {name}")
    upgrade(url_of(postgres_url, name))
    stack = Stack(url_of(postgres_url, name), broker_url, folder)
    stack.broker.flushall()
    try:
        yield stack
    finally:
        stack.close()
        execute(postgres_url, f"drop database {name} with (force)")


class Stack:
    """The servers and workers of a test. Leases are short, so that lost jobs are rescued quickly."""

    def __init__(self, database_url: str, broker_url: str, folder: Path) -> None:
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
        }
        self.broker = connect_valkey(broker_url)
        self.resources: Resources = open_resources(
            Settings(
                database_url=database_url,
                redis_url=broker_url,
                secret_key=SECRET_KEY,
                data_dir=folder / "data",
                threads=4,
            )
        )
        self.project_id: UUID = create_project(self.resources, "faults").id
        self.log = folder / "worker.log"
        self._workers: list[WorkerProcess] = []

    def start_worker(self, **settings: object) -> WorkerProcess:
        """Start a worker and wait until it accepts jobs."""
        n_before = self._count("select count(*) from workers")
        worker = self.launch_worker(**settings)
        until(lambda: self._count("select count(*) from workers") > n_before, "worker is ready")
        return worker

    def launch_worker(self, **settings: object) -> WorkerProcess:
        """Start a worker without waiting."""
        changes = {f"UNDERSTUDY_{name.upper()}": str(value) for name, value in settings.items()}
        worker = WorkerProcess(self.environment | changes, self.log)
        self._workers.append(worker)
        return worker

    def stop_workers(self) -> None:
        """Kill the workers that are still running."""
        for worker in self._workers:
            if worker.is_running():
                worker.kill()
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
        """Wait until jobs have ended, and return their rows."""
        until(lambda: all(self.job(job_id).state in TERMINAL_STATES for job_id in job_ids), "jobs end")
        return [self.job(job_id) for job_id in job_ids]

    def run(self, kind: str, **parameters: Any) -> Any:
        """Run a job to its end and return its row."""
        return self.finish(self.submit(kind, **parameters))[0]

    def rows(self, statement: str, **values: object) -> list[Any]:
        """Return the rows of a query."""
        with self.resources.sessions() as session:
            return list(session.execute(text(statement), values))

    def check(self) -> None:
        """Fail if any reliability promise is broken. Call this method after all jobs have ended."""
        contradictions = {name: rows for name, query in CONTRADICTIONS.items() if (rows := self.rows(query))}
        assert contradictions == {}
        for key, sha256, size_bytes in self.rows("select storage_key, sha256, size_bytes from artifacts"):
            with self.resources.store.open(key) as blob:
                data = blob.read()
            assert (hashlib.sha256(data).digest(), len(data)) == (sha256, size_bytes), key
        self._check_leftovers()

    def _check_leftovers(self) -> None:
        sweep(self.resources, orphans_kept=timedelta(0))
        erase_files(self.resources, kept=timedelta(0))
        assert [path for path in self.resources.scratch_folder.iterdir() if path.name.isdecimal()] == []
        known = {row.storage_key for row in self.rows("select storage_key from artifacts")}
        assert set(self.resources.store.keys("")) == known

    def close(self) -> None:
        """Stop the workers and close the connections to the servers."""
        self.stop_workers()
        self.broker.flushall()
        self.broker.close()
        self.resources.close()

    def _count(self, statement: str) -> int:
        n: int = self.rows(statement)[0][0]
        return n
