"""Use the service over HTTP while random faults hit every part of it.

    make soak MINUTES=10 SEED=1
    python -m tests.faults.soak --minutes 10 --seed 1

Callers use all kinds of jobs and both kinds of uploads, and repeat their requests as the documentation
recommends. Two permanent readers compare files with their digests and check the invariants that must hold at
any time. At the end, all invariants are checked. The soak ends at the first violation or when all checks are
done. No step waits without a time limit. The seed determines the order of the faults and operations. Their
effects depend on the machine.
"""

from __future__ import annotations

import argparse
import os
import random
import secrets
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.disks import mount_disk, unmount_disk
from tests.faults.injections import Injector, start_of
from tests.faults.invariants import ALWAYS, AT_THE_END, Reader, contradictions
from tests.faults.pace import QuietClock
from tests.faults.stack import MODES, Stack, open_stack
from tests.faults.stale_attempts import StaleAttempts
from tests.faults.target import Target
from tests.faults.traffic import (
    ALL_OPERATIONS,
    PROTOCOL_OPERATIONS,
    SHARD_ROWS,
    Caller,
    HttpReader,
    Ledger,
    Subjects,
    table_bytes,
)
from tests.faults.workers import is_alive, until
from understudy import ids
from understudy.embedded.servers import PrivatePostgres, PrivateValkey
from understudy.errors import Unavailable
from understudy.services.api_keys import create_api_key

N_CALLERS = 5
DISK_MEBIBYTES = 256
# Faults injected per minute, if the machine is fast enough.
FAULTS_PER_MINUTE = 120
# It is a violation if a request has no response, or if jobs make no progress, for this time in seconds.
# `QuietClock` measures the time. A request can wait for two starts of the API and the database (5 s each). It
# can then wait for its idempotency key, which a killed API reserves for 30 s. A job can wait for an idle
# transaction to end (10 s), for its lease (3 s), for the start of a worker (5 s), and for the jobs ahead of
# it.
PATIENCE_SECONDS = 60
# Maximum time in seconds until a stopped thread ends.
STOP_SECONDS = 60
# Faults that restart a process have low weights, because few jobs run during a restart. Without a broker, the
# soak injects no broker faults.
BROKER_FAULTS = {
    **{"lose_messages": 8, "double_messages": 8, "send_junk": 8, "reject_writes": 3, "exhaust_broker": 3},
    **{"cut_broker": 8, "stall_broker": 3, "delay_broker": 8, "kill_broker": 1},
}
ALL_FAULTS = {
    **{"reach_worker_step": 30, "reach_api_step": 12, "lose_answer_to_finish": 4, "kill_after_finish": 2},
    **{"kill_api_after_submit": 1, "kill_work": 6, "kill_pool_process": 3, "kill_server": 1},
    **{"kill_worker": 1, "stop_worker": 1, "freeze_worker": 1, "freeze_process": 12, "kill_api": 1},
    **{"stop_api": 1, "freeze_api": 8, "cut_clients": 16, "break_answer": 16, "leave": 12},
    **{"leave_after_request": 16, "delay_clients": 12, "cut_sessions": 3, "cut_database": 4},
    **{"half_close_database": 2, "stall_database": 2, "delay_database": 12, "cut_commit": 10},
    **{"stop_database": 1, "kill_database_process": 1, "freeze_database": 3, "fill_disk": 4},
    "kill_everything": 1,
    **BROKER_FAULTS,
}
# Faults at the steps that leases and tokens protect. `make mutants` uses these faults and stale attempts.
PROTOCOL_FAULTS = {"lose_answer_to_finish": 1, "kill_after_finish": 1, "kill_api_after_submit": 1}
# For each choice of faults: the faults, the callers' operations and the number of workers.
FAULTS = {"all": (ALL_FAULTS, ALL_OPERATIONS, 2), "protocol": (PROTOCOL_FAULTS, PROTOCOL_OPERATIONS, 1)}
# The callers use the idempotency key of a request as a label of the job or as the name of the dataset.
KEYS = {
    "I2: a key with several jobs": """
        select labels->>'key' from jobs where labels->>'key' is not null group by 1 having count(*) > 1""",
    "I2: a key with several datasets": """
        select d.name from datasets d join jobs j on j.id = d.job_id
        where j.kind = 'ingest' and d.name like 'k%' group by 1 having count(*) > 1""",
}
SUMMARIES = {
    "jobs by kind": "select kind, count(*) from jobs group by 1 order by 1",
    "jobs by state": "select state, count(*) from jobs group by 1 order by 1",
    "errors of jobs": "select error_code, count(*) from jobs where error_code <> '' group by 1 order by 1",
    "attempts by outcome": "select outcome, count(*) from job_attempts group by 1 order by 1",
}


