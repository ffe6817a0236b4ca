"""Inject random faults into workers: ``python -m tests.faults.soak --seconds 300 --seed 1``.

Jobs are submitted continuously, and a reader checks every artifact that becomes visible. At the end, the test
checks all reliability promises. The seed determines the order and the times of the faults. The effects of the
faults depend on the machine.
"""

from __future__ import annotations

import argparse
import hashlib
import random
import signal
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pyarrow as pa
from sqlalchemy import text

from tests.faults.stack import Stack, open_stack
from tests.faults.workers import WorkerProcess, send
from understudy.embedded.servers import PrivatePostgres, PrivateValkey
from understudy.errors import NotFound, Unavailable, UnderstudyError

N_WORKERS = 2
# Workers stay frozen for longer than the leases of the stack.
FROZEN_SECONDS = 4.0
TERMINATE_SESSIONS = "select pg_terminate_backend(pid) from pg_stat_activity where pid <> pg_backend_pid()"


class Soak:
    """A run of workers under random faults, with random jobs."""

    def __init__(self, stack: Stack, seed: int) -> None:
        self.stack = stack
        self.random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.faults: Counter[str] = Counter()
        self.job_ids: list[UUID] = []
        self.n_reads = 0
        self.torn: list[str] = []
        self._workers = [stack.start_worker() for _ in range(N_WORKERS)]
        self._frozen: list[tuple[float, list[int]]] = []
        self._stop = threading.Event()
        self._reader = threading.Thread(target=self._read)
        dataset_id, job_id = stack.upload(pa.table({"a": range(500), "b": ["x", "y"] * 250}))
        stack.finish(job_id)
        self._dataset_id = dataset_id
        trained = stack.run("train", dataset_id=dataset_id, synthesizer={"name": "independent"})
        self._model_id = trained.result["model_id"]

    def run(self, seconds: float) -> None:
        """Inject faults for a number of seconds, then wait until all jobs have ended."""
        self._reader.start()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            self._submit()
            self._inject_fault()
            self._recover()
            time.sleep(self.random.uniform(0.1, 0.8))
        self._thaw(float("inf"))
        self._revive()
        self._end()

    def _end(self) -> None:
        """Wait until all jobs have ended, or until there is no progress for a minute."""
        waiting, since = -1, time.monotonic()
        while time.monotonic() - since < 60:
            n = self._count_open()
            if n == 0:
                break
            if n != waiting:
                waiting, since = n, time.monotonic()
            time.sleep(0.2)
        self._stop.set()
        self._reader.join()

    def _count_open(self) -> int:
        n: int = self.stack.rows("select count(*) from jobs where state in ('queued', 'running')")[0][0]
        return n

    def _submit(self) -> None:
        draw = self.random.random()
        try:
            if draw < 0.5:
                job_id = self.stack.submit("probe", seconds=round(self.random.uniform(0, 4), 2))
            elif draw < 0.8:
                job_id = self.stack.submit("sample", model_id=self._model_id, n_rows=20_000)
            else:
                independent = {"name": "independent"}
                job_id = self.stack.submit("train", dataset_id=self._dataset_id, synthesizer=independent)
            self.job_ids.append(job_id)
            if self.random.random() < 0.1:
                self.stack.cancel(job_id)
        except UnderstudyError as error:
            # A caller whose connection is cut gets this error and would repeat the call.
            self.faults[f"error {error.code}"] += 1

    def _inject_fault(self) -> None:
        # Faults that restart a worker are rare, because no other faults are injected during a restart.
        faults: dict[Callable[[WorkerProcess], object], int] = {
            self.kill_work: 8,
            self.kill_pool_process: 4,
            self.kill_server: 2,
            self.kill_worker: 1,
            self.stop_worker: 1,
            self.freeze_worker: 1,
            self.lose_messages: 2,
            self.double_messages: 2,
            self.cut_sessions: 4,
        }
        fault = self.random.choices(list(faults), list(faults.values()))[0]
        worker = self.random.choice(self._workers)
        try:
            fault(worker)
        except (AssertionError, IndexError, ProcessLookupError):
            # The target process of the fault has already ended.
            return
        self.faults[fault.__name__] += 1

    def kill_worker(self, worker: WorkerProcess) -> None:
        """Kill the main process. All other processes of the worker must end by themselves."""
        send([worker.pid], signal.SIGKILL)

    def kill_work(self, worker: WorkerProcess) -> None:
        """Kill the child process of a job."""
        send([self.random.choice(worker.work_pids())], signal.SIGKILL)

    def kill_server(self, worker: WorkerProcess) -> None:
        """Kill the warm parent process."""
        send([worker.server_pid()], signal.SIGKILL)

    def kill_pool_process(self, worker: WorkerProcess) -> None:
        """Kill a process of the pool."""
        send([self.random.choice(worker.pool_pids())], signal.SIGKILL)

    def freeze_worker(self, worker: WorkerProcess) -> None:
        """Freeze all processes of a worker until well after its leases have expired."""
        self._frozen.append((time.monotonic() + FROZEN_SECONDS, worker.freeze()))

    def stop_worker(self, worker: WorkerProcess) -> None:
        """Ask a worker to stop."""
        send([worker.pid], signal.SIGTERM)

    def lose_messages(self, _: WorkerProcess) -> None:
        """Empty the broker."""
        self.stack.broker.flushall()

    def double_messages(self, _: WorkerProcess) -> None:
        """Send many more messages than there are jobs."""
        self.stack.resources.queue.ring(10)

    def cut_sessions(self, _: WorkerProcess) -> None:
        """Terminate all connections to the database."""
        with self.stack.resources.sessions() as session:
            session.execute(text(TERMINATE_SESSIONS))

    def _recover(self) -> None:
        self._thaw(time.monotonic())
        self._revive()

    def _thaw(self, now: float) -> None:
        for _, pids in [entry for entry in self._frozen if entry[0] <= now]:
            send(pids, signal.SIGCONT)
        self._frozen = [entry for entry in self._frozen if entry[0] > now]

    def _revive(self) -> None:
        for i, worker in enumerate(self._workers):
            if not worker.is_running():
                self._workers[i] = self.stack.launch_worker()

    def _read(self) -> None:
        """Read visible artifacts repeatedly and record those that are incomplete."""
        while not self._stop.wait(0.2):
            try:
                rows = self.stack.rows("select storage_key, sha256 from artifacts order by random() limit 20")
                for key, sha256 in rows:
                    self._read_one(key, sha256)
            except Unavailable:
                continue

    def _read_one(self, key: str, sha256: bytes) -> None:
        try:
            with self.stack.resources.store.open(key) as blob:
                is_whole = hashlib.file_digest(blob, "sha256").digest() == sha256
        except NotFound:
            is_whole = False
        self.n_reads += 1
        if not is_whole:
            self.torn.append(key)


