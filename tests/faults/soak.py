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
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.disks import mount_disk, unmount_disk
from tests.faults.injections import Injector, Target, start_of
from tests.faults.invariants import ALWAYS, AT_THE_END, Reader, contradictions
from tests.faults.stack import MODES, Stack, open_stack
from tests.faults.traffic import (
    ALL_OPERATIONS,
    PROTOCOL_OPERATIONS,
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
# If there is no progress for this time, a job that has not ended counts as lost.
PATIENCE_SECONDS = 600
# Faults that restart a worker are rare, because hardly any job runs during a restart.
ALL_FAULTS = {
    **{"reach_worker_step": 26, "reach_api_step": 8, "delay_finish": 2, "outlive_finish": 2},
    **{"lose_answer_to_finish": 3, "kill_after_finish": 1, "kill_api_after_submit": 1},
    **{"kill_work": 12, "kill_pool_process": 6, "kill_server": 2, "kill_worker": 1, "stop_worker": 1},
    **{"freeze_worker": 2, "freeze_process": 8, "kill_api": 1, "stop_api": 1, "freeze_api": 3},
    **{"cut_clients": 5, "break_answer": 5, "leave": 8, "cut_sessions": 5, "cut_database": 6},
    **{"half_close_database": 3, "stall_database": 3, "cut_commit": 8, "stop_database": 1},
    **{"kill_database_process": 1, "freeze_database": 2, "lose_messages": 4, "double_messages": 4},
    **{"send_junk": 4, "reject_writes": 2, "exhaust_broker": 2, "cut_broker": 4, "stall_broker": 2},
    **{"kill_broker": 1, "fill_disk": 3, "kill_everything": 1},
}
# Faults at the steps that the protocol of leases and tokens protects. `make mutants` uses them.
PROTOCOL_FAULTS = {
    **{"delay_finish": 6, "outlive_finish": 6, "lose_answer_to_finish": 9, "kill_after_finish": 3},
    **{"kill_api_after_submit": 4},
}
# Each choice of faults with the operations of the callers and the number of workers.
FAULTS = {"all": (ALL_FAULTS, ALL_OPERATIONS, 2), "protocol": (PROTOCOL_FAULTS, PROTOCOL_OPERATIONS, 1)}
# The idempotency key of a request is a label of its job, or the name of its dataset.
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

    def run(self, seconds: float, faults: dict[str, int]) -> None:
        """Inject faults for a number of seconds, then wait until all jobs have ended and check everything."""
        for thread in (*self.callers, self.http_reader):
            thread.start()
        with self.reader:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                self.injector.inject(faults)
                self.injector.recover(time.monotonic())
                self._check_now()
                time.sleep(self.injector.random.uniform(0.05, 0.35))
            self.injector.end()
            self._settle()
        self._check_end()

    def _settle(self) -> None:
        """Wait until the service has recovered, all callers have an answer, and all jobs have ended."""
        began = time.monotonic()
        until(lambda: self.stack.rows("select 1"), "I5: the database responds")
        until(self.injector.target.api.is_live, "I5: the API responds")
        for caller in self.callers:
            caller.is_stopped.set()
        for caller in self.callers:
            caller.join(PATIENCE_SECONDS)
            if caller.is_alive():
                raise Violation(f"I5: {caller.name} has no answer")
        n_open, since = -1, time.monotonic()
        while (n := self._count_open()) != 0:
            if n != n_open:
                n_open, since = n, time.monotonic()
            if time.monotonic() - since > PATIENCE_SECONDS:
                raise Violation(f"I1: {n} jobs have not ended")
            self._check_now()
            self.injector.recover(time.monotonic())
            time.sleep(0.2)
        self.http_reader.is_stopped.set()
        self.http_reader.join(PATIENCE_SECONDS)
        write(f"all jobs had ended {time.monotonic() - began:.1f} s after the last fault")

    def _count_open(self) -> int:
        try:
            n: int = self.stack.rows("select count(*) from jobs where state in ('queued', 'running')")[0][0]
        except Unavailable:
            return -2
        return n

    def count_answers(self) -> int:
        """Return the number of successful responses to the callers."""
        return sum(caller.client.statuses[status] for caller in self.callers for status in (200, 201, 202))

    def stop(self) -> None:
        """Stop all threads, before their connections are closed."""
        for thread in (*self.callers, self.http_reader):
            thread.is_stopped.set()
            if thread.ident is not None:
                thread.join(PATIENCE_SECONDS)

    def _check_now(self) -> None:
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
        n_faults = sum(self.injector.faults.values())
        write(f"{n_faults} faults of {len(self.injector.faults)} kinds")
        for name, n in sorted(self.injector.faults.items()):
            write(f"  {n:5d} {name}")
        for name, query in SUMMARIES.items():
            write(f"{name}: {dict(map(tuple, self.stack.rows(query)))}")
        write(f"operations: {dict(sorted(self.ledger.operations.items()))}")
        statuses = sum((caller.client.statuses for caller in self.callers), self.http_reader.client.statuses)
        write(f"responses by status: {dict(sorted(statuses.items()))}")
        write(f"{self.ledger.n_reads} downloads and {self.reader.n_reads} files compared with their digests")
        write(f"{self.reader.n_checks} checks of all rows during the run")


LINES: list[str] = []


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
        ledger = Ledger()
        subjects = make_subjects(stack)
        port = target.api_proxy.port
        callers = [Caller(stack.client(port), subjects, ledger, seed * 100 + i) for i in range(N_CALLERS)]
        http_reader = HttpReader(stack.client(port), ledger, seed)
        yield Soak(
            stack, Injector(target, seed), callers, http_reader, Reader(stack, {**ALWAYS, **KEYS}), ledger
        )


def start_target(
    stack: Stack, servers: tuple[PrivatePostgres, PrivateValkey], disks: list[Path], n_workers: int
) -> Target:
    """Start the API and the workers, which reach the database and the broker through proxies."""
    database_proxy, database_url = stack.proxy_database()
    broker_proxy, broker_url = stack.proxy_broker()
    through = {"database_url": database_url, **({"redis_url": broker_url} if stack.uses_broker else {})}
    workers = [stack.launch_worker(**through, worker_concurrency=4 // n_workers) for _ in range(n_workers)]
    api = stack.start_api(**through)
    until(lambda: stack.rows("select count(*) from workers")[0][0] == n_workers, "workers are ready")
    _, key = create_api_key(stack.resources, stack.project_id, "faults")
    proxies = (database_proxy, broker_proxy, stack.proxy_api())
    return Target(stack, workers, api, *servers, *proxies, key, disks)


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
                write(f"{sum(soak.injector.faults.values())} faults before the violation")
                keep_logs(folder, arguments)
            finally:
                soak.injector.end()
                soak.stop()
    write(f"load {os.getloadavg()[0]:.1f} at the end, {time.monotonic() - began:.0f} s in total")
    write(
        "all invariants held: 0 jobs lost, 0 doubled, 0 reads torn"
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
    has_held = run_soak(arguments)
    if arguments.output is not None:
        arguments.output.parent.mkdir(parents=True, exist_ok=True)
        arguments.output.write_text("\n".join(LINES) + "\n")
    return 0 if has_held else 1


if __name__ == "__main__":
    sys.exit(main())
