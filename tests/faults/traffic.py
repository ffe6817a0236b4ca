"""Traffic of the soak: threads that use the service over HTTP, and a reader that compares digests."""

from __future__ import annotations

import base64
import hashlib
import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import httpx2

from tests.faults.api import Client, Refused
from understudy.errors import CODES

Json = dict[str, Any]

TERMINAL = ("succeeded", "failed", "cancelled")
N_ROWS_PARTS = 20_000
# Maximum number of rows per shard. This is the smallest value that the setting allows.
SHARD_ROWS = 1_000
PART_BYTES = 64 << 10
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
# The operations of the callers with their weights.
ALL_OPERATIONS = {
    **{"probe": 8, "sample": 8, "sample_in_shards": 2, "train": 4, "impute": 2, "evaluate": 1},
    **{"upload": 4, "upload_in_parts": 2, "cancel": 2, "retry": 4, "delete": 2, "watch": 12},
}
# Operations that store files, for faults at the steps of the protocol.
PROTOCOL_OPERATIONS = {"sample": 10, "upload": 3, "watch": 6}


@dataclass
class Ledger:
    """Accepted jobs, terminal states and downloads, which later responses must not contradict."""

    # The first response to each idempotency key.
    job_of_key: dict[str, str] = field(default_factory=dict)
    open_jobs: set[str] = field(default_factory=set)
    # Terminal states with the time at which they were seen. Only a retry is allowed to change them.
    ended: dict[str, tuple[str, float]] = field(default_factory=dict)
    retried: set[str] = field(default_factory=set)
    datasets: list[str] = field(default_factory=list)
    # The ETag and the content digest of each downloaded dataset.
    contents: dict[str, tuple[str, str]] = field(default_factory=dict)
    operations: Counter[str] = field(default_factory=Counter)
    kinds: Counter[str] = field(default_factory=Counter)
    violations: list[str] = field(default_factory=list)
    n_reads: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, key: str, job: Json) -> None:
        """Record an accepted job."""
        with self.lock:
            earlier = self.job_of_key.setdefault(key, job["id"])
            if earlier != job["id"]:
                self.violations.append(f"I2: the key {key} has the jobs {earlier} and {job['id']}")
            self.open_jobs.add(job["id"])
            self.kinds[job["kind"]] += 1

    def see(self, job: Json, asked_at: float) -> None:
        """Record the state of a job. `asked_at` is the monotonic time at which it was requested."""
        job_id, state = job["id"], job["state"]
        with self.lock:
            before, seen_at = self.ended.get(job_id, (state, asked_at))
            if before != state and asked_at > seen_at and job_id not in self.retried:
                self.violations.append(f"I2: {job_id} was {before} and is {state}")
            if state in TERMINAL:
                self.ended[job_id] = (state, time.monotonic())
                self.open_jobs.discard(job_id)
            code = (job.get("error") or {}).get("code")
            if code == "internal_error" or (code is not None and code not in CODES):
                self.violations.append(f"I7: {job_id} failed with {code}")


@dataclass(frozen=True)
class Subjects:
    """The dataset, the model trained on it, and the sample from this model that all callers use."""

    dataset_id: str
    model_id: str
    sample_id: str


