"""Benchmark live rows through the service: ``python -m benchmarks.live_rows [--data FOLDER] [--rows N]``.

An embedded stack trains `tree_chain` with the preset `fast` on each table. The table `narrow` has three
generated columns. `FOLDER` contains `adult.csv`, `housing.csv` and `diamonds.csv`. One client then requests
live rows on the loopback interface. The very first request also starts the warm parent of the samplers. The
benchmark prints these figures for each table:

- the time from a request to the first byte of its rows, and the CPU time of the sampler for 1,000 rows
- rows per second, and rows per CPU second of the sampler and the API together, in each format
- the peak memory of the API and of the sampler for few and for many rows
"""

from __future__ import annotations

import argparse
import http.client
import json
import os
import shutil
import statistics
import tempfile
import threading
import time
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pyarrow.csv as pacsv

from benchmarks.downloads import api_process
from benchmarks.sharded_samples import narrow_table
from benchmarks.stack import MEGABYTE, Stack, await_job, run_job, running_stack

RESULTS = Path(__file__).parent / "results"
FORMATS = ("arrow", "jsonl", "csv")
TABLES = ("adult", "housing", "diamonds")
N_FIRST_BYTES = 20
N_FEW_ROWS = 200_000
PIECE_BYTES = 1 << 20
LOOK_SECONDS = 0.02

Figures = dict[str, Any]


def main() -> None:
    """Measure live rows and print the figures as JSON."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.live_rows", description=__doc__)
    parser.add_argument("--data", type=Path, help="folder of the tables")
    parser.add_argument("--tables", nargs="+", default=list(TABLES), help="tables of the folder to measure")
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument(
        "--write-results", action="store_true", help="write benchmarks/results/DATE-live-rows.json"
    )
    arguments = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="us-", dir="/var/tmp"))
    base.chmod(0o755)
    try:
        narrow = base / "narrow.csv"
        pacsv.write_csv(narrow_table(), narrow)
        others = [arguments.data / f"{name}.csv" for name in arguments.tables] if arguments.data else []
        figures: Figures = {}
        with running_stack(base / "data") as stack:
            for table in (narrow, *others):
                path = f"/v1/models/{train(stack, table)}/rows?seed=1"
                figures[table.stem] = measure(stack, path, arguments.rows)
                print(json.dumps({table.stem: figures[table.stem]}), flush=True)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    if arguments.write_results:
        target = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-live-rows.json"
        target.write_text(json.dumps(figures, indent=1) + "\n")


def train(stack: Stack, table: Path) -> str:
    """Train a model on a CSV file and return its ID."""
    with table.open("rb") as body:
        headers = {"Content-Type": "text/csv"}
        response = stack.client.post("/v1/datasets", params={"name": "f"}, content=body, headers=headers)
    response.raise_for_status()
    await_job(stack.client, response.json()["job"]["id"])
    dataset_id = response.json()["dataset"]["id"]
    synthesizer = {"name": "tree_chain", "preset": "fast"}
    job = run_job(
        stack.client, {"kind": "train", "dataset_id": dataset_id, "seed": 1, "synthesizer": synthesizer}
    )
    model_id: str = job["result"]["model_id"]
    return model_id


def measure(stack: Stack, path: str, n_rows: int) -> Figures:
    """Return all figures of a model."""
    first, _, _ = read(stack, f"{path}&n=1000")
    figures: Figures = {"rows": n_rows, "load_average": round(os.getloadavg()[0], 1)}
    figures["first_request_ms"] = round(1000 * first)
    before = _ended_cpu_seconds(stack)
    firsts = [1000 * read(stack, f"{path}&n=1000")[0] for _ in range(N_FIRST_BYTES)]
    figures["first_byte_warm_ms"] = {"median": round(statistics.median(firsts)), "max": round(max(firsts))}
    seconds_each = (_ended_cpu_seconds(stack) - before) / N_FIRST_BYTES
    figures["sampler_cpu_ms_for_1000_rows"] = round(1000 * seconds_each)
    for name in FORMATS:
        peaks = []
        for n in (N_FEW_ROWS, n_rows):
            with Memory(stack) as memory:
                _, seconds, n_bytes = read(stack, f"{path}&n={n}&format={name}")
            peaks.append(memory)
        figures[name] = {
            "rows_per_second": round(n_rows / seconds),
            "rows_per_cpu_second": round(n_rows / peaks[-1].cpu_seconds),
            "megabytes": round(n_bytes / MEGABYTE),
            "api_mb": [round(memory.api / MEGABYTE) for memory in peaks],
            "sampler_mb": [round(memory.sampler / MEGABYTE) for memory in peaks],
        }
    return figures


def read(stack: Stack, path: str) -> tuple[float, float, int]:
    """Return the seconds to the first byte and to the end of a response, and its size in bytes."""
    client = stack.client
    connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port, timeout=600)
    began = time.perf_counter()
    connection.request("GET", path, headers={"Authorization": client.headers["Authorization"]})
    response = connection.getresponse()
    assert response.status == 200, response.read()
    n_bytes = len(response.read(1))
    first = time.perf_counter() - began
    while piece := response.read(PIECE_BYTES):
        n_bytes += len(piece)
    seconds = time.perf_counter() - began
    connection.close()
    return first, seconds, n_bytes


class Memory:
    """A context manager that records the peak memory of the API and of its sampler (RSS, in bytes).

    `cpu_seconds` is the CPU time of both together.
    """

    def __init__(self, stack: Stack) -> None:
        self._api = api_process(stack)
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._look)
        self.api = self.sampler = 0
        self.cpu_seconds = 0.0

    def __enter__(self) -> Memory:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _look(self) -> None:
        before = _cpu_seconds(self._api)
        while not self._is_over.wait(LOOK_SECONDS):
            self.api = max(self.api, self._api.memory_info().rss)
            with suppress(psutil.NoSuchProcess):
                samplers = [child for server in self._api.children() for child in server.children()]
                self.sampler = max([self.sampler, *(child.memory_info().rss for child in samplers)])
                if samplers:
                    processes = (self._api, *samplers)
                    self.cpu_seconds = sum(map(_cpu_seconds, processes)) - before


def _ended_cpu_seconds(stack: Stack) -> float:
    """Return the CPU time of all samplers that have ended."""
    (server,) = api_process(stack).children()
    times = server.cpu_times()
    return float(times.children_user + times.children_system)


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


if __name__ == "__main__":
    main()
