"""Benchmark a rolling restart: `python -m benchmarks.rolling_restart`.

Clients run 500 short jobs on two API processes and four workers. Meanwhile, every API process and every
worker is replaced once, and the broker is restarted. Jobs arrive in batches, one batch directly before each
of these steps, so every step interrupts running jobs. A client repeats a request for up to a minute before it
counts as failed. All servers listen on the loopback interface or on sockets.
"""

from __future__ import annotations

import argparse
import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx2
from sqlalchemy import text

from understudy.db.migrate import upgrade
from understudy.embedded.servers import PrivatePostgres, PrivateValkey
from understudy.logs import configure_logs
from understudy.resources import Resources, open_resources
from understudy.services.api_keys import USUAL_SCOPES, create_api_key
from understudy.services.projects import create_project
from understudy.settings import Settings

N_JOBS = 500
N_APIS = 2
N_WORKERS = 4
N_CLIENTS = 8
# One step for each API process, each worker and the broker, and one for the jobs after the last restart.
N_STEPS = N_APIS + N_WORKERS + 2
BATCH_SECONDS = 2.0
PROBE_SECONDS = 0.3
N_ROWS = 1000
RETRY_SECONDS = 60.0
PAUSE_SECONDS = 0.2
START_SECONDS = 120.0
TERMINAL = ("succeeded", "failed", "cancelled")
TABLE = "city,age\n" + "".join(f"{('Oslo', 'Rome', 'Lima')[n % 3]},{20 + n % 40}\n" for n in range(300))
RESULTS = Path(__file__).parent / "results"
# HTTP statuses after which a client repeats the request.
RETRIED = (409, 429, 502, 503, 504)

Json = dict[str, Any]


class Client:
    """A client that repeats requests, and counts repetitions and failures."""

    def __init__(self, url: str, key: str) -> None:
        self._http = httpx2.Client(base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=30)
        self.counts: Counter[str] = Counter()

    def send(self, method: str, path: str, **options: Any) -> Json:
        """Send a request until it succeeds. Return an empty object if it does not succeed in time."""
        self.counts["requests"] += 1
        headers = options.pop("headers", {}) | (
            {"Idempotency-Key": str(uuid.uuid4())} if method == "POST" else {}
        )
        give_up_at = time.monotonic() + RETRY_SECONDS
        while time.monotonic() < give_up_at:
            try:
                response = self._http.request(method, path, headers=headers, **options)
            except httpx2.TransportError as error:
                self.counts[f"repeated after {type(error).__name__}"] += 1
            else:
                if response.is_success:
                    body: Json = response.json()
                    return body
                if response.status_code not in RETRIED:
                    break
                self.counts[f"repeated after {response.status_code}"] += 1
            time.sleep(PAUSE_SECONDS)
        self.counts["failed requests"] += 1
        return {}

    def run(self, parameters: Json) -> Json:
        """Create a job and wait for its end."""
        job = self.send("POST", "/v1/jobs", json=parameters)
        while job and job["state"] not in TERMINAL:
            job = self.send("GET", f"/v1/jobs/{job['id']}", headers={"Prefer": "wait=20"})
        return job