class Caller(threading.Thread):
    """A caller that performs random operations until it is stopped."""

    def __init__(self, client: Client, subjects: Subjects, ledger: Ledger, seed: int) -> None:
        super().__init__(name=f"caller-{seed}", daemon=True)
        self.client = client
        self.random = random.Random(seed)  # noqa: S311 - repeatable, not secret
        self.is_stopped = threading.Event()
        self.n_open_max = 12
        self.operations = ALL_OPERATIONS
        self._deck: list[str] = []
        self._subjects = subjects
        self._ledger = ledger

    def run(self) -> None:
        """Perform operations. Some can be refused, for example a cancellation after the end of a job."""
        while not self.is_stopped.wait(self.random.uniform(0.02, 0.25)):
            operation = self._choose()
            self._ledger.operations[operation.__name__] += 1
            try:
                if not self.is_stopped.is_set():
                    operation()
            except Refused as refusal:
                self._ledger.operations[f"refused {refusal.code}"] += 1
            except TimeoutError as error:
                self._ledger.violations.append(f"I5: {error}")

    def _choose(self) -> Callable[[], None]:
        if len(self._ledger.open_jobs) >= self.n_open_max:
            return self.watch
        # The weight of an operation is its number of occurrences in each round, so no operation is missing.
        if not self._deck:
            self._deck = [name for name, weight in self.operations.items() for _ in range(weight)]
            self.random.shuffle(self._deck)
        operation: Callable[[], None] = getattr(self, self._deck.pop())
        return operation

    def _submit(self, kind: str, **parameters: Any) -> None:
        key = f"k{self.random.getrandbits(96):024x}"
        body = {"kind": kind, "labels": {"key": key}, **parameters}
        self._ledger.accept(key, self.client.send("POST", "/v1/jobs", key=key, json=body))

    def probe(self) -> None:
        """Submit a job that only waits."""
        self._submit("probe", seconds=round(self.random.uniform(0, 1), 2))

    def sample(self) -> None:
        """Submit a sampling job."""
        self._submit("sample", model_id=self._subjects.model_id, n_rows=SHARD_ROWS)

    def sample_in_shards(self) -> None:
        """Submit a sampling job that the workers split into shards."""
        self._submit("sample", model_id=self._subjects.model_id, n_rows=3 * SHARD_ROWS)

    def train(self) -> None:
        """Submit a training job."""
        synthesizer = {"name": "independent"}
        self._submit("train", dataset_id=self._subjects.dataset_id, synthesizer=synthesizer)

    def impute(self) -> None:
        """Submit an imputation job."""
        self._submit("impute", model_id=self._subjects.model_id, dataset_id=self._subjects.dataset_id)

    def evaluate(self) -> None:
        """Submit an evaluation job."""
        sample_id = self._subjects.sample_id
        self._submit("evaluate", dataset_id=self._subjects.dataset_id, synthetic_dataset_id=sample_id)

    def upload(self) -> None:
        """Upload a small table."""
        key = f"k{self.random.getrandbits(96):024x}"
        body = self.client.send(
            "POST",
            f"/v1/datasets?name={key}",
            key=key,
            content=table_bytes(self.random, 200),
            headers={"Content-Type": "text/csv"},
        )
        self._ledger.accept(key, body["job"])
        self._ledger.datasets.append(body["dataset"]["id"])

    def upload_in_parts(self) -> None:
        """Upload a table in parts, in random order."""
        key = f"k{self.random.getrandbits(96):024x}"
        data = table_bytes(self.random, N_ROWS_PARTS)
        file = {"filename": f"{key}.csv", "size_bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        opened = self.client.send(
            "POST", "/v1/uploads", key=f"{key}-start", json={"files": [file], "part_bytes": PART_BYTES}
        )
        size, numbers = opened["part_bytes"], list(range(1, opened["n_parts"] + 1))
        self.random.shuffle(numbers)
        for number in numbers:
            part = data[(number - 1) * size : number * size]
            digest = base64.b64encode(hashlib.sha256(part).digest()).decode()
            headers = {"Content-Digest": f"sha-256=:{digest}:", "Content-Type": "application/octet-stream"}
            path = f"/v1/uploads/{opened['id']}/parts/{number}"
            self.client.send("PUT", path, content=part, headers=headers)
        body = self.client.send("POST", f"/v1/uploads/{opened['id']}/complete", key=f"{key}-end")
        self._ledger.accept(key, body["job"])
        self._ledger.datasets.append(body["dataset"]["id"])

    def cancel(self) -> None:
        """Cancel a job."""
        with self._ledger.lock:
            unended = sorted(self._ledger.open_jobs)
        if unended:
            job_id = self.random.choice(unended)
            asked_at = time.monotonic()
            self._ledger.see(self.client.send("POST", f"/v1/jobs/{job_id}/cancel"), asked_at)

    def retry(self) -> None:
        """Retry a failed or cancelled job."""
        with self._ledger.lock:
            failed = [job_id for job_id, (state, _) in self._ledger.ended.items() if state != "succeeded"]
            if not failed:
                return
            job_id = self.random.choice(failed)
            self._ledger.retried.add(job_id)
            del self._ledger.ended[job_id]
        self.client.send("POST", f"/v1/jobs/{job_id}/retry")
        self._ledger.open_jobs.add(job_id)

    def delete(self) -> None:
        """Delete an uploaded dataset. A repeated request gets 404."""
        if self._ledger.datasets:
            dataset_id = self._ledger.datasets.pop(0)
            self.client.send("DELETE", f"/v1/datasets/{dataset_id}?cascade=true")

    def watch(self) -> None:
        """Read the states of the newest jobs and of one job that is still open."""
        asked_at = time.monotonic()
        for job in self.client.send("GET", "/v1/jobs?limit=20")["data"]:
            if job["id"] in self._ledger.job_of_key.values():
                self._ledger.see(job, asked_at)
        with self._ledger.lock:
            unended = sorted(self._ledger.open_jobs)
        if unended:
            asked_at = time.monotonic()
            self._ledger.see(self.client.job(self.random.choice(unended)), asked_at)


