"""Benchmark other requests during 200 stalled downloads: ``python -m benchmarks.stalled_downloads``.

Clients request a table from an embedded stack on the loopback interface and read nothing. Meanwhile, other
clients read jobs and datasets. The benchmark prints these figures for each format:

- the latency of the other clients before the downloads, while they start, and while they are stalled
- the peak memory of the API
- the numbers of open files and staged files 5 s after the stalled clients have disconnected

``--busy N`` adds N busy processes, which compete with the API for the cores.
"""

from __future__ import annotations

import argparse
import http.client
import json
import multiprocessing
import os
import shutil
import socket
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil

from benchmarks.downloads import Peak, api_process, upload
from benchmarks.stack import MEGABYTE, Stack, percentiles, run_job, running_stack

RESULTS = Path(__file__).parent / "results"
FORMATS = ("parquet", "csv", "xlsx")
N_STALLED = 200
N_ROWS = 300_000
N_CALLERS = 4
PAUSE_SECONDS = 0.01
BEFORE_SECONDS = 10.0
# The API ends a stalled download after 30 s, so this time must be shorter.
STALLED_SECONDS = 20.0
AFTER_SECONDS = 5.0
BURST_SECONDS = 5.0
P99_MS_MAX = 500
MEMORY_MB_MAX = 200

Figures = dict[str, Any]


def main() -> None:
    """Measure each format and print one JSON object for each."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.stalled_downloads", description=__doc__)
    parser.add_argument("--rows", type=int, default=N_ROWS, help="number of rows of the table")
    parser.add_argument("--stalled", type=int, default=N_STALLED, help="number of stalled downloads")
    parser.add_argument("--busy", type=int, default=0, help="number of processes that keep the cores busy")
    parser.add_argument("--formats", nargs="+", default=list(FORMATS))
    parser.add_argument(
        "--write-results", action="store_true", help="write benchmarks/results/DATE-stalled-downloads.json"
    )
    arguments = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="us-", dir="/var/tmp"))
    base.chmod(0o755)
    try:
        with running_stack(base / "data") as stack, busy_processes(arguments.busy):
            dataset_id = upload(stack.client, base, arguments.rows)
            job_id = run_job(stack.client, {"kind": "probe"})["id"]
            paths = [f"/v1/jobs/{job_id}", f"/v1/datasets/{dataset_id}", "/v1/datasets?limit=5", "/v1/jobs"]
            figures = []
            for name in arguments.formats:
                download = f"/v1/datasets/{dataset_id}/content?format={name}"
                measured = measure(stack, base / "data", paths, download, arguments.stalled)
                figures.append({"format": name, "busy_processes": arguments.busy, **measured})
                print(json.dumps(figures[-1]), flush=True)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    if arguments.write_results:
        target = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-stalled-downloads.json"
        target.write_text(json.dumps(figures, indent=1) + "\n")


def measure(stack: Stack, data: Path, paths: list[str], download: str, n_stalled: int) -> Figures:
    """Return the figures of one format."""
    api = api_process(stack)
    figures: Figures = {}
    with Callers(stack, paths) as callers:
        callers.seconds_during(BEFORE_SECONDS / 4)
        figures["before"] = percentiles(callers.seconds_during(BEFORE_SECONDS))
        memory = api.memory_info().rss
        n_files = _n_files(api, data)
        with ExitStack() as connections, Peak(api) as peak:
            clients = [connections.enter_context(_stalled_client(stack, download)) for _ in range(n_stalled)]
            burst = callers.seconds_during(BURST_SECONDS)
            stalled = callers.seconds_during(STALLED_SECONDS - BURST_SECONDS)
            figures["statuses"] = _statuses(clients)
        figures["burst"], figures["stalled"] = percentiles(burst), percentiles(stalled)
        figures["max_ms"] = round(1000 * max(burst + stalled), 1)
        figures["during"] = percentiles(burst + stalled)
        figures["n_requests"] = len(burst + stalled)
        figures["more_memory_mb"] = round((peak.rss - memory) / MEGABYTE)
        callers.seconds_during(AFTER_SECONDS)
        figures["files_left"] = _n_files(api, data) - n_files
        figures["staged_files_left"] = sum(1 for _ in (data / "scratch" / "staging").iterdir())
    figures["load_average"] = round(os.getloadavg()[0], 1)
    is_met = figures["during"]["p99_ms"] < P99_MS_MAX and figures["more_memory_mb"] <= MEMORY_MB_MAX
    return {**figures, "is_met": is_met}


@contextmanager
def _stalled_client(stack: Stack, path: str) -> Iterator[socket.socket]:
    """Request a download with a small receive buffer, and read nothing."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect((stack.client.base_url.host, stack.client.base_url.port))
        head = f"GET {path} HTTP/1.1\r\nHost: x\r\nAuthorization: {stack.client.headers['Authorization']}\r\n"
        connection.sendall(f"{head}\r\n".encode())
        yield connection


def _statuses(clients: list[socket.socket]) -> dict[str, int]:
    """Return the number of clients by response status. A client without a response counts as `none`."""
    counts: dict[str, int] = {}
    for client in clients:
        client.setblocking(False)
        try:
            status = client.recv(12, socket.MSG_PEEK)[9:].decode() or "closed"
        except BlockingIOError:
            status = "none"
        counts[status] = counts.get(status, 0) + 1
    return counts


def _n_files(api: psutil.Process, data: Path) -> int:
    """Return the number of files in the data folder that the API has open, including deleted ones."""
    n_files = 0
    for descriptor in Path(f"/proc/{api.pid}/fd").iterdir():
        try:
            n_files += str(descriptor.readlink()).startswith(str(data))
        except FileNotFoundError:
            continue
    return n_files


class Callers:
    """A context manager that starts clients, which read jobs and datasets until the block ends."""

    def __init__(self, stack: Stack, paths: list[str]) -> None:
        self._stack = stack
        self._paths = paths
        self._seconds: list[float] = []
        self._is_over = threading.Event()
        self._threads = [threading.Thread(target=self._read) for _ in range(N_CALLERS)]

    def __enter__(self) -> Callers:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        for thread in self._threads:
            thread.join()

    def seconds_during(self, seconds: float) -> list[float]:
        """Wait, and return the durations of the requests that end in this time."""
        n_before = len(self._seconds)
        time.sleep(seconds)
        return self._seconds[n_before:]

    def _read(self) -> None:
        client = self._stack.client
        connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port, timeout=60)
        while not self._is_over.wait(PAUSE_SECONDS):
            for path in self._paths:
                began = time.perf_counter()
                connection.request("GET", path, headers={"Authorization": client.headers["Authorization"]})
                response = connection.getresponse()
                response.read()
                assert response.status == 200
                self._seconds.append(time.perf_counter() - began)
        connection.close()


@contextmanager
def busy_processes(n_processes: int) -> Iterator[None]:
    """Keep the cores busy with processes until the block ends."""
    processes = [multiprocessing.Process(target=_compute, daemon=True) for _ in range(n_processes)]
    for process in processes:
        process.start()
    try:
        yield
    finally:
        for process in processes:
            process.terminate()
            process.join()


def _compute() -> None:
    while True:
        pass


if __name__ == "__main__":
    main()
