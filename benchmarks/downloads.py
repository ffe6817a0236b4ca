"""Benchmark downloads in every format through the service: ``python -m benchmarks.downloads [--rows N]``.

A table of 15 mixed columns is uploaded to an embedded stack on the loopback interface. One client then
downloads the table several times in each format. The result is the shortest time, because other load can only
add time. CPU seconds and memory are measured for the API process. Memory is the peak during the downloads
minus the value before the first download. This difference must not grow with the number of rows.
"""

from __future__ import annotations

import argparse
import http.client
import shutil
import tempfile
import threading
import time
from pathlib import Path

import httpx2
import psutil

from benchmarks.ingest import generated_batches
from benchmarks.stack import MEGABYTE, Stack, await_job, running_stack
from understudy.tables.formats import FORMATS, write_table

_PIECE_BYTES = 1 << 20
_SAMPLE_SECONDS = 0.02


def main() -> None:
    """Measure all formats and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--repeats", type=int, default=3)
    options = parser.parse_args()
    base = Path(tempfile.mkdtemp(prefix="us-", dir="/var/tmp"))
    base.chmod(0o755)
    try:
        with running_stack(base / "data") as stack:
            path = f"/v1/datasets/{upload(stack.client, base, options.rows)}/content"
            print(f"{'format':12}{'MB':>8}{'wall s':>8}{'CPU s':>8}{'MB/s':>8}{'rows/s':>12}{'+ MB':>6}")
            # Formats with a limit on the number of rows are skipped, because the table may exceed it.
            names = [f.name for f in FORMATS.values() if f.write_limits is None]
            for query in [*names, "csv&csv_safe=true"]:
                _measure(stack, path, query, options.rows, options.repeats)
    finally:
        shutil.rmtree(base, ignore_errors=True)


def upload(client: httpx2.Client, folder: Path, n_rows: int) -> str:
    """Upload a generated table and return the ID of the dataset."""
    table = folder / "table.parquet"
    write_table(table, generated_batches(n_rows), next(generated_batches(1)).schema)
    with table.open("rb") as body:
        headers = {"Content-Type": "application/vnd.apache.parquet"}
        response = client.post("/v1/datasets", params={"name": "table"}, content=body, headers=headers)
    response.raise_for_status()
    await_job(client, response.json()["job"]["id"])
    dataset_id: str = response.json()["dataset"]["id"]
    return dataset_id


def _measure(stack: Stack, path: str, query: str, n_rows: int, repeats: int) -> None:
    # The first download is not counted, because it imports the modules for the conversion.
    _download(stack.client, f"{path}?format={query}")
    server = api_process(stack)
    before = server.memory_info().rss
    cpu = _cpu_seconds(server)
    with Peak(server) as peak:
        downloads = [_download(stack.client, f"{path}?format={query}") for _ in range(repeats)]
    seconds, size = min(downloads)
    cpu = (_cpu_seconds(server) - cpu) / repeats
    print(
        f"{query.replace('&csv_safe=true', ', safe'):12}{size / MEGABYTE:8.1f}{seconds:8.2f}{cpu:8.2f}"
        f"{size / seconds / MEGABYTE:8.0f}{n_rows / seconds:12,.0f}{(peak.rss - before) / MEGABYTE:6.0f}",
        flush=True,
    )


def _download(client: httpx2.Client, path: str) -> tuple[float, int]:
    """Return the duration in seconds and the size in bytes of a download."""
    # httpx2 is not used, because it needs more CPU time for a download than the API, on the same cores.
    connection = http.client.HTTPConnection(client.base_url.host, client.base_url.port)
    began = time.perf_counter()
    connection.request("GET", path, headers={"Authorization": client.headers["Authorization"]})
    response = connection.getresponse()
    assert response.status == 200
    size = 0
    piece = bytearray(_PIECE_BYTES)
    while n_bytes := response.readinto(piece):
        size += n_bytes
    seconds = time.perf_counter() - began
    connection.close()
    return seconds, size


def api_process(stack: Stack) -> psutil.Process:
    """Return the process that listens on the API's port."""
    root = psutil.Process(stack.process.pid)
    port = stack.client.base_url.port
    for member in [root, *root.children(recursive=True)]:
        listening = [c for c in member.net_connections("tcp") if c.status == psutil.CONN_LISTEN]
        if any(connection.laddr.port == port for connection in listening):
            return member
    raise LookupError(f"no process of the stack listens on port {port}")


def _cpu_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


class Peak:
    """A context manager that measures the peak memory of a process while the block runs."""

    def __init__(self, process: psutil.Process) -> None:
        self.rss = 0
        self._process = process
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def __enter__(self) -> Peak:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._is_over.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._is_over.wait(_SAMPLE_SECONDS):
            self.rss = max(self.rss, self._process.memory_info().rss)


if __name__ == "__main__":
    main()
