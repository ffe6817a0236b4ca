"""Benchmark the API during a large upload: ``python -m benchmarks.uploads [--mebibytes N]``.

Only Postgres and the API run, on the loopback interface and in a new folder. Each upload method runs with a
new API process, so that peak memory is measured separately. The file consists of zeros and random bytes and
is never ingested.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx2
import psutil

from benchmarks.stack import free_port
from understudy.client.api import Client
from understudy.client.uploads import Sender
from understudy.db.migrate import upgrade
from understudy.embedded.servers import PrivatePostgres
from understudy.progress import no_progress
from understudy.resources import open_resources
from understudy.services.api_keys import create_api_key
from understudy.services.projects import create_project
from understudy.settings import Settings

MEBIBYTE = 1 << 20
SECRET_KEY = "a key for a benchmark, of 32 characters"  # noqa: S105 - for a temporary database
BROKER = "redis://127.0.0.1:1/0"  # There is no broker, so messages to workers are lost.


def main() -> None:
    """Upload one file with each method, and print the time and the peak memory."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mebibytes", type=int, default=1024, help="size of the file")
    size = parser.parse_args().mebibytes
    with TemporaryDirectory() as name:
        folder = Path(name)
        server = PrivatePostgres(folder / "postgres", durable=False)
        server.start()
        try:
            path = _file(folder, size)
            key = _prepare(folder, server.url)
            print(f"{'way':28}{'MiB':>8}{'s':>8}{'MiB/s':>8}{'idle MiB':>10}{'peak MiB':>10}")
            for way, send in WAYS.items():
                with _api(folder, server.url) as (process, url):
                    idle = process.memory_info().rss
                    began = time.monotonic()
                    send(url, key, path)
                    seconds = time.monotonic() - began
                    figures = f"{size:8}{seconds:8.1f}{size / seconds:8.0f}"
                    print(f"{way:28}{figures}{idle / MEBIBYTE:10.0f}{_peak(process) / MEBIBYTE:10.0f}")
        finally:
            server.stop()


def _file(folder: Path, size: int) -> Path:
    path = folder / "large.csv"
    block = os.urandom(MEBIBYTE // 2) + bytes(MEBIBYTE // 2)
    with path.open("wb") as file:
        for _ in range(size):
            file.write(block)
    return path


def _settings(folder: Path, database_url: str) -> Settings:
    return Settings(
        database_url=database_url, secret_key=SECRET_KEY, redis_url=BROKER, data_dir=folder / "data"
    )


def _prepare(folder: Path, database_url: str) -> str:
    upgrade(database_url)
    resources = open_resources(_settings(folder, database_url))
    try:
        project = create_project(resources, "benchmark")
        return create_api_key(resources, project.id, "benchmark", ("read", "write"))[1]
    finally:
        resources.close()


@contextmanager
def _api(folder: Path, database_url: str) -> Iterator[tuple[psutil.Process, str]]:
    port = free_port()
    environment = os.environ | {
        "UNDERSTUDY_DATABASE_URL": database_url,
        "UNDERSTUDY_SECRET_KEY": SECRET_KEY,
        "UNDERSTUDY_REDIS_URL": BROKER,
        "UNDERSTUDY_DATA_DIR": str(folder / "data"),
        "UNDERSTUDY_HOST": "127.0.0.1",
        "UNDERSTUDY_PORT": str(port),
        "UNDERSTUDY_API_PAUSE_SECONDS": "0",
    }
    command = [sys.executable, "-m", "app"]
    with (folder / "api.log").open("wb") as log:
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)  # noqa: S603
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url)
        yield psutil.Process(process.pid), url
    finally:
        process.terminate()
        process.wait(30)


def _wait_for(url: str) -> None:
    for _ in range(300):
        try:
            if httpx2.get(f"{url}/healthz").status_code == 200:
                return
        except httpx2.TransportError:
            time.sleep(0.1)
    raise TimeoutError("the API did not start")


def _peak(process: psutil.Process) -> int:
    status = Path(f"/proc/{process.pid}/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) * 1024


def _bare(url: str, key: str, path: Path) -> None:
    headers = {"Content-Type": "text/csv", "Content-Digest": _digest(path)}
    _post(url, key, content=_pieces(path), headers=headers | {"Content-Length": str(path.stat().st_size)})


def _form(url: str, key: str, path: Path) -> None:
    with path.open("rb") as file:
        _post(url, key, files={"file": (path.name, file, "text/csv")})


def _parts(url: str, key: str, path: Path) -> None:
    with Client(url, key) as client:
        files = [{"filename": path.name, "size_bytes": path.stat().st_size}]
        upload = client.request("POST", "/v1/uploads", json={"files": files})
        Sender(client).send_parts(upload, [path], no_progress)
        client.request("POST", f"/v1/uploads/{upload['id']}/complete")


def _post(url: str, key: str, **request: object) -> None:
    headers = {"Authorization": f"Bearer {key}", **request.pop("headers", {})}  # type: ignore[dict-item]
    response = httpx2.post(f"{url}/v1/datasets", headers=headers, timeout=600, **request)  # type: ignore[arg-type]
    response.raise_for_status()


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(MEBIBYTE):
            yield piece


def _digest(path: Path) -> str:
    digest = hashlib.sha256()
    for piece in _pieces(path):
        digest.update(piece)
    return f"sha-256=:{base64.b64encode(digest.digest()).decode()}:"


WAYS: dict[str, Callable[[str, str, Path], None]] = {
    "bare body with its digest": _bare,
    "form": _form,
    "parts of 16 MiB": _parts,
}

if __name__ == "__main__":
    main()
