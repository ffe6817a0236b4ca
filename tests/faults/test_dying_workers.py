"""Workers that are killed, frozen and stopped in the middle of their work."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator

import pytest

from tests.faults.stack import Stack
from tests.faults.workers import is_alive, send, until

pytestmark = pytest.mark.stack


@pytest.fixture(autouse=True)
def promises(stack: Stack) -> Iterator[None]:
    yield
    stack.check()
    stack.stop_workers()


@pytest.fixture(scope="module")
def dataset_id(stack: Stack, small_table) -> str:
    worker = stack.start_worker()
    dataset_id, job_id = stack.upload(small_table)
    assert stack.finish(job_id)[0].state == "succeeded"
    worker.kill()
    return dataset_id


def test_worker_killed_in_the_middle_of_a_fit_only_delays_it(stack, dataset_id):
    worker = stack.start_worker()
    job_id = stack.submit("train", dataset_id=dataset_id, synthesizer={"name": "independent"}, seed=1)
    until(worker.work_pids, "work runs")
    # It shall not be done before we strike.
    send(worker.work_pids(), signal.SIGSTOP)
    worker.kill_main()
    stack.start_worker()
    job = stack.finish(job_id)[0]
    assert job.state == "succeeded"
    assert stack.outcomes(job_id) == ["lost", "succeeded"]
    n_models = stack.rows("select count(*) from models where job_id = :id", id=job_id)
    assert n_models[0][0] == 1


def test_frozen_worker_finishes_nothing_that_another_one_has_taken(stack):
    frozen = stack.start_worker()
    job_ids = [stack.submit("probe", seconds=1) for _ in range(2)]
    for job_id in job_ids:
        stack.wait_until_running(job_id)
    pids = frozen.freeze()
    stack.start_worker()
    assert {job.state for job in stack.finish(*job_ids)} == {"succeeded"}
    send(pids, signal.SIGCONT)
    until(lambda: not frozen.work_pids(), "the frozen work ends")
    # It is as good as before.
    assert stack.run("probe").state == "succeeded"
    assert all(stack.outcomes(job_id) == ["lost", "succeeded"] for job_id in job_ids)


def test_stopping_worker_ends_short_jobs_and_hands_long_ones_back(stack):
    worker = stack.start_worker(drain_seconds=3)
    short, long = stack.submit("probe", seconds=2), stack.submit("probe", seconds=20)
    waiting = stack.submit("probe")
    for job_id in (short, long):
        stack.wait_until_running(job_id)
    tree = worker.tree()
    assert worker.stop() == 0
    assert not any(is_alive(pid) for pid in tree)
    assert stack.outcomes(short) == ["succeeded"]
    assert stack.outcomes(long) == ["released"]
    assert stack.outcomes(waiting) == []
    released = stack.job(long)
    assert (released.state, released.crashes, released.transient_failures) == ("queued", 0, 0)
    stack.cancel(long)
    stack.start_worker()
    assert stack.finish(waiting)[0].state == "succeeded"


def test_worker_whose_broker_hangs_still_ends_its_jobs(stack):
    worker = stack.start_worker()
    job_id = stack.submit("probe", seconds=1)
    stack.wait_until_running(job_id)
    broker_pid = stack.broker.info("server")["process_id"]
    os.kill(broker_pid, signal.SIGSTOP)
    try:
        assert stack.finish(job_id)[0].state == "succeeded"
        waiting = stack.submit("probe")
    finally:
        os.kill(broker_pid, signal.SIGCONT)
    assert stack.finish(waiting)[0].state == "succeeded"
    assert worker.is_running()