def table_bytes(rng: random.Random, n_rows: int) -> bytes:
    """Return a CSV file with random content."""
    salt = rng.getrandbits(32)
    return b"a,b\n" + b"".join(b"%d,x%d\n" % (n + salt % 1000, n % 7) for n in range(n_rows))


class HttpReader(threading.Thread):
    """A permanent reader of downloads, which compares each with its digest and with earlier downloads."""

    def __init__(self, client: Client, ledger: Ledger, seed: int) -> None:
        super().__init__(name="http-reader", daemon=True)
        self.client = client
        self.is_stopped = threading.Event()
        self._ledger = ledger
        self._random = random.Random(seed)  # noqa: S311 - repeatable, not secret

    def run(self) -> None:
        """Read until stopped."""
        while not self.is_stopped.wait(0.05):
            page = self.client.once("GET", "/v1/datasets?state=ready&limit=30")
            if page is None or not page.is_success:
                continue
            for dataset in self._random.sample(page.json()["data"], min(5, len(page.json()["data"]))):
                self._read(dataset["id"])

    def _read(self, dataset_id: str) -> None:
        response = self.client.once("GET", f"/v1/datasets/{dataset_id}/content")
        if response is None or not response.is_success:
            return
        self._ledger.n_reads += 1
        fault = self._fault(dataset_id, response)
        if fault is not None:
            self._ledger.violations.append(f"I3: {dataset_id} {fault}")

    def _fault(self, dataset_id: str, response: httpx2.Response) -> str | None:
        etag, digest = response.headers["ETag"].strip('"'), hashlib.sha256(response.content).hexdigest()
        # The API joins the shards of a sample while it sends them. The ETag then identifies the shards.
        is_joined = "Accept-Ranges" not in response.headers
        if digest != etag and not is_joined:
            return "differs from its digest"
        if self._ledger.contents.setdefault(dataset_id, (etag, digest)) != (etag, digest):
            return "has changed"
        return None


def leave_during_upload(url: str, key: str, n_bytes: int, *, is_reset: bool) -> None:
    """Send the beginning of an upload, then close or reset the connection."""
    address = urlsplit(url)
    assert address.hostname is not None
    with socket.create_connection((address.hostname, address.port or 80), timeout=5) as connection:
        head = f"POST /v1/datasets HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n"
        head += "Content-Type: text/csv\r\nContent-Length: 100000\r\n\r\n"
        connection.sendall(head.encode() + b"a,b\n" + b"1,2\n" * (n_bytes // 4))
        if is_reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)


def leave_after_request(url: str, key: str, path: str, *, is_reset: bool) -> None:
    """Send a request, then close or reset the connection without reading the response."""
    address = urlsplit(url)
    assert address.hostname is not None
    with socket.create_connection((address.hostname, address.port or 80), timeout=5) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\r\n".encode())
        if is_reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)


TABLE = table_bytes(random.Random(0), 500)  # noqa: S311 - a table