class Deployment:
    """The API processes, workers and servers of the benchmarked service."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.postgres = PrivatePostgres(folder / "postgres", durable=False)
        self.valkey = PrivateValkey(folder / "valkey")
        self.postgres.start()
        self.valkey.start()
        upgrade(self.postgres.url)
        with socket.create_server(("127.0.0.1", 0)) as listener:
            self.port: int = listener.getsockname()[1]
        self.environment = {
            "UNDERSTUDY_DATABASE_URL": self.postgres.url,
            "UNDERSTUDY_REDIS_URL": self.valkey.url,
            "UNDERSTUDY_SECRET_KEY": "k" * 32,
            "UNDERSTUDY_DATA_DIR": str(folder / "data"),
            "UNDERSTUDY_PORT": str(self.port),
            "UNDERSTUDY_SHARE_PORT": "true",
            "UNDERSTUDY_WORKER_CONCURRENCY": "1",
            "UNDERSTUDY_API_PAUSE_SECONDS": "1",
        }
        self.resources: Resources = open_resources(
            Settings(
                database_url=self.postgres.url,
                redis_url=self.valkey.url,
                secret_key="k" * 32,
                data_dir=folder / "data",
            )
        )
        self.apis: list[subprocess.Popen[bytes]] = []
        self.workers: list[subprocess.Popen[bytes]] = []

    def start_api(self) -> None:
        """Start an API process and wait until it serves."""
        log = self.folder / f"api-{uuid.uuid4().hex[:6]}.log"
        self.apis.append(self._start("app", log))
        wait_until(lambda: b"Application startup complete" in log.read_bytes())

    def start_worker(self) -> None:
        """Start a worker and wait until it accepts jobs."""
        n_before = self.count("select count(*) from workers where not draining")
        self.workers.append(self._start("workers", self.folder / "workers.log"))
        wait_until(lambda: self.count("select count(*) from workers where not draining") > n_before)

    def restart(self, begin_batch: Callable[[], None]) -> list[int]:
        """Replace all processes one after the other, and return the exit statuses of the old ones."""
        statuses = []
        for processes, start in ((self.apis, self.start_api), (self.workers, self.start_worker)):
            for _ in range(len(processes)):
                start()
                begin_batch()
                old = processes.pop(0)
                old.send_signal(signal.SIGTERM)
                statuses.append(old.wait(120))
        begin_batch()
        self.valkey.stop()
        self.valkey.start()
        return statuses

    def count(self, statement: str) -> int:
        """Return the number that a query returns."""
        with self.resources.sessions() as session:
            return int(session.scalar(text(statement)) or 0)

    def counts(self, statement: str) -> dict[str, int]:
        """Return the names and numbers that a query returns as a dictionary."""
        with self.resources.sessions() as session:
            return {row[0]: row[1] for row in session.execute(text(statement))}

    def close(self) -> None:
        """Stop all processes and servers."""
        for process in self.apis + self.workers:
            process.send_signal(signal.SIGTERM)
        for process in self.apis + self.workers:
            process.wait(120)
        self.resources.close()
        self.valkey.stop()
        self.postgres.stop()

    def _start(self, module: str, log: Path) -> subprocess.Popen[bytes]:
        with log.open("ab") as output:
            return subprocess.Popen(  # noqa: S603 - our own modules
                [sys.executable, "-P", "-m", module],
                env={**os.environ, **self.environment},
                stdout=output,
                stderr=output,
            )


def wait_until(is_so: Any) -> None:
    """Wait until a condition is true, or raise TimeoutError after two minutes."""
    give_up_at = time.monotonic() + START_SECONDS
    while not is_so():
        if time.monotonic() > give_up_at:
            raise TimeoutError("a process did not start")
        time.sleep(0.1)


def main() -> None:
    """Run the jobs, restart everything, and print the counts."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rolling_restart", description=__doc__)
    parser.add_argument(
        "--write-results", action="store_true", help="write a dated file to benchmarks/results"
    )
    arguments = parser.parse_args()
    configure_logs("error")
    with tempfile.TemporaryDirectory() as folder:
        deployment = Deployment(Path(folder))
        try:
            figures = measure(deployment)
        finally:
            deployment.close()
    print(json.dumps(figures, indent=1))
    if arguments.write_results:
        target = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-rolling_restart.json"
        target.write_text(json.dumps(figures, indent=1) + "\n")
    sys.exit(figures["failed requests"] + figures["jobs"].get("failed", 0) > 0)


def measure(deployment: Deployment) -> Json:
    """Return the counts of requests, jobs and attempts."""
    for _ in range(N_APIS):
        deployment.start_api()
    for _ in range(N_WORKERS):
        deployment.start_worker()
    project = create_project(deployment.resources, "benchmark")
    _, key = create_api_key(deployment.resources, project.id, "benchmark", USUAL_SCOPES)
    client = Client(f"http://127.0.0.1:{deployment.port}", key)
    model_id = _train(client)
    parameters = [_parameters(number, model_id) for number in range(N_JOBS)]
    began = time.monotonic()
    allowed = threading.Semaphore(0)

    def begin_batch() -> None:
        allowed.release(N_JOBS // N_STEPS)
        # Give the jobs of the batch time to start.
        time.sleep(BATCH_SECONDS)

    def run(body: Json) -> Json:
        allowed.acquire()
        return client.run(body)

    with ThreadPoolExecutor(N_CLIENTS) as pool:
        jobs = pool.map(run, parameters)
        statuses = deployment.restart(begin_batch)
        allowed.release(N_JOBS)
        states = Counter(job.get("state", "unknown") for job in jobs)
    outcomes = deployment.counts("select coalesce(outcome, 'open'), count(*) from job_attempts group by 1")
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "jobs": dict(states),
        "failed requests": client.counts["failed requests"],
        "requests": dict(client.counts),
        "attempts": outcomes,
        "crashes": deployment.count("select sum(crashes) from jobs"),
        "exit statuses of replaced processes": statuses,
        "seconds": round(time.monotonic() - began, 1),
    }


def _train(client: Client) -> str:
    uploaded = client.send("POST", "/v1/datasets", content=TABLE, headers={"Content-Type": "text/csv"})
    client.send("GET", f"/v1/jobs/{uploaded['job']['id']}", headers={"Prefer": "wait=60"})
    dataset_id = uploaded["dataset"]["id"]
    trained = client.run({"kind": "train", "dataset_id": dataset_id, "synthesizer": {"name": "independent"}})
    model_id: str = trained["result"]["model_id"]
    return model_id


def _parameters(number: int, model_id: str) -> Json:
    if number % 5 == 0:
        return {"kind": "sample", "model_id": model_id, "n_rows": N_ROWS}
    return {"kind": "probe", "seconds": PROBE_SECONDS}


if __name__ == "__main__":
    main()
