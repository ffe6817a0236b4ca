"""Tests that kill, freeze or stop a worker during its work while another worker survives."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pyarrow as pa
import pytest
from sqlalchemy import text

from tests.api.canaries import find_in_database, find_in_files
from tests.faults.stack import Stack
from tests.faults.workers import WorkerProcess, is_alive, send, until
from understudy import ids
from understudy.job_queue import QUEUE_NAME
from understudy.services.datasets import delete_dataset

pytestmark = pytest.mark.stack


# The default of the setting. A worker could lose a shorter lease on a busy machine.
SURVIVOR_LEASE_SECONDS = 30


@pytest.fixture(scope="module")
def survivor(stack: Stack) -> WorkerProcess:
    return stack.start_worker(lease_seconds=SURVIVOR_LEASE_SECONDS)


@pytest.fixture(autouse=True)
def promises(stack: Stack, survivor: WorkerProcess) -> Iterator[None]:
    yield
    assert survivor.is_running()


@contextmanager
def asleep(worker: WorkerProcess) -> Iterator[None]:
    """Freeze an idle worker, so that another worker claims the next jobs."""
    pids = worker.freeze()
    yield
    send(pids, signal.SIGCONT)


# This fit takes long enough to be interrupted.
LONG = {"name": "tree_chain", "preset": "best"}


def test_fit_succeeds_although_its_worker_is_killed(stack, survivor, small_table):
    dataset_id, job_id = stack.upload(small_table)
    assert stack.finish(job_id)[0].error_detail is None
    worker = stack.start_worker()
    with asleep(survivor):
        job_id = stack.submit("train", dataset_id=dataset_id, synthesizer=LONG, seed=1)
        until(worker.work_pids, "work runs")
        # Freeze the work, so that it cannot end before its worker is killed.
        send(worker.work_pids(), signal.SIGSTOP)
        worker.kill_main()
    assert stack.finish(job_id)[0].error_detail is None
    assert stack.outcomes(job_id) == ["lost", "succeeded"]
    assert stack.rows("select count(*) from models where job_id = :id", id=job_id)[0][0] == 1


def test_no_byte_remains_if_a_dataset_is_deleted_after_its_worker_was_killed(stack, survivor):
    canary = "ZQERASE58XK"
    table = pa.table({"n": range(400_000), "text": [f"{canary}{n % 1000}" for n in range(400_000)]})
    worker = stack.start_worker()
    with asleep(survivor):
        dataset_id, job_id = stack.upload(table)
        until(lambda: find_in_files(stack.resources.scratch_folder, [canary]), "rows are staged")
        send(worker.work_pids(), signal.SIGSTOP)
        worker.kill_main()
    delete_dataset(stack.resources, stack.project_id, ids.from_text("dataset", dataset_id), cascade=True)

    folders = (stack.resources.scratch_folder, stack.resources.settings.data_dir / "blobs")
    until(lambda: not any(find_in_files(folder, [canary]) for folder in folders), "nothing is left")
    assert find_in_database(stack.resources, [canary]) == set()
    assert canary not in stack.log.read_text()
    stack.finish(job_id)


def test_frozen_worker_cannot_finish_jobs_that_another_has_claimed(stack, survivor):
    frozen = stack.start_worker()
    with asleep(survivor):
        job_ids = [stack.submit("probe", seconds=4) for _ in range(2)]
        for job_id in job_ids:
            stack.wait_until_running(job_id)
        pids = frozen.freeze()
    assert {job.state for job in stack.finish(*job_ids)} == {"succeeded"}
    send(pids, signal.SIGCONT)
    until(lambda: not frozen.work_pids(), "the frozen work ends")
    assert [stack.outcomes(job_id) for job_id in job_ids] == [["lost", "succeeded"]] * 2
    assert frozen.stop() == 0


def test_stopping_worker_finishes_short_jobs_and_requeues_long_ones(stack, survivor):
    worker = stack.start_worker(drain_seconds=8)
    tree = worker.tree()
    with asleep(survivor):
        short, long = stack.submit("probe", seconds=5), stack.submit("probe", seconds=60)
        waiting = stack.submit("probe")
        for job_id in (short, long):
            stack.wait_until_running(job_id)
        assert worker.stop() == 0
    assert not any(is_alive(pid) for pid in tree)
    assert stack.outcomes(short) == ["succeeded"]
    assert stack.outcomes(long)[0] == "released"
    stack.cancel(long)
    released = stack.finish(long, waiting)[0]
    assert (released.state, released.crashes, released.transient_failures) == ("cancelled", 0, 0)
    assert stack.outcomes(waiting) == ["succeeded"]


@pytest.mark.complete
def test_second_signal_requeues_running_jobs_at_once(stack, survivor):
    worker = stack.start_worker(drain_seconds=600)
    tree = worker.tree()
    with asleep(survivor):
        job_id = stack.submit("probe", seconds=300)
        stack.wait_until_running(job_id)
        os.kill(worker.pid, signal.SIGTERM)
        until(
            lambda: stack.rows("select count(*) from workers where draining")[0][0] == 1, "drain is visible"
        )
        os.kill(worker.pid, signal.SIGINT)
        assert worker.wait() == 0
    assert not any(is_alive(pid) for pid in tree)
    assert stack.outcomes(job_id)[0] == "released"
    stack.cancel(job_id)
    assert stack.finish(job_id)[0].crashes == 0


@pytest.mark.broker
def test_worker_finishes_its_jobs_while_the_broker_hangs(stack, survivor):
    job_id = stack.submit("probe", seconds=1)
    stack.wait_until_running(job_id)
    broker_pid = stack.broker.info("server")["process_id"]
    os.kill(broker_pid, signal.SIGSTOP)
    try:
        assert stack.finish(job_id)[0].state == "succeeded"
        assert stack.run("probe").state == "succeeded"
    finally:
        os.kill(broker_pid, signal.SIGCONT)
    assert stack.run("probe").state == "succeeded"


@pytest.mark.broker
@pytest.mark.complete
def test_stopping_worker_requeues_a_job_that_ran_without_a_message(stack, survivor):
    worker = stack.start_worker(drain_seconds=1)
    tree = worker.tree()
    with asleep(survivor):
        stack.broker.set(QUEUE_NAME, "not a list")
        job_id = stack.submit("probe", seconds=20)
        stack.wait_until_running(job_id)
        stack.broker.delete(QUEUE_NAME)
        assert worker.stop() == 0
    assert not any(is_alive(pid) for pid in tree)
    assert stack.outcomes(job_id)[0] == "released"
    stack.cancel(job_id)
    assert stack.finish(job_id)[0].crashes == 0


def test_health_check_reports_whether_a_worker_of_this_machine_is_alive(stack, survivor):
    command = [sys.executable, "-m", "workers.health"]
    environment = {**os.environ, **stack.environment}
    healthy = subprocess.run(command, env=environment, check=False)
    with asleep(survivor):
        with stack.resources.sessions.begin() as session:
            session.execute(text("update workers set seen_at = seen_at - interval '1 minute'"))
        silent = subprocess.run(command, env=environment, check=False)
    assert (healthy.returncode, silent.returncode) == (0, 1)
