"""Tests that a worker survives faults in its work, sandbox and broker."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest

from tests.faults.stack import Stack
from tests.faults.workers import WorkerProcess, is_alive, until
from understudy.job_queue import QUEUE_NAME, CeleryQueue

pytestmark = pytest.mark.stack


@pytest.fixture(scope="module")
def worker(stack: Stack) -> WorkerProcess:
    return stack.start_worker()


@pytest.fixture(autouse=True)
def promises(stack: Stack, worker: WorkerProcess) -> Iterator[None]:
    yield
    until(lambda: worker.work_pids() == [], "work ends")


def start_probe(stack: Stack, worker: WorkerProcess, seconds: float) -> object:
    job_id = stack.submit("probe", seconds=seconds)
    stack.wait_until_running(job_id)
    until(lambda: len(worker.work_pids()) == 1, "the work has a process")
    return job_id


def test_killed_work_is_repeated(stack, worker):
    job_id = start_probe(stack, worker, 4)
    os.kill(worker.work_pids()[0], signal.SIGKILL)
    assert stack.finish(job_id)[0].state == "succeeded"
    assert stack.outcomes(job_id) == ["crashed", "succeeded"]


def test_killed_warm_parent_is_replaced_and_its_work_is_repeated(stack, worker):
    job_id = start_probe(stack, worker, 4)
    server_pid = worker.server_pid()
    os.kill(server_pid, signal.SIGKILL)
    assert stack.finish(job_id)[0].state == "succeeded"
    assert stack.outcomes(job_id) == ["crashed", "succeeded"]
    assert worker.server_pid() != server_pid


@pytest.mark.broker
def test_job_is_rescued_after_its_pool_process_is_killed(stack, worker):
    job_id = start_probe(stack, worker, 4)
    work_pid = worker.work_pids()[0]
    for pid in worker.pool_pids():
        os.kill(pid, signal.SIGKILL)
    until(lambda: not is_alive(work_pid), "work ends")
    assert stack.finish(job_id)[0].state == "succeeded"
    assert stack.outcomes(job_id) == ["lost", "succeeded"]


def test_job_fails_after_its_work_dies_three_times(stack, worker):
    job_id = stack.submit("probe", seconds=30)
    for attempt in (1, 2, 3):
        until(lambda n=attempt: stack.job(job_id).attempt == n and worker.work_pids(), "attempt runs")
        os.kill(worker.work_pids()[0], signal.SIGKILL)
        until(lambda n=attempt: stack.outcomes(job_id)[n - 1], "attempt ends")
    job = stack.finish(job_id)[0]
    assert (job.state, job.error_code) == ("failed", "worker_crashed")
    assert stack.outcomes(job_id) == ["crashed"] * 3


@pytest.mark.broker
def test_each_job_runs_only_once_despite_surplus_messages(stack, worker):
    job_ids = [stack.submit("probe") for _ in range(10)]
    stack.resources.queue.ring(20)
    stack.finish(*job_ids)
    assert all(stack.outcomes(job_id) == ["succeeded"] for job_id in job_ids)


@pytest.mark.broker
@pytest.mark.complete
def test_busy_worker_neither_reserves_messages_nor_sends_surplus_messages(stack, worker):
    until(lambda: stack.broker.llen(QUEUE_NAME) == 0, "messages are taken")
    busy = [stack.submit("probe", seconds=60) for _ in range(2)]
    for job_id in busy:
        stack.wait_until_running(job_id)
    waiting = [stack.submit("probe") for _ in range(5)]
    until(lambda: stack.broker.llen(QUEUE_NAME) >= len(waiting), "messages wait")
    n_messages = stack.broker.llen(QUEUE_NAME)
    # The wait is long enough for the worker to send several messages.
    time.sleep(3)
    n_later = stack.broker.llen(QUEUE_NAME)
    for job_id in busy:
        stack.cancel(job_id)
    stack.finish(*busy, *waiting)
    assert n_later == n_messages


def test_jobs_run_even_if_all_messages_are_lost(stack, worker):
    for pid in [worker.pid, *worker.pool_pids()]:
        os.kill(pid, signal.SIGSTOP)
    job_ids = [stack.submit("probe") for _ in range(10)]
    stack.broker.flushall()
    for pid in [*worker.pool_pids(), worker.pid]:
        os.kill(pid, signal.SIGCONT)
    assert {job.state for job in stack.finish(*job_ids)} == {"succeeded"}


@pytest.mark.broker
@pytest.mark.complete
def test_unreadable_messages_are_ignored(stack, worker):
    stack.broker.lpush(QUEUE_NAME, "no JSON", '{"body": 1}', '{"headers": {}, "properties": {}}')
    queue = CeleryQueue(stack.environment["UNDERSTUDY_REDIS_URL"])
    queue.ring()
    queue.close()
    assert stack.run("probe").state == "succeeded"


def test_cancelled_work_stops_and_leaves_no_rows(stack, worker, small_table):
    dataset_id, job_id = stack.upload(small_table)
    stack.finish(job_id)
    trained = stack.run("train", dataset_id=dataset_id, synthesizer={"name": "independent"})
    assert trained.error_detail is None
    job_id = stack.submit("sample", model_id=trained.result["model_id"], n_rows=100_000_000)
    until(lambda: (stack.job(job_id).progress or {}).get("rows_done"), "rows are written")
    stack.cancel(job_id)
    assert stack.finish(job_id)[0].state == "cancelled"
    assert stack.rows("select 1 from artifacts where job_id = :id", id=job_id) == []
    assert stack.rows("select 1 from datasets where job_id = :id", id=job_id) == []
