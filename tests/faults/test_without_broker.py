"""Tests for workers that receive notifications from the database instead of a broker.

`make faults` also runs most other tests in this folder without a broker.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from tests.faults.stack import Stack, open_stack
from tests.faults.test_worker_faults import SURVIVOR_LEASE_SECONDS, asleep
from tests.faults.workers import WorkerProcess, until
from understudy.job_queue import ListQueue

pytestmark = pytest.mark.stack

LISTENERS = (
    "from pg_stat_activity where datname = current_database() and application_name = 'understudy listener'"
)
LISTENING = f"select count(*) {LISTENERS}"
CUT = f"select pg_terminate_backend(pid) {LISTENERS}"


@pytest.fixture(scope="module")
def stack(postgres: str, valkey: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    folder = tmp_path_factory.mktemp("stack")
    with open_stack(postgres, valkey, folder, "none") as stack:
        yield stack


@pytest.fixture(scope="module")
def worker(stack: Stack) -> WorkerProcess:
    """Return a worker that does not look for due jobs by itself."""
    return stack.start_worker(ring_seconds=3600, lease_seconds=SURVIVOR_LEASE_SECONDS)


@pytest.fixture(autouse=True)
def promises(stack: Stack, worker: WorkerProcess) -> Iterator[None]:
    until(lambda: stack.rows(LISTENING)[0][0] == 1, "worker listens")
    yield
    stack.check()
    assert worker.is_running()


def test_notification_starts_a_job(stack: Stack, worker: WorkerProcess) -> None:
    jobs = stack.finish(*(stack.submit("probe") for _ in range(5)))

    assert {job.state for job in jobs} == {"succeeded"}
    assert worker.pool_pids() == []
    assert stack.broker.keys() == []


def test_worker_listens_again_after_its_connection_was_cut(stack: Stack, worker: WorkerProcess) -> None:
    for _ in range(2):
        stack.rows(CUT)
        assert stack.run("probe").state == "succeeded"


def test_worker_finds_jobs_although_no_notification_arrives(stack: Stack, worker: WorkerProcess) -> None:
    silent = replace(stack.resources, queue=ListQueue())
    second = stack.start_worker(ring_seconds=0.2)
    stack.resources, loud = silent, stack.resources
    try:
        assert stack.run("probe").state == "succeeded"
    finally:
        stack.resources = loud
    assert second.stop() == 0


def test_job_of_a_killed_worker_is_rescued(stack: Stack, worker: WorkerProcess) -> None:
    second = stack.start_worker()
    with asleep(worker):
        job_id = stack.submit("probe", seconds=1)
        stack.wait_until_running(job_id)
        second.kill()

    assert stack.finish(job_id)[0].state == "succeeded"
    assert stack.outcomes(job_id) == ["lost", "succeeded"]


@pytest.mark.complete
def test_stopping_worker_requeues_a_long_job(stack: Stack, worker: WorkerProcess) -> None:
    second = stack.start_worker(drain_seconds=0)
    with asleep(worker):
        job_id = stack.submit("probe", seconds=2)
        stack.wait_until_running(job_id)
        assert second.stop() == 0

    assert stack.finish(job_id)[0].state == "succeeded"
    assert stack.outcomes(job_id) == ["released", "succeeded"]
