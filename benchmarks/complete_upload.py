"""Benchmark the completion of a large upload in parts: `python -m benchmarks.complete_upload`.

The command stores the parts of a 2 GB file, and measures the duration of the request that completes the
upload and the bytes that this request writes. Before this request, another request with the same idempotency
key crashes.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from app.main import create_app
from understudy import ids
from understudy.db.migrate import upgrade
from understudy.embedded.servers import PrivatePostgres
from understudy.job_queue import ListQueue
from understudy.logs import configure_logs
from understudy.resources import Resources, open_resources
from understudy.services import idempotency
from understudy.services.api_keys import USUAL_SCOPES, create_api_key
from understudy.services.projects import create_project
from understudy.services.uploads import PartPlace, store_part
from understudy.settings import Settings

N_BYTES = 2_000_000_000
PART_BYTES = 16 << 20
RESULTS = Path(__file__).parent / "results"


def main() -> None:
    """Print the figures."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.complete_upload", description=__doc__)
    parser.add_argument(
        "--write-results", action="store_true", help="write a dated file to benchmarks/results"
    )
    arguments = parser.parse_args()
    configure_logs("critical")
    with tempfile.TemporaryDirectory() as folder:
        server = PrivatePostgres(Path(folder) / "postgres", durable=False)
        server.start()
        upgrade(server.url)
        settings = Settings(database_url=server.url, secret_key="k" * 32, data_dir=Path(folder) / "data")
        resources = open_resources(settings, queue=ListQueue())
        try:
            figures = measure(resources)
        finally:
            resources.close()
            server.stop()
    print(json.dumps(figures, indent=1))
    if arguments.write_results:
        target = RESULTS / f"{datetime.now(UTC):%Y-%m-%d}-complete_upload.json"
        target.write_text(json.dumps(figures, indent=1) + "\n")


def measure(resources: Resources) -> dict[str, Any]:
    """Store the parts, complete the upload twice, and return the figures of the second request."""
    project = create_project(resources, "benchmark")
    _, key = create_api_key(resources, project.id, "benchmark", USUAL_SCOPES)
    headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "complete"}
    with TestClient(create_app(resources), headers={"Authorization": f"Bearer {key}"}) as client:
        body = {"files": [{"filename": "a.csv", "size_bytes": N_BYTES}], "part_bytes": PART_BYTES}
        upload = client.post("/v1/uploads", json=body).json()
        _store_parts(resources, project.id, ids.from_text("upload", upload["id"]))
        path = f"/v1/uploads/{upload['id']}/complete"
        finish, abandon = idempotency.complete, idempotency.abandon
        idempotency.complete, idempotency.abandon = _crash, lambda *_: None
        crashed = client.post(path, headers=headers)
        idempotency.complete, idempotency.abandon = finish, abandon
        written, began = _written_bytes(), time.monotonic()
        response = client.post(path, headers=headers)
        seconds, n_written = time.monotonic() - began, _written_bytes() - written
    return {
        "date": f"{datetime.now(UTC):%Y-%m-%d}",
        "bytes of the upload": N_BYTES,
        "parts": -(-N_BYTES // PART_BYTES),
        "status of the crashed request": crashed.status_code,
        "status": response.status_code,
        "seconds": round(seconds, 3),
        "bytes written by the process": n_written,
    }


def _store_parts(resources: Resources, project_id: Any, upload_id: Any) -> None:
    n_left, number = N_BYTES, 1
    while n_left > 0:
        content = bytes([number % 251]) * min(PART_BYTES, n_left)
        staged = resources.staging_folder / f"part-{number}"
        staged.write_bytes(content)
        place = PartPlace(project_id, upload_id, number)
        store_part(resources, place, staged, hashlib.sha256(content).digest())
        n_left, number = n_left - len(content), number + 1


def _written_bytes() -> int:
    lines = dict(line.split(": ") for line in Path("/proc/self/io").read_text().splitlines())
    return int(lines["wchar"])


def _crash(*_: object) -> None:
    raise RuntimeError("crash")


if __name__ == "__main__":
    main()
