"""F7, F8, F15, F27, F34, F38: faults during rescues and cancellations, clock jumps, and a restored backup."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from uuid import UUID

import pytest
from sqlalchemy import text

from tests.faults.stack import Stack
from tests.faults.workers import WorkerProcess, until
from understudy.db.claims import Claimant, claim
from understudy.errors import Conflict
from understudy.failpoints import VARIABLE
from understudy.job_queue import QUEUE_NAME
from understudy.resources import CODE_VERSION
from understudy.services.maintenance import sweep
from understudy.services.rescue import rescue_jobs

pytestmark = [pytest.mark.stack, pytest.mark.complete]

EXPIRE = "update jobs set lease_until = clock_timestamp() - interval '1 s' where state = 'running'"
# Conditions that select the rows of a job in tables without a column `job_id`.
OF_JOB = {"jobs": "id = :id", "dataset_tables": "dataset_id in (select id from datasets where job_id = :id)"}
RUN = """
from datetime import timedelta
from understudy.resources import open_resources
from understudy.services.erasure import erase_files
from understudy.services.maintenance import sweep
from understudy.services.rescue import rescue_jobs
from understudy.settings import Settings
resources = open_resources(Settings())
{call}
"""


def run_in_process(stack: Stack, call: str) -> int:
    """Run a periodic task in another process, which can reach failpoints, and return its exit status."""
    environment = {**os.environ, **stack.environment, VARIABLE: str(stack.worker_points.folder)}
    command = [sys.executable, "-c", RUN.format(call=call)]
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode


def claim_all(stack: Stack, n: int) -> None:
    """Submit jobs and claim them for a worker that does not exist, with expired leases."""
    for _ in range(n):
        stack.submit("probe")
    claimant = Claimant("nobody", CODE_VERSION, ("probe",))
    with stack.resources.sessions.begin() as session:
        for _ in range(n):
            assert claim(session, claimant, lease_seconds=60) is not None
    with stack.resources.sessions.begin() as session:
        session.execute(text(EXPIRE))


def cancel_all(stack: Stack) -> None:
    for row in stack.rows("select id from jobs where state in ('queued', 'running')"):
        stack.cancel(row.id)


@pytest.mark.parametrize("n_rescues", [2, 8])
def test_concurrent_rescues_requeue_each_lost_job_once(stack: Stack, n_rescues: int) -> None:
    n_jobs = 100
    claim_all(stack, n_jobs)
    with ThreadPoolExecutor(n_rescues) as pool:
        while sum(pool.map(lambda _: rescue_jobs(stack.resources), range(n_rescues))):
            pass
    query = "select count(*), min(crashes), max(crashes) from jobs where state = 'queued'"
    assert stack.rows(query)[0] == (n_jobs, 1, 1)
    cancel_all(stack)


@pytest.mark.parametrize("step", ["reap.selected", "reap.before_commit"])
def test_another_rescue_completes_the_work_of_a_dead_one(stack: Stack, step: str) -> None:
    claim_all(stack, 5)
    stack.worker_points.arm(step, "kill", hit=3 if step == "reap.selected" else 1)
    assert run_in_process(stack, "rescue_jobs(resources)") == -9
    assert stack.rows("select count(*) from jobs where state = 'running'")[0][0] == 5
    rescue_jobs(stack.resources)
    assert stack.rows("select count(*), max(crashes) from jobs where state = 'queued'")[0] == (5, 1)
    cancel_all(stack)


def test_sweep_that_dies_deletes_no_file_that_has_a_row(stack: Stack, small_table: object) -> None:
    worker = stack.start_worker()
    _, job_id = stack.upload(small_table)  # type: ignore[arg-type]
    stack.finish(job_id)
    worker.stop()
    stray = stack.folder / "stray"
    keys = [row.storage_key for row in stack.rows("select storage_key from artifacts")]
    for i in range(3):
        stray.write_bytes(b"stray")
        place = keys[0].rsplit("/", 2)[0]
        stack.resources.store.put_file(f"{place}/{10**6 + i}/stray.csv", stray)
    stack.worker_points.arm("sweep.before_unlink", "kill")
    assert run_in_process(stack, "sweep(resources, orphans_kept=timedelta(0))") == -9
    sweep(stack.resources, orphans_kept=timedelta(0))
    assert set(stack.resources.store.keys("")) == set(keys)


def test_forward_jump_of_the_database_clock_repeats_work_but_not_its_effect(stack: Stack) -> None:
    worker = stack.start_worker()
    job_ids = [stack.submit("probe", seconds=2) for _ in range(2)]
    for job_id in job_ids:
        stack.wait_until_running(job_id)
    # A jump of the clock by ten minutes ends all leases.
    with stack.resources.sessions.begin() as session:
        session.execute(
            text("update jobs set lease_until = lease_until - interval '10 min' where state = 'running'")
        )
    assert {job.state for job in stack.finish(*job_ids)} == {"succeeded"}
    assert all(stack.outcomes(job_id)[-1] == "succeeded" for job_id in job_ids)
    assert worker.stop() == 0


def test_each_cancelled_job_ends_with_one_outcome(stack: Stack) -> None:
    worker = stack.start_worker(worker_concurrency=4)
    rng = random.Random(3)  # noqa: S311 - repeatable, not secret
    states: set[str] = set()
    # The rounds end when both outcomes have occurred. The invariants check that each job has one outcome.
    for n_round in range(20):
        job_ids = [stack.submit("probe", seconds=round(rng.uniform(0, 0.4), 2)) for _ in range(8)]
        delay = rng.uniform(0, 0.5 * (n_round + 1))
        timers = [
            threading.Timer(rng.uniform(0, delay), cancel_quietly, (stack, job_id)) for job_id in job_ids
        ]
        for timer in timers:
            timer.start()
        for timer in timers:
            timer.join()
        states |= {job.state for job in stack.finish(*job_ids)}
        if n_round > 2 and len(states) == 2:
            break
    assert states == {"succeeded", "cancelled"}
    assert worker.stop() == 0


def cancel_quietly(stack: Stack, job_id: UUID) -> None:
    """Cancel a job, unless it has already ended."""
    with suppress(Conflict):
        stack.cancel(job_id)


@pytest.mark.broker
def test_worker_drops_a_hundred_thousand_junk_messages(stack: Stack) -> None:
    worker: WorkerProcess = stack.start_worker()
    pipeline = stack.broker.pipeline()
    for i in range(100_000):
        pipeline.lpush(QUEUE_NAME, b"junk %d" % i)
        if i % 5_000 == 0:
            pipeline.execute()
    pipeline.execute()
    assert stack.run("probe").state == "succeeded"
    # The time depends on the speed of the machine, so the limit applies to each check of the progress.
    while n_left := stack.broker.llen(QUEUE_NAME):
        until(lambda n_left=n_left: stack.broker.llen(QUEUE_NAME) < n_left, "messages are read")
    assert worker.stop() == 0


def test_restored_backup_shows_no_result_of_a_lost_job(stack: Stack, small_table: object) -> None:
    worker = stack.start_worker()
    _, job_id = stack.upload(small_table)  # type: ignore[arg-type]
    stack.finish(job_id)
    tables = ("jobs", "job_attempts", "job_events", "artifacts", "datasets", "dataset_tables")
    backup = {name: stack.rows(f"select count(*) from {name}")[0][0] for name in tables}  # noqa: S608 - our names
    _, later_id = stack.upload(small_table)  # type: ignore[arg-type]
    stack.finish(later_id)
    token = stack.rows("select max(token) from job_attempts")[0][0]
    assert worker.stop() == 0
    # A backup from before the second upload contains neither its job nor its token.
    with stack.resources.sessions.begin() as session:
        for name in ("artifacts", "dataset_tables", "datasets", "job_events", "job_attempts", "jobs"):
            condition = OF_JOB.get(name, "job_id = :id")
            session.execute(text(f"delete from {name} where {condition}"), {"id": later_id})  # noqa: S608
        session.execute(text("select setval('fence', :token)"), {"token": token})
    assert {name: stack.rows(f"select count(*) from {name}")[0][0] for name in tables} == backup  # noqa: S608

    sweep(stack.resources, orphans_kept=timedelta(0))

    worker = stack.start_worker()
    _, next_id = stack.upload(small_table)  # type: ignore[arg-type]
    assert stack.finish(next_id)[0].state == "succeeded"
    assert stack.rows("select max(token) from job_attempts")[0][0] > token
    assert worker.stop() == 0
