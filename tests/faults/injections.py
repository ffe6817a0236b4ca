"""The faults of the soak. Each method injects one fault, and lasting faults end after a few seconds."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import text

from tests.faults.disks import fill
from tests.faults.proxy import FaultProxy
from tests.faults.stack import Points
from tests.faults.steps import API_STEPS, WORKER_STEPS
from tests.faults.target import Target
from tests.faults.traffic import leave_after_request, leave_during_upload
from tests.faults.workers import WorkerProcess, children_of, command_of, send
from understudy.errors import Unavailable
from understudy.job_queue import QUEUE_NAME

# The lease of the stack, in seconds. A frozen worker stays frozen for a longer time.
LEASE_SECONDS = 3.0
TERMINATE_SESSIONS = (
    "select pg_terminate_backend(pid) from pg_stat_activity"
    " where datname = current_database() and pid <> pg_backend_pid()"
)
# Minimum number of responses between the start of the API and the next fault that ends it.
ANSWERS_MIN = 20
# Worker settings that differ from the stack settings.
WORKER_SETTINGS = ("DATABASE_URL", "REDIS_URL", "WORKER_CONCURRENCY", "SAMPLE_SHARD_ROWS")
FREE_KEYS = "update idempotency_keys set created_at = created_at - interval '1 minute' where status is null"
JUNK = (b"!!!", b"[" * 5_000, b"\xff\x00", b'{"body": 1}')


class Injector:
    """Random faults. The seed determines their order; their effects depend on the machine."""

    def __init__(self, target: Target, seed: int) -> None:
        self.random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.faults: Counter[str] = Counter()
        self.target = target
        # Processes that have belonged to a worker, with their start times.
        self.seen_pids: dict[int, str] = {}
        self._armed: dict[tuple[Points, str], tuple[str, float]] = {}
        self._lasting: list[tuple[float, Callable[[], object]]] = []
        # The times at which stopped servers will be restarted.
        self._start_at: dict[str, float] = {}
        # The next faults, in random order.
        self._deck: list[str] = []
        # The API is not killed before the clients have received this number of responses, because a start can
        # take a minute.
        self._api_killable_after = 0

    def inject(self, weights: dict[str, int]) -> None:
        """Inject a random fault.

        The weight of a fault is its number of occurrences in each round. The order is random, so no seed
        omits a fault.
        """
        if not self._deck:
            self._deck = [name for name, weight in weights.items() for _ in range(weight)]
            self.random.shuffle(self._deck)
        name = self._deck.pop()
        try:
            done = getattr(self, name)()
        # The target of the fault has already ended, or does not respond because of another fault, so no fault
        # is counted.
        except (AssertionError, IndexError, OSError, Unavailable):
            return
        if done is not False:
            self.faults[name] += 1

    def recover(self, now: float) -> None:
        """End the lasting faults whose time is up, and restart the processes that have ended."""
        due = [entry for entry in self._lasting if entry[0] <= now]
        self._lasting = [entry for entry in self._lasting if entry[0] > now]
        for _, end in due:
            end()
        self._count_reached()
        self._revive(now)

    def end(self) -> None:
        """End all faults."""
        # Disarm the failpoints that no process has reached. A process that has just reached a failpoint
        # continues.
        for points, name in self._armed:
            (points.folder / name).unlink(missing_ok=True)
        time.sleep(0.2)
        for _ in range(2):
            self.recover(float("inf"))
        for points, name in self._armed:
            points.free(name)
        self._armed.clear()

    def _for(self, seconds: float, end: Callable[[], object]) -> None:
        self._lasting.append((time.monotonic() + seconds, end))

    def _worker(self) -> WorkerProcess:
        return self.random.choice(self.target.workers)

    # Workers

    def kill_worker(self) -> None:
        """Kill a main process. All other processes of the worker must end by themselves."""
        worker = self._worker()
        self._remember(worker)
        send([worker.pid], signal.SIGKILL)

    def kill_work(self) -> None:
        """Kill the process of a job."""
        send([self.random.choice(self._worker().work_pids())], signal.SIGKILL)

    def kill_server(self) -> None:
        """Kill the warm parent of the job processes."""
        send([self._worker().server_pid()], signal.SIGKILL)

    def kill_pool_process(self) -> None:
        """Kill a process of a pool."""
        send([self.random.choice(self._worker().pool_pids())], signal.SIGKILL)

    def stop_worker(self) -> None:
        """Tell a worker to stop."""
        worker = self._worker()
        self._remember(worker)
        send([worker.pid], signal.SIGTERM)

    def freeze_worker(self) -> None:
        """Freeze a worker until its leases have expired."""
        pids = self._worker().freeze()
        self._for(self.random.uniform(1.1, 2) * LEASE_SECONDS, lambda: send(pids, signal.SIGCONT))

    def freeze_process(self) -> None:
        """Freeze one process of a worker, for a shorter or longer time than the lease."""
        pid = self.random.choice(self._worker().tree())
        send([pid], signal.SIGSTOP)
        # Most freezes are shorter than the lease.
        leases = self.random.choice([0.1, 0.2, 0.5, 1.5])
        self._for(leases * LEASE_SECONDS, lambda: send([pid], signal.SIGCONT))

    def reach_worker_step(self) -> bool:
        """Arm a failpoint of the workers. The fault is counted when a worker reaches it."""
        return self._arm(self.target.stack.worker_points, WORKER_STEPS)

    def lose_answer_to_finish(self) -> bool:
        """Lose the response to the COMMIT of an attempt."""
        return self._arm_one(self.target.stack.worker_points, "finish.after_commit", "raise", 0)

    def kill_after_finish(self) -> bool:
        """Kill a process after the COMMIT of an attempt."""
        return self._arm_one(self.target.stack.worker_points, "finish.after_commit", "kill", 0)

    # API and clients

    def reach_api_step(self) -> bool:
        """Arm a failpoint of the API. The fault is counted when the API reaches it."""
        self._check_api_has_answered()
        return self._arm(self.target.stack.api_points, API_STEPS)

    def kill_api(self) -> None:
        """Kill the API."""
        self._check_api_has_answered()
        self.target.api.kill()

    def stop_api(self) -> None:
        """Tell the API to stop, as a deployment does."""
        self._check_api_has_answered()
        self.target.api.signal(signal.SIGTERM)

    def freeze_api(self) -> None:
        """Freeze the API."""
        api = self.target.api
        api.signal(signal.SIGSTOP)
        self._for(self.random.uniform(0.2, 2), lambda: api.signal(signal.SIGCONT))

    def kill_api_after_submit(self) -> bool:
        """Kill the API after the COMMIT of a job, so that its client gets no response."""
        self._check_api_has_answered()
        return self._arm_one(self.target.stack.api_points, "submit.after_commit", "kill", 0)

    def cut_clients(self) -> bool:
        """Reset all client connections."""
        return self.target.api_proxy.cut() > 0

    def break_answer(self) -> None:
        """Reset the next client connection in the middle of a response."""
        self.target.api_proxy.reset_after_bytes = self.random.randrange(1, 5_000)
        self.target.api_proxy.cut()

    def leave(self) -> None:
        """Disconnect a client in the middle of an upload."""
        url = f"http://127.0.0.1:{self.target.api.port}"
        n_bytes = self.random.choice([0, 4, 50_000, 99_000])
        leave_during_upload(url, self.target.api_key, n_bytes, is_reset=self.random.random() < 0.5)

    def leave_after_request(self) -> None:
        """Send a request, and disconnect before the response arrives."""
        url = f"http://127.0.0.1:{self.target.api.port}"
        path = self.random.choice(["/v1/jobs?limit=100", self.target.download_path])
        leave_after_request(url, self.target.api_key, path, is_reset=self.random.random() < 0.5)

    def delay_clients(self) -> None:
        """Delay all traffic between the clients and the API."""
        self._delay(self.target.api_proxy)

    # Database

    def cut_sessions(self) -> None:
        """Terminate all sessions of the database."""
        with self.target.stack.resources.sessions() as session:
            session.execute(text(TERMINATE_SESSIONS))

    def cut_database(self) -> bool:
        """Reset the connections to the database."""
        return self.target.database_proxy.cut() > 0

    def half_close_database(self) -> bool:
        """Close one direction of the connections to the database."""
        return self.target.database_proxy.half_close() > 0

    def stall_database(self) -> None:
        """Stall all database traffic, for a shorter or longer time than the lease."""
        self.target.database_proxy.stall()
        self._for(self.random.uniform(0.2, 1.5) * LEASE_SECONDS, self.target.database_proxy.resume)

    def delay_database(self) -> None:
        """Delay all traffic to and from the database."""
        self._delay(self.target.database_proxy)

    def cut_commit(self) -> None:
        """Cut the connection before the server receives the next COMMIT, or before its response arrives."""
        self.target.database_proxy.cut_commit = self.random.choice(["request", "response"])

    def stop_database(self) -> bool:
        """Stop the database immediately, and start it again after a moment."""
        if not self.target.postgres.is_running():
            return False
        os.kill(self.target.postgres.pid, signal.SIGQUIT)
        return True

    def kill_database_process(self) -> None:
        """Kill a session's process, so that the database ends all sessions and recovers."""
        backends = [pid for pid in children_of(self.target.postgres.pid) if b"understudy" in command_of(pid)]
        pids = backends or children_of(self.target.postgres.pid)
        send([self.random.choice(pids)], signal.SIGKILL)

    def freeze_database(self) -> None:
        """Freeze the database."""
        pids = [self.target.postgres.pid, *children_of(self.target.postgres.pid)]
        send(pids, signal.SIGSTOP)
        self._for(self.random.uniform(0.2, 3), lambda: send(pids, signal.SIGCONT))

    # Broker

    def lose_messages(self) -> None:
        """Empty the broker."""
        self._broker("flushall")

    def double_messages(self) -> None:
        """Send many more messages than there are jobs."""
        self.target.stack.resources.queue.ring(10)

    def send_junk(self) -> None:
        """Send unreadable messages."""
        self._broker("lpush", QUEUE_NAME, *JUNK)

    def reject_writes(self) -> None:
        """Make the broker read-only for a moment."""
        self._broker("replicaof", "127.0.0.1", "1")
        self._for(1, lambda: self._broker("replicaof", "no", "one"))

    def exhaust_broker(self) -> None:
        """Leave the broker without free memory for a moment."""
        self._broker("config", "set", "maxmemory", "1")
        self._for(1, lambda: self._broker("config", "set", "maxmemory", "0"))

    def cut_broker(self) -> bool:
        """Reset the connections to the broker."""
        return self.target.broker_proxy.cut() > 0

    def stall_broker(self) -> None:
        """Stall all traffic from and to the broker."""
        self.target.broker_proxy.stall()
        self._for(self.random.uniform(0.5, 4), self.target.broker_proxy.resume)

    def delay_broker(self) -> None:
        """Delay all traffic to and from the broker."""
        self._delay(self.target.broker_proxy)

    def kill_broker(self) -> bool:
        """Kill the broker, and start it again after a moment."""
        if not self.target.valkey.is_running():
            return False
        send([self.target.valkey.pid], signal.SIGKILL)
        return True

    # Everything

    def fill_disk(self) -> bool:
        """Fill a disk for a moment."""
        if not self.target.disks:
            return False
        filler = self.random.choice(self.target.disks) / "filler"
        if filler.exists():
            return False
        fill(filler)
        self._for(self.random.uniform(0.3, 2), lambda: filler.unlink(missing_ok=True))
        return True

    def kill_everything(self) -> None:
        """Kill the API, all workers, the broker and the database at once."""
        self._check_api_has_answered()
        for worker in self.target.workers:
            self._remember(worker)
            send([worker.pid], signal.SIGKILL)
        self.target.api.kill()
        send([self.target.valkey.pid, self.target.postgres.pid], signal.SIGKILL)

    def _delay(self, proxy: FaultProxy) -> None:
        proxy.delay_seconds = self.random.uniform(0.01, 0.1)
        self._for(self.random.uniform(0.2, 1), lambda: setattr(proxy, "delay_seconds", 0.0))

    def _broker(self, *words: object) -> None:
        with contextlib.suppress(Exception):  # The broker may be down because of another fault.
            self.target.stack.broker.execute_command(*words)  # type: ignore[no-untyped-call]

    def _arm(self, points: Points, steps: dict[str, tuple[str, ...]]) -> bool:
        step = self.random.choice(list(steps))
        seconds = self.random.uniform(0.2, 1.8) * LEASE_SECONDS
        return self._arm_one(points, step, self.random.choice(steps[step]), seconds)

    def _arm_one(self, points: Points, step: str, action: str, seconds: float) -> bool:
        if points.reserve(step):
            points.arm(step, action, seconds=seconds)
            self._armed[points, step] = (action, seconds)
        return False

    def _count_reached(self) -> None:
        for (points, step), (action, seconds) in list(self._armed.items()):
            if points.is_reached(step):
                self.faults[f"{action} at {step}"] += 1
                del self._armed[points, step]
                if action == "stop":
                    pid = points.pid(step)
                    self._for(seconds, lambda pid=pid: send([pid], signal.SIGCONT))  # type: ignore[misc]
                points.free(step)

    def _remember(self, worker: WorkerProcess) -> None:
        for pid in worker.tree():
            self.seen_pids[pid] = start_of(pid)

    def _revive(self, now: float) -> None:
        target = self.target
        for name, server in (("postgres", target.postgres), ("valkey", target.valkey), ("api", target.api)):
            if server.is_running():
                self._start_at.pop(name, None)
            elif now >= self._start_at.setdefault(name, time.monotonic() + self.random.uniform(0, 2)):
                if server is target.api:
                    self._free_keys()
                    self._api_killable_after = target.count_answers() + ANSWERS_MIN
                server.launch()
        for i, worker in enumerate(target.workers):
            if not worker.is_running():
                names = {name.lower(): f"UNDERSTUDY_{name}" for name in WORKER_SETTINGS}
                settings = {
                    name: worker.environment[variable]
                    for name, variable in names.items()
                    if variable in worker.environment
                }
                target.workers[i] = target.stack.launch_worker(**settings)

    def _check_api_has_answered(self) -> None:
        assert self.target.count_answers() >= self._api_killable_after, (
            "the API has sent too few responses since its start"
        )

    def _free_keys(self) -> None:
        """Release the idempotency keys of a dead API, which otherwise stay reserved for 30 s."""
        with contextlib.suppress(Unavailable), self.target.stack.resources.sessions.begin() as session:
            session.execute(text(FREE_KEYS))


def start_of(pid: int) -> str:
    """Return the start time of a process, which distinguishes it from a later one with the same ID."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(") ", 1)[1].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        return ""
