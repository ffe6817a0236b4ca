"""Tests in which either the disk of the blobs or the disk of the temporary files is full."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pytest

from tests.faults.api import Client
from tests.faults.disks import fill, mount_disk, unmount_disk
from tests.faults.invariants import Recovery
from tests.faults.stack import Stack
from tests.faults.traffic import TABLE
from tests.faults.workers import until

pytestmark = pytest.mark.stack

FULL_SECONDS = 4
# The API writes temporary files for these requests.
READS = ("content?format=xlsx", "rejects?format=parquet")


@pytest.fixture(scope="module")
def small_disk(stack: Stack) -> Iterator[Path]:
    """Mount a small disk at the folder of the blobs."""
    folder = stack.resources.settings.data_dir / "blobs"
    if not mount_disk(folder, 16):
        pytest.skip("Only root can mount a disk.")
    (folder / ".incoming").mkdir(mode=0o700)
    yield folder
    stack.stop_workers()
    # This process keeps a lock file open in the folder, so the disk is detached instead of unmounted.
    unmount_disk(folder)


def test_full_disk_of_blobs_pauses_the_worker_and_fails_no_job(
    stack: Stack, small_disk: Path, small_table: pa.Table
) -> None:
    worker = stack.start_worker()
    dataset_id, job_id = stack.upload(small_table)
    stack.finish(job_id)
    filler = small_disk / "filler"
    running = stack.submit("train", dataset_id=dataset_id, synthesizer={"name": "tree_chain"}, seed=0)
    until(lambda: stack.job(running).state == "running", "job runs")
    fill(filler)
    job_ids = [stack.submit("train", dataset_id=dataset_id, seed=seed) for seed in range(10)]
    try:
        time.sleep(FULL_SECONDS)
        assert worker.is_running()
        assert {stack.job(job_id).state for job_id in (running, *job_ids)} <= {"queued", "running"}
    finally:
        filler.unlink()

    jobs = (running, *job_ids)
    Recovery(30).wait(lambda: {stack.job(job_id).state for job_id in jobs} == {"succeeded"}, "jobs run")
    assert stack.rows("select sum(transient_failures), sum(crashes) from jobs")[0] == (0, 0)
    assert stack.outcomes(running) in (["succeeded"], ["released", "succeeded"])


@pytest.fixture
def scratch_disk(stack: Stack) -> Iterator[Path]:
    """Mount a small disk at the folder of temporary files, before the API starts."""
    folder = stack.resources.scratch_folder
    if not mount_disk(folder, 8):
        pytest.skip("Only root can mount a disk.")
    yield folder
    stack.stop_workers()
    unmount_disk(folder)


def test_requests_that_need_temporary_files_get_507_while_the_disk_is_full(
    stack: Stack, scratch_disk: Path
) -> None:
    stack.start_worker()
    client = stack.client()
    dataset_id, job_id = client.upload(TABLE)
    client.finish(job_id)
    paths = [f"/v1/datasets/{dataset_id}/{path}" for path in READS]
    filler = scratch_disk / "filler"
    fill(filler)
    try:
        during = [status_of(client, path) for path in paths]
    finally:
        filler.unlink()

    assert (during, client.violations) == ([507] * len(paths), [])
    assert [status_of(client, path) for path in paths] == [200] * len(paths)


def status_of(client: Client, path: str) -> int:
    """Return the status of a GET request."""
    response = client.once("GET", path)
    assert response is not None, client.last_error
    return response.status_code