def main() -> None:
    """Run the soak test and print the results."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="understudy-soak-") as name:
        folder = Path(name)
        postgres, valkey = (
            PrivatePostgres(folder / "postgres", durable=False),
            PrivateValkey(folder / "valkey"),
        )
        postgres.start()
        valkey.start()
        try:
            with open_stack(postgres.url, valkey.url, folder) as stack:
                soak = Soak(stack, arguments.seed)
                soak.run(arguments.seconds)
                report(soak)
        finally:
            valkey.stop()
            postgres.stop()


def report(soak: Soak) -> None:
    """Print the faults and the outcomes of jobs, and raise an error if a promise is broken."""
    rows = soak.stack.rows
    write = sys.stdout.write
    write(f"{sum(soak.faults.values())} faults: {dict(soak.faults)}\n")
    for table, column in (("jobs", "state"), ("jobs", "error_code"), ("job_attempts", "outcome")):
        counts = rows(f"select {column}, count(*) from {table} group by 1")  # noqa: S608 - constants of this module
        write(f"{table} by {column}: {dict(map(tuple, counts))}\n")
    write(f"{soak.n_reads} reads, {len(soak.torn)} torn\n")
    soak.stack.stop_workers()
    soak.stack.check()
    submitted = set(soak.job_ids)
    stored = {row.id for row in rows("select id from jobs")}
    assert submitted <= stored, f"lost: {submitted - stored}"
    assert soak.torn == []
    write("all promises held\n")


if __name__ == "__main__":
    main()
