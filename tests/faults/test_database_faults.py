"""Tests that freeze the database while a worker runs jobs."""

from __future__ import annotations

import time

import pytest

from tests.faults.invariants import Recovery
from tests.faults.stack import Stack
from tests.service import frozen_database

pytestmark = [pytest.mark.stack, pytest.mark.complete]

# This time exceeds the sum of the worker's database timeout and the stack's lease time.
FROZEN_SECONDS = 9


def test_jobs_survive_a_frozen_database(stack: Stack) -> None:
    worker = stack.start_worker()
    pool = worker.pool_pids()
    job_ids = [stack.submit("probe", seconds=3) for _ in range(4)]
    stack.wait_until_running(job_ids[0])

    with frozen_database(stack.resources.sessions):
        time.sleep(FROZEN_SECONDS)

    # After the leases have expired, the worker runs the four jobs two at a time.
    Recovery(15).wait(lambda: {stack.job(job_id).state for job_id in job_ids} == {"succeeded"}, "jobs run")
    assert worker.is_running()
    assert worker.pool_pids() == pool
