"""F1, F2, F9, F10, F19, F22, F24, F34: a fault at each step of an attempt.

A case is a step, an action and the outcomes of the attempts that must follow. The invariants are checked
during and after each case.
"""

from __future__ import annotations

import os
import signal
import time
from uuid import UUID

import pytest

from tests.faults.invariants import Recovery
from tests.faults.stack import Stack
from tests.faults.workers import WorkerProcess, send, until

pytestmark = pytest.mark.stack

LEASE_SECONDS = 3.0
RESCUE_SECONDS = 0.5
# The time after which the server ends the session of a process that is frozen inside a transaction.
IDLE_TRANSACTION_SECONDS = 10.0
# Maximum duration of the repeated attempt on a quiet machine, in seconds.
ATTEMPT_SECONDS = 5.0
BOUND_SECONDS = 2 * LEASE_SECONDS + RESCUE_SECONDS + IDLE_TRANSACTION_SECONDS + ATTEMPT_SECONDS

ONCE = ["succeeded"]
LOST = ["lost", "succeeded"]
FAILED = ["failed", "succeeded"]
# Steps from the claim to the last transaction. If the process dies at one of them, the attempt is lost.
HELD = (
    *("claim.after_commit", "input.after", "store.before", "put.before_fsync", "put.after_fsync"),
    *("put.after_link", "finish.before", "finish.before_commit"),
)
# Steps without a lease: the claim is rolled back, or the job has already ended.
FREE = ("claim.before_commit", "finish.after_commit", "cleanup.before")
CASES = {
    **{(step, action): LOST for step in HELD for action in ("kill", "stop")},
    **{(step, action): ONCE for step in FREE for action in ("kill", "stop")},
    # Either the interrupted transaction is repeated, or the job is still queued and is claimed again.
    **{(step, "drop"): ONCE for step in ("claim.before_commit", "finish.before_commit")},
    **{(step, "raise"): ONCE for step in ("finish.before_commit", "finish.after_commit", "cleanup.before")},
    ("claim.after_commit", "raise"): LOST,
    **{(step, "raise"): FAILED for step in ("input.after", "store.before", "put.after_fsync")},
    **{(step, "eio"): FAILED for step in ("store.before", "put.before_fsync", "put.after_fsync")},
    **{(step, "enospc"): FAILED for step in ("store.before", "put.before_fsync", "put.after_link")},
    # A slow disk does not interrupt the heartbeats (F25).
    **{(step, "sleep"): ONCE for step in ("put.before_fsync", "put.after_fsync")},
    ("finish.before", "sleep"): LOST,
}
# The cases that `make test` runs: one for each mechanism.
SLICE = {
    ("put.after_link", "kill"),
    ("finish.before_commit", "drop"),
    ("finish.after_commit", "raise"),
    ("put.after_fsync", "enospc"),
}


class Crew:
    """The workers that run the jobs of a test.

    Without a broker, a worker runs its jobs in its main process. If the worker is killed or frozen, another
    worker must rescue its jobs.
    """

    def __init__(self, stack: Stack) -> None:
        self._stack = stack
        self._workers = [stack.start_worker() for _ in range(1 if stack.uses_broker else 2)]

    def work_pids(self) -> list[int]:
        """Return the PIDs of the processes that run work."""
        return [pid for worker in self._workers for pid in worker.work_pids()]

    def check(self, action: str) -> None:
        """Check that the workers are running, and replace a worker that the action has killed."""
        n_killed = 1 if action == "kill" and not self._stack.uses_broker else 0
        n_running = len(self._workers) - n_killed
        until(lambda: len(self._running()) == n_running, "the killed worker has ended")
        self._workers = [*self._running(), *(self._stack.start_worker() for _ in range(n_killed))]

    def _running(self) -> list[WorkerProcess]:
        return [worker for worker in self._workers if worker.is_running()]


@pytest.fixture(scope="module")
def crew(stack: Stack) -> Crew:
    return Crew(stack)


@pytest.fixture(scope="module")
def model_id(stack: Stack, crew: Crew, small_table: object) -> str:
    dataset_id, job_id = stack.upload(small_table)  # type: ignore[arg-type]
    stack.finish(job_id)
    trained = stack.run("train", dataset_id=dataset_id, synthesizer={"name": "independent"})
    return str(trained.result["model_id"])


def finish_despite(stack: Stack, job_id: UUID, step: str, action: str) -> None:
    """Wait until a step is reached and the job has ended, then let a stopped process continue."""
    until(lambda: stack.worker_points.is_reached(step), "the step is reached")
    if action == "stop":
        pid = stack.worker_points.pid(step)
        recovery = Recovery(BOUND_SECONDS)
        try:
            recovery.wait(lambda: stack.job(job_id).state not in ("queued", "running"), "the job ends")
        finally:
            send([pid], signal.SIGCONT)
    Recovery(BOUND_SECONDS).wait(lambda: stack.job(job_id).state not in ("queued", "running"), "the job ends")


