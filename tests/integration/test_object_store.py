"""Test for the whole stack with blobs in a bucket, from the upload to the erasure."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx2
import psutil
import pyarrow as pa
import pyarrow.csv as pacsv
import pyarrow.parquet as pq
import pytest

from tests.integration.test_embedded import Serve, is_gone, serve, stop, wait_until
from understudy.client.api import Client
from understudy.progress import no_progress
from understudy.storage import Store, StoreOptions, open_store

pytestmark = pytest.mark.stack

SETTINGS = {
    "UNDERSTUDY_S3_PATH_STYLE": "true",
    "UNDERSTUDY_PRESIGNED_DOWNLOAD_SECONDS": "60",
    "UNDERSTUDY_WORKER_CONCURRENCY": "1",
}


@pytest.fixture
def store(s3_server: str, bucket: str) -> Store:
    """Open the store that the stack uses."""
    return open_store(f"s3://{bucket}/understudy", StoreOptions(s3_server, is_path_style=True))


@pytest.fixture
def stack(
    s3_server: str, bucket: str, store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Serve]:
    """Run a stack that stores its blobs in the bucket."""
    monkeypatch.setenv("UNDERSTUDY_STORAGE_URL", f"s3://{bucket}/understudy")
    monkeypatch.setenv("UNDERSTUDY_S3_ENDPOINT_URL", s3_server)
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    running = serve(tmp_path / "stack")
    yield running
    stop(running)


def test_main_workflow_and_erasure_succeed_with_blobs_in_a_bucket(
    stack: Serve, store: Store, small_table: pa.Table, tmp_path: Path
) -> None:
    source = tmp_path / "people.csv"
    pacsv.write_csv(small_table, source)
    with stack.client() as client:
        uploaded = client.upload(source, name="people", media_type="text/csv", progress=no_progress)
        client.wait(uploaded["job"]["id"], no_progress)
        named = {"dataset_id": uploaded["dataset"]["id"]}
        model = result_of(client, kind="train", **named, seed=1)
        sample = result_of(client, kind="sample", model_id=model["model_id"], n_rows=300, seed=2)
        report = result_of(client, kind="evaluate", **named, synthetic_dataset_id=sample["dataset_id"])
        assert client.get(f"/v1/reports/{report['report_id']}")["metrics"]
        check_downloads(stack, client, sample["dataset_id"], tmp_path)
        # The main process has already used the store. A pool process that is forked from it later can also
        # use the store.
        replace_pool_process(stack)
        result_of(client, kind="sample", model_id=model["model_id"], n_rows=10)

        assert list(store.keys("p/"))
        delete(stack, f"/v1/datasets/{named['dataset_id']}?cascade=true")
        wait_until(lambda: not list(store.keys("")))
    assert not [path for path in (stack.folder / "blobs").rglob("*") if path.is_file()]


def result_of(client: Client, **parameters: Any) -> Any:
    """Run a job and return its result."""
    return client.run(parameters, no_progress)["result"]


def check_downloads(stack: Serve, client: Client, dataset_id: str, folder: Path) -> None:
    """Check that a Parquet download is a redirect to the bucket, and that other formats are converted."""
    path = f"/v1/datasets/{dataset_id}/content"
    client.download(f"{path}?format=csv", folder / "sample.csv")
    client.download(path, folder / "sample.parquet")
    table = pq.read_table(folder / "sample.parquet")
    assert (table.num_rows, pacsv.read_csv(folder / "sample.csv").num_rows) == (300, 300)
    response = request(stack, "GET", path)
    assert response.status_code == 307
    assert response.headers["Repr-Digest"].startswith("sha-256=:")
    content = httpx2.get(response.headers["Location"]).content
    assert pq.read_table(io.BytesIO(content)).equals(table)


def replace_pool_process(stack: Serve) -> None:
    """Kill the worker's pool process, and wait until the worker has forked another one."""
    main = stack.part("Worker")
    (killed,) = pool_processes(main)
    killed.kill()
    wait_until(lambda: is_gone(killed))
    wait_until(lambda: any(process.pid != killed.pid for process in pool_processes(main)))


def pool_processes(main: psutil.Process) -> list[psutil.Process]:
    """Return the living processes that a worker has forked to run jobs."""
    forked = []
    for child in main.children():
        with suppress(psutil.NoSuchProcess):
            if "sandbox" not in " ".join(child.cmdline()):
                forked.append(child)
    return forked


def delete(stack: Serve, path: str) -> None:
    """Delete a resource."""
    assert request(stack, "DELETE", path).status_code == 204


def request(stack: Serve, method: str, path: str) -> httpx2.Response:
    """Send a request with the stack's first API key, without following redirects."""
    url = (stack.folder / "url").read_text().strip()
    key = (stack.folder / "api-key").read_text().strip()
    return httpx2.request(method, f"{url}{path}", headers={"Authorization": f"Bearer {key}"})