class Violation(Exception):
    """An invariant is broken."""


@dataclass
class Soak:
    """A run of the soak."""

    stack: Stack
    injector: Injector
    callers: list[Caller]
    http_reader: HttpReader
    reader: Reader
    ledger: Ledger
    stale_attempts: StaleAttempts
    clock: QuietClock

    def run(self, seconds: float, faults: dict[str, int]) -> None:
        """Inject faults for a number of seconds, then wait until all jobs have ended and check everything."""
        for thread in self._threads():
            thread.start()
        with self.reader:
            began = time.monotonic()
            end = began + seconds
            while time.monotonic() < end:
                if self.count_faults() < FAULTS_PER_MINUTE / 60 * (time.monotonic() - began):
                    self.injector.inject(faults)
                self.injector.recover(time.monotonic())
                self._check_now()
                time.sleep(self.injector.random.uniform(0.02, 0.2))
            self.stale_attempts.is_stopped.set()
            self.stale_attempts.join(STOP_SECONDS)
            self.injector.end()
            self._settle()
        self._check_end()

    def _settle(self) -> None:
        """Wait until the service has recovered, all callers have a response, and all jobs have ended."""
        began, began_quiet = time.monotonic(), self.clock.seconds()
        until(lambda: self.stack.rows("select 1"), "I5: the database responds")
        until(self.injector.target.api.is_live, "I5: the API responds")
        for caller in self.callers:
            caller.is_stopped.set()
        # An upload in parts sends several requests. The loop ends, because each of them ends or becomes a
        # violation.
        while any(caller.is_alive() for caller in self.callers):
            self._check_now()
            self.injector.recover(time.monotonic())
            time.sleep(0.2)
        n_open, since = -1, self.clock.seconds()
        while (n := self._count_open()) != 0:
            if n != n_open:
                n_open, since = n, self.clock.seconds()
            if self.clock.seconds() - since > PATIENCE_SECONDS:
                raise Violation(f"I1: {n} jobs have not ended")
            self._check_now()
            self.injector.recover(time.monotonic())
            time.sleep(0.2)
        self.http_reader.is_stopped.set()
        self.http_reader.join(STOP_SECONDS)
        seconds, quiet_seconds = time.monotonic() - began, self.clock.seconds() - began_quiet
        write(
            f"all jobs had ended {seconds:.1f} s after the last fault"
            f" ({quiet_seconds:.1f} s adjusted for the load)"
        )

    def _count_open(self) -> int:
        try:
            n: int = self.stack.rows("select count(*) from jobs where state in ('queued', 'running')")[0][0]
        except Unavailable:
            return -2
        return n

    def count_answers(self) -> int:
        """Return the number of successful responses to the callers."""
        return sum(caller.client.statuses[status] for caller in self.callers for status in (200, 201, 202))

    def count_faults(self) -> int:
        """Return the number of faults that have taken effect."""
        return sum(self.injector.faults.values()) + sum(self.stale_attempts.counts.values())

    def stop(self) -> None:
        """Stop all threads. Call this method before their connections are closed."""
        for thread in self._threads():
            thread.is_stopped.set()
        for caller in self.callers:
            # Do not repeat a request that has no response yet.
            caller.client.patience = 0
        for thread in self._threads():
            if thread.ident is not None:
                thread.join(STOP_SECONDS)

    def _threads(self) -> list[Caller | HttpReader | StaleAttempts]:
        return [*self.callers, self.http_reader, self.stale_attempts]

    def _check_now(self) -> None:
        if THREAD_ERRORS:
            raise RuntimeError(f"The soak is incomplete, because threads have failed: {THREAD_ERRORS}")
        clients = [self.http_reader.client, *(caller.client for caller in self.callers)]
        found = [*self.ledger.violations, *self.reader.violations]
        found += [f"I7: {violation}" for client in clients for violation in client.violations]
        if found:
            raise Violation("; ".join(found[:5]))

    def _check_end(self) -> None:
        self._check_now()
        found = contradictions(self.stack, {**AT_THE_END, **KEYS})
        if found:
            raise Violation("; ".join(found))
        stored = {ids.to_text("job", row.id) for row in self.stack.rows("select id from jobs")}
        if lost := set(self.ledger.job_of_key.values()) - stored:
            raise Violation(f"I1: {len(lost)} accepted jobs were lost")
        for worker in self.injector.target.workers:
            self.injector.seen_pids |= {pid: start_of(pid) for pid in worker.tree()}
        statuses = [worker.stop() for worker in self.injector.target.workers]
        if any(statuses):
            raise Violation(f"I6: workers ended with the statuses {statuses}")
        seen = self.injector.seen_pids
        if orphans := [pid for pid, start in seen.items() if is_alive(pid) and start_of(pid) == start]:
            raise Violation(f"I6: the worker processes {orphans} are still running")
        self.injector.target.api.stop()
        self.stack.check()

    def report(self) -> None:
        """Print the numbers of faults, operations, responses, reads and checks."""
        faults = self.injector.faults + self.stale_attempts.counts
        write(f"{faults.total()} faults of {len(faults)} kinds")
        for name, n in sorted(faults.items()):
            write(f"  {n:5d} {name}")
        for name, query in SUMMARIES.items():
            write(f"{name}: {dict(map(tuple, self.stack.rows(query)))}")
        write(f"operations: {dict(sorted(self.ledger.operations.items()))}")
        statuses = sum((caller.client.statuses for caller in self.callers), self.http_reader.client.statuses)
        write(f"responses by status: {dict(sorted(statuses.items()))}")
        write(f"{self.ledger.n_reads} downloads and {self.reader.n_reads} files compared with their digests")
        write(f"{self.reader.n_checks} checks of all rows during the run")