@pytest.mark.parametrize(
    ("step", "action", "outcomes"),
    [
        pytest.param(*case, outcomes, marks=[] if case in SLICE else [pytest.mark.complete])
        for case, outcomes in CASES.items()
    ],
)
def test_job_succeeds_once_despite_a_fault(
    stack: Stack, crew: Crew, model_id: str, step: str, action: str, outcomes: list[str]
) -> None:
    # The write to a slow disk takes longer than the lease.
    stack.worker_points.arm(step, action, seconds=1.5 * LEASE_SECONDS)
    job_id = stack.submit("sample", model_id=model_id, n_rows=1_000)

    finish_despite(stack, job_id, step, action)

    assert stack.job(job_id).state == "succeeded"
    until(lambda: stack.outcomes(job_id) == outcomes, f"{stack.outcomes(job_id)} are {outcomes}")
    crew.check(action)


@pytest.mark.complete
@pytest.mark.parametrize("action", ["kill", "drop", "raise", "stop"])
@pytest.mark.parametrize("step", ["settle.before_commit", "settle.after_commit"])
def test_cancelled_job_ends_once_despite_a_fault(stack: Stack, crew: Crew, step: str, action: str) -> None:
    if (step, action) == ("settle.after_commit", "drop"):
        pytest.skip("No connection is open after the COMMIT.")
    job_id = stack.submit("probe", seconds=60)
    stack.wait_until_running(job_id)
    stack.worker_points.arm(step, action)
    stack.cancel(job_id)

    finish_despite(stack, job_id, step, action)

    assert stack.job(job_id).state == "cancelled"
    crew.check(action)


def test_stale_attempt_changes_nothing_while_another_attempt_runs(
    stack: Stack, crew: Crew, model_id: str
) -> None:
    points = stack.worker_points
    points.arm("finish.before", "hold")
    job_id = stack.submit("sample", model_id=model_id, n_rows=1_000)
    until(lambda: points.is_reached("finish.before"), "the first attempt is about to finish")
    points.arm("store.before", "hold")
    until(lambda: points.is_reached("store.before"), "the second attempt runs")

    points.release("finish.before")
    # The stale attempt discards its file when it finds that its token is no longer the current one.
    until(lambda: len(list(stack.resources.scratch_folder.glob("[0-9]*"))) == 1, "the stale attempt ends")
    assert (stack.job(job_id).state, stack.outcomes(job_id)) == ("running", ["lost", None])

    points.release("store.before")
    assert stack.finish(job_id)[0].state == "succeeded"
    assert stack.outcomes(job_id) == LOST


def test_stale_attempt_discards_only_its_own_files(stack: Stack, crew: Crew, model_id: str) -> None:
    points = stack.worker_points
    points.arm("finish.before", "hold")
    job_id = stack.submit("sample", model_id=model_id, n_rows=1_000)
    until(lambda: points.is_reached("finish.before"), "the first attempt is about to finish")
    assert stack.finish(job_id)[0].state == "succeeded"
    rows = stack.rows("select storage_key from artifacts where job_id = :id", id=job_id)
    folder = rows[0].storage_key.rsplit("/", 2)[0]

    points.release("finish.before")

    # The folder of the stale attempt may have been removed before, because its lease has expired.
    expected = {row.storage_key for row in rows}
    until(lambda: set(stack.resources.store.keys(folder)) == expected, "the stale attempt discards its file")
    assert stack.outcomes(job_id) == LOST


def test_attempt_recognizes_its_own_commit(stack: Stack, crew: Crew, model_id: str) -> None:
    stack.worker_points.arm("finish.after_commit", "raise")
    job = stack.run("sample", model_id=model_id, n_rows=1_000)
    assert stack.worker_points.is_reached("finish.after_commit")

    # The attempt would delete the files of its own result if it did not recognize the commit.
    until(lambda: list(stack.resources.scratch_folder.glob("[0-9]*")) == [], "the attempt ends")
    keys = [
        row.storage_key
        for row in stack.rows("select storage_key from artifacts where job_id = :id", id=job.id)
    ]
    assert keys
    assert set(keys) <= set(stack.resources.store.keys(""))


@pytest.mark.complete
def test_heartbeats_survive_a_broken_connection(stack: Stack, crew: Crew) -> None:
    for action in ("drop", "raise"):
        stack.worker_points.arm("heartbeat.before_commit", action)
        job = stack.run("probe", seconds=4)
        assert stack.worker_points.is_reached("heartbeat.before_commit")
        assert (job.state, stack.outcomes(job.id)) == ("succeeded", ONCE)


@pytest.mark.complete
def test_job_outlasts_a_process_that_is_frozen_for_less_than_its_lease(stack: Stack, crew: Crew) -> None:
    job_id = stack.submit("probe", seconds=3)
    stack.wait_until_running(job_id)
    for pid in crew.work_pids():
        os.kill(pid, signal.SIGSTOP)
        time.sleep(LEASE_SECONDS / 3)
        os.kill(pid, signal.SIGCONT)
    assert stack.finish(job_id)[0].state == "succeeded"
    assert stack.outcomes(job_id) == ONCE
