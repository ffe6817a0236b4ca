"""Callers that send requests during a fault and check each response: its status, body and duration."""

from __future__ import annotations

import secrets
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx2

from tests.faults.api import PATIENCE_SECONDS, Client
from tests.faults.traffic import TABLE

# Maximum duration of a request on a quiet machine, in seconds, even if the database does not respond.
RESPONSE_SECONDS_MAX = 2.0
# Timeout of the clients in seconds. It is longer than the maximum duration, because the processes wait for a
# core on a busy machine.
BUSY_SECONDS = 60.0
# Status of a repeated request while the interrupted request still reserves its idempotency key.
KEY_IN_PROGRESS = 409


@dataclass
class Findings:
    """The responses to all callers, and the violations among them."""

    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)
    # The ID of the accepted job by idempotency key.
    job_of_key: dict[str, str] = field(default_factory=dict)
    limit_seconds: float = RESPONSE_SECONDS_MAX
    # The longest duration of a request, excluding the time that its threads waited for a core.
    longest_seconds: float = 0.0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def __str__(self) -> str:
        statuses = ", ".join(f"{n} x {status or 'none'}" for status, n in sorted(self.statuses.items()))
        return f"responses {statuses}; longest duration {self.longest_seconds:.2f} s"

    def add(self, name: str, response: httpx2.Response | None, error: str, seconds: float) -> None:
        """Check a response, or record that there was none."""
        fault = fault_of(response) if response is not None else f"no response: {error}"
        if seconds > self.limit_seconds:
            fault = fault or f"{seconds:.2f} s on a core"
        with self.lock:
            self.statuses[0 if response is None else response.status_code] += 1
            self.longest_seconds = max(self.longest_seconds, seconds)
            self.faults += [f"{name}: {fault}"] if fault else []


def fault_of(response: httpx2.Response) -> str | None:
    """Return the reason why a response is not allowed during a fault, or None if it is allowed."""
    status = response.status_code
    if status < 400:
        return None
    content = response.json() if "problem+json" in response.headers.get("Content-Type", "") else {}
    if content.get("status") != status:
        return f"{status} without a problem body: {response.text[:200]}"
    if status in (503, KEY_IN_PROGRESS) and "Retry-After" not in response.headers:
        return f"{status} without Retry-After"
    is_allowed = status in (503, 507) or content["code"] == "idempotency_in_progress"
    return None if is_allowed else f"{status} {response.text[:200]}"


class PersistentCaller(threading.Thread):
    """A caller that submits jobs, uploads tables and lists jobs until it is stopped.

    It then repeats the requests that have not succeeded.
    """

    def __init__(self, client: Client, findings: Findings, pid: int, pause_seconds: float) -> None:
        super().__init__(name="caller", daemon=True)
        self._pause_seconds = pause_seconds
        self.is_stopped = threading.Event()
        self._client = client
        self._findings = findings
        self._pid = pid
        self._keys = {"submit": secrets.token_hex(8), "upload": secrets.token_hex(8)}

    def run(self) -> None:
        """Send requests. Each create request is repeated with the same key until it succeeds."""
        while not self.is_stopped.wait(self._pause_seconds):
            self._create("submit")
            self._create("upload")
            self._send("list", "GET", "/v1/jobs")
        ends_at = time.monotonic() + PATIENCE_SECONDS
        while self._keys and time.monotonic() < ends_at:
            self._create(next(iter(self._keys)))
            time.sleep(self._pause_seconds)
        with self._findings.lock:
            self._findings.faults += [f"{name}: never succeeded" for name in self._keys]

    def _create(self, name: str) -> None:
        if name not in self._keys:
            return
        key = self._keys[name]
        headers = {"Idempotency-Key": key}
        if name == "submit":
            response = self._send(name, "POST", "/v1/jobs", headers=headers, json={"kind": "probe"})
        else:
            headers["Content-Type"] = "text/csv"
            path = f"/v1/datasets?name={key}"
            response = self._send(name, "POST", path, headers=headers, content=TABLE)
        if response is None or not response.is_success:
            return
        body = response.json()
        self._findings.job_of_key[key] = body["job"]["id"] if name == "upload" else body["id"]
        del self._keys[name]
        if not self.is_stopped.is_set():
            self._keys[name] = secrets.token_hex(8)

    def _send(self, name: str, method: str, path: str, **options: Any) -> httpx2.Response | None:
        clock = CoreClock(self._pid)
        response = self._client.once(method, path, timeout=BUSY_SECONDS, **options)
        self._findings.add(name, response, self._client.last_error, clock.seconds())
        return response


class Callers:
    """Callers that send requests while the block runs.

    Parameters
    ----------
    clients : list of Client
        One client per caller.
    pid : int
        The process that handles the requests.
    pause_seconds : float
        The time that each caller pauses between two rounds of requests.
    limit_seconds : float
        Maximum duration of a request.
    """

    def __init__(
        self,
        clients: list[Client],
        pid: int,
        pause_seconds: float,
        limit_seconds: float = RESPONSE_SECONDS_MAX,
    ) -> None:
        self.findings = Findings(limit_seconds=limit_seconds)
        self._threads = [PersistentCaller(client, self.findings, pid, pause_seconds) for client in clients]

    def __enter__(self) -> Findings:
        for thread in self._threads:
            thread.start()
        return self.findings

    def __exit__(self, *_: object) -> None:
        for thread in self._threads:
            thread.is_stopped.set()
        for thread in self._threads:
            thread.join()


def is_normal(client: Client, findings: Findings) -> bool:
    """Return whether a new job is accepted and succeeds.

    Its priority places it before the jobs that were queued during the fault.
    """
    key = secrets.token_hex(8)
    body = {"kind": "probe", "priority": 100}
    response = client.once("POST", "/v1/jobs", headers={"Idempotency-Key": key}, json=body)
    if response is None or not response.is_success:
        return False
    findings.job_of_key[key] = response.json()["id"]
    return bool(client.finish(response.json()["id"])[0]["state"] == "succeeded")


class CoreClock:
    """A clock that measures the duration of a request, excluding the time that its threads wait for a core.

    On a busy machine, a request takes longer even if the service works correctly. The kernel counts the time
    that a thread spends on a run queue.

    Parameters
    ----------
    pid : int
        The process that handles the request.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._began = time.monotonic()
        self._waited = self._seconds_on_run_queues()

    def seconds(self) -> float:
        """Return the duration so far, in seconds.

        Three threads handle a request in sequence: the thread of the caller, the event loop, and one other
        thread of the process. Their waiting times are subtracted.
        """
        seconds = time.monotonic() - self._began
        waited = {
            task: total - self._waited.get(task, 0.0) for task, total in self._seconds_on_run_queues().items()
        }
        others = [waited.pop(threading.get_native_id(), 0.0), waited.pop(self._pid, 0.0)]
        return seconds - sum(others) - max(waited.values(), default=0.0)

    def _seconds_on_run_queues(self) -> dict[int, float]:
        tasks = [Path(f"/proc/self/task/{threading.get_native_id()}"), *tasks_of(self._pid)]
        waited = {}
        for task in tasks:
            # The second number is the time on a run queue (Linux, Documentation/scheduler/sched-stats.rst).
            with suppress(FileNotFoundError, ProcessLookupError):
                waited[int(task.name)] = int((task / "schedstat").read_text().split()[1]) / 1e9
        return waited


def tasks_of(pid: int) -> list[Path]:
    """Return the folders of the threads of a process, or no folder if the process has ended."""
    try:
        return list(Path(f"/proc/{pid}/task").iterdir())
    except FileNotFoundError:
        return []