LINES: list[str] = []
# The errors that have ended a thread of this process. A soak without its readers would detect nothing.
THREAD_ERRORS: list[str] = []


def keep_thread_error(arguments: threading.ExceptHookArgs) -> None:
    """Record the error of a thread, and print it."""
    name = arguments.thread.name if arguments.thread is not None else "a thread"
    THREAD_ERRORS.append(f"{name}: {arguments.exc_type.__name__}")
    threading.__excepthook__(arguments)


def write(line: str) -> None:
    """Print a line and keep it for the summary file."""
    LINES.append(line)
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


@contextmanager
def open_soak(folder: Path, seed: int, mode: str, n_workers: int) -> Iterator[Soak]:
    """Start all servers and processes of a soak."""
    with ExitStack() as stack_of:
        disks = [folder / "data" / name for name in ("blobs", "scratch")]
        mounted = [disk for disk in disks if mount_disk(disk, DISK_MEBIBYTES)]
        for disk in mounted:
            stack_of.callback(unmount_disk, disk)
        if not mounted:
            write("no full disks: only root can mount the small disks that are filled")
        postgres, valkey = PrivatePostgres(folder / "postgres"), PrivateValkey(folder / "valkey")
        for server in (postgres, valkey):
            stack_of.callback(server.stop)
            server.start()
        stack = stack_of.enter_context(open_stack(postgres.url, valkey.url, folder, mode))
        target = start_target(stack, (postgres, valkey), mounted, n_workers)
        subjects = make_subjects(stack)
        target.download_path = f"/v1/datasets/{subjects.sample_id}/content?format=csv"
        yield make_soak(stack, target, subjects, seed)


def make_soak(stack: Stack, target: Target, subjects: Subjects, seed: int) -> Soak:
    """Return a soak with callers and readers that access the API through its proxy."""
    ledger, clock, port = Ledger(), QuietClock(), target.api_proxy.port
    callers = [Caller(stack.client(port), subjects, ledger, seed * 100 + i) for i in range(N_CALLERS)]
    for caller in callers:
        caller.client.now, caller.client.patience = clock.seconds, PATIENCE_SECONDS
    return Soak(
        stack,
        Injector(target, seed),
        callers,
        HttpReader(stack.client(port), ledger, seed),
        Reader(stack, {**ALWAYS, **KEYS}),
        ledger,
        StaleAttempts(stack, seed),
        clock,
    )


