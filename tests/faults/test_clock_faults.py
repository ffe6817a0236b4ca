"""F26: the clocks of the workers and the API are wrong, or jump while jobs run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from uuid import UUID

import pytest

from tests.faults.stack import Stack
from tests.faults.traffic import TABLE
from tests.faults.workers import WorkerProcess, until
from understudy import ids

pytestmark = [pytest.mark.stack, pytest.mark.complete]

HOUR_SECONDS = 3600.0
# A job that runs for longer than its lease is lost if a clock error prevents its heartbeats. This lease is
# long enough for a busy machine.
LEASE_SECONDS = 10.0
# Python imports this module at startup. The module shifts the wall clock that Python code reads by the number
# of seconds in a file. The number can change while the process runs.
SHIFT = """
import datetime, os, pathlib, time

file = pathlib.Path(os.environ["CLOCK_SHIFT"])
real_time, real_time_ns, real_datetime = time.time, time.time_ns, datetime.datetime

def shift():
    return float(file.read_text())

class ShiftedDatetime(real_datetime):
    @classmethod
    def now(cls, tz=None):
        return real_datetime.now(tz) + datetime.timedelta(seconds=shift())

time.time = lambda: real_time() + shift()
time.time_ns = lambda: real_time_ns() + int(shift() * 1e9)
datetime.datetime = ShiftedDatetime
"""


class Clock:
    """The wall clock that the processes of a stack read."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.file = folder / "shift"
        (folder / "sitecustomize.py").write_text(SHIFT)
        self.shift(0)

    def shift(self, seconds: float) -> None:
        """Set the difference in seconds between this clock and the clock of the machine."""
        partial = self.folder / "partial"
        partial.write_text(str(seconds))
        partial.rename(self.file)


@pytest.fixture(scope="module")
def clock(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Clock:
    clock = Clock(tmp_path_factory.mktemp("clock"))
    path = os.pathsep.join([str(clock.folder), *filter(None, [os.environ.get("PYTHONPATH")])])
    stack.environment |= {
        "PYTHONPATH": path,
        "CLOCK_SHIFT": str(clock.file),
        "UNDERSTUDY_LEASE_SECONDS": str(LEASE_SECONDS),
    }
    return clock


@pytest.fixture(scope="module")
def worker(stack: Stack, clock: Clock) -> WorkerProcess:
    return stack.start_worker()


@pytest.fixture(autouse=True)
def correct(clock: Clock) -> Iterator[None]:
    yield
    clock.shift(0)


def made_at(job_id: UUID) -> float:
    """Return the time at which an ID was created, by the clock of its process (RFC 9562, UUID version 7)."""
    return (job_id.int >> 80) / 1000


@pytest.mark.parametrize("hours", [-2, 2, -48, 48])
def test_wrong_clock_changes_no_result(stack: Stack, clock: Clock, worker: WorkerProcess, hours: int) -> None:
    client = stack.client()
    clock.shift(hours * HOUR_SECONDS)
    dataset_id, ingest = client.upload(TABLE, name=f"at{hours}")
    client.finish(ingest)
    synthesizer = {"name": "independent"}
    trained = client.submit("train", dataset_id=dataset_id, synthesizer=synthesizer)

    assert {job["state"] for job in client.finish(ingest, trained)} == {"succeeded"}
    job_ids = [ids.from_text("job", job_id) for job_id in (ingest, trained)]
    assert [stack.outcomes(job_id) for job_id in job_ids] == [["succeeded"]] * 2
    # The ID contains the wrong time of the API, and the row contains the correct time of the database.
    (created_at,) = (
        row.created_at for row in stack.rows("select created_at from jobs where id = :id", id=job_ids[0])
    )
    assert abs(made_at(job_ids[0]) - created_at.timestamp() - hours * HOUR_SECONDS) < HOUR_SECONDS / 2
    assert client.once("GET", "/readyz").status_code == 200  # type: ignore[union-attr]


def test_jumps_of_the_clock_neither_end_nor_extend_a_lease(
    stack: Stack, clock: Clock, worker: WorkerProcess
) -> None:
    job_id = stack.submit("probe", seconds=1.5 * LEASE_SECONDS)
    stack.wait_until_running(job_id)
    for hours in (2, -2, 0.5, -48):
        before = lease_end(stack, job_id)
        clock.shift(hours * HOUR_SECONDS)
        until(lambda before=before: lease_end(stack, job_id) != before, "the lease is renewed")  # type: ignore[misc]
    assert stack.finish(job_id)[0].state == "succeeded"
    assert stack.outcomes(job_id) == ["succeeded"]


def lease_end(stack: Stack, job_id: UUID) -> object:
    return stack.job(job_id).lease_until