def start_target(
    stack: Stack, servers: tuple[PrivatePostgres, PrivateValkey], disks: list[Path], n_workers: int
) -> Target:
    """Start the API and the workers, which reach the database and the broker through proxies."""
    database_proxy, database_url = stack.proxy_database()
    broker_proxy, broker_url = stack.proxy_broker()
    through = {"database_url": database_url, **({"redis_url": broker_url} if stack.uses_broker else {})}
    through["sample_shard_rows"] = str(SHARD_ROWS)
    workers = [stack.launch_worker(**through, worker_concurrency=4 // n_workers) for _ in range(n_workers)]
    api = stack.start_api(**through)
    until(lambda: stack.rows("select count(*) from workers")[0][0] == n_workers, "workers are ready")
    _, key = create_api_key(stack.resources, stack.project_id, "faults")
    proxies = (database_proxy, broker_proxy, stack.proxy_api())
    return Target(stack, workers, api, *servers, *proxies, key, disks=disks)


def make_subjects(stack: Stack) -> Subjects:
    """Upload the table that all callers use, train a model and sample from it."""
    client = stack.client()
    dataset_id, job_id = client.upload(table_bytes(random.Random(0), 500))  # noqa: S311 - a table
    client.finish(job_id)
    synthesizer = {"name": "tree_chain", "preset": "fast"}
    (trained,) = client.finish(client.submit("train", dataset_id=dataset_id, synthesizer=synthesizer))
    model_id = trained["result"]["model_id"]
    (sampled,) = client.finish(client.submit("sample", model_id=model_id, n_rows=500))
    return Subjects(dataset_id, model_id, sampled["result"]["dataset_id"])


def run_soak(arguments: argparse.Namespace) -> bool:
    """Run a soak, print the results, and return whether all invariants held."""
    began = time.monotonic()
    seconds = arguments.minutes * 60
    write(f"soak of {arguments.minutes:g} minutes, seed {arguments.seed}, mode {arguments.mode}")
    write(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}")
    with tempfile.TemporaryDirectory(prefix="understudy-soak-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        faults, operations, n_workers = FAULTS[arguments.faults]
        if arguments.mode == "none":
            faults = {name: weight for name, weight in faults.items() if name not in BROKER_FAULTS}
        with open_soak(folder, arguments.seed, arguments.mode, n_workers) as soak:
            for caller in soak.callers:
                caller.operations = operations
            soak.injector.target.count_answers = soak.count_answers
            write(f"started in {time.monotonic() - began:.1f} s")
            broken = None
            try:
                soak.run(seconds, faults)
                soak.report()
            except (Violation, AssertionError) as violation:
                broken = str(violation) or type(violation).__name__
                write(f"FOUND {broken}")
                write(f"{soak.count_faults()} faults before the violation")
                keep_logs(folder, arguments)
            except SystemExit:
                # `mutants` terminates a soak that has found nothing. Its report shows what was tested.
                soak.report()
                raise
            finally:
                soak.injector.end()
                soak.stop()
    write(f"load {os.getloadavg()[0]:.1f} at the end, {time.monotonic() - began:.0f} s in total")
    write(
        "all invariants held: 0 jobs lost, 0 jobs duplicated, 0 torn reads"
        if broken is None
        else f"VIOLATION {broken}"
    )
    return broken is None


def keep_logs(folder: Path, arguments: argparse.Namespace) -> None:
    """Copy the logs of a violation next to the summary."""
    if arguments.output is not None:
        for log in ("worker.log", "api.log"):
            if (folder / log).exists():
                arguments.output.with_suffix(f".{log}").write_bytes((folder / log).read_bytes())


def main() -> int:
    """Run the soak and return the exit status."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--minutes", type=float, default=10)
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--mode", choices=MODES, default="broker")
    parser.add_argument("--faults", choices=FAULTS, default="all")
    parser.add_argument("--output", type=Path, help="file for the summary")
    arguments = parser.parse_args()
    if arguments.seed is None:
        arguments.seed = secrets.randbelow(1_000_000)
    # A terminated soak also stops its servers and unmounts its disks.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    threading.excepthook = keep_thread_error
    has_held = run_soak(arguments)
    if arguments.output is not None:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text("\n".join(LINES) + "\n")
    return 0 if has_held else 1


if __name__ == "__main__":
    sys.exit(main())
