from __future__ import annotations

import errno
import itertools
import re
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import pytest
from sqlalchemy import event, text
from sqlalchemy.orm import Session

from tests.unit.services.conftest import Bench
from tests.unit.services.works import SECRET
from understudy.db import artifacts, leases
from understudy.errors import StorageFull, Unavailable
from understudy.services import disks, watched_runs
from understudy.services.heartbeats import Heartbeat
from understudy.services.jobs import cancel_job, retry_job
from understudy.services.rescue import rescue_jobs
from understudy.settings import Settings
from understudy.storage import LocalStore

InBackground = Callable[..., Future[Any]]


def wait_until(condition: Callable[[], bool]) -> None:
    """Wait until a condition is true, and fail the test if it stays false."""
    give_up_at = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < give_up_at, "It never came."
        time.sleep(0.02)


def is_running(bench: Bench, job_id: UUID) -> Callable[[], bool]:
    return lambda: bench.job(job_id).state == "running" and bench.job(job_id).progress is not None


def test_job_runs_and_its_file_is_readable(bench: Bench) -> None:
    job_id = bench.put("succeed")

    assert bench.run()

    assert bench.job(job_id).state == "succeeded"
    with bench.resources.sessions() as session:
        artifact = artifacts.get(session, bench.project_id, job_id, "table")
    with bench.resources.store.open(artifact.storage_key) as file:
        assert file.read() == b"rows"
    assert (artifact.size_bytes, len(artifact.sha256)) == (4, 32)


def test_message_without_a_waiting_job_does_nothing(bench: Bench) -> None:
    assert not bench.run()


def test_second_delivery_does_nothing(bench: Bench) -> None:
    job_id = bench.put("succeed")

    assert [bench.run(), bench.run()] == [True, False]
    assert bench.job(job_id).attempt == 1


def test_attempt_records_its_memory_and_cpu_time(bench: Bench) -> None:
    job_id = bench.put("succeed")
    bench.run()

    with bench.resources.sessions() as session:
        statement = text(
            "select peak_memory_bytes > 0 and cpu_seconds >= 0 from job_attempts where job_id = :id"
        )
        assert session.scalar(statement, {"id": job_id})


def test_scratch_folder_is_empty_after_a_job(bench: Bench) -> None:
    for way in ("succeed", "refuse", "crash"):
        bench.put(way)
        bench.run()

    left = [path for path in bench.resources.scratch_folder.iterdir() if path.name != "staging"]
    assert left == []


def test_invalid_input_fails_the_job_at_once(bench: Bench) -> None:
    job_id = bench.put("refuse")
    bench.run()

    job = bench.job(job_id)
    assert (job.state, job.error_code, job.error_detail) == ("failed", "ragged_rows", "Line 7 has 2 fields.")
    assert bench.outcomes(job_id) == ["failed"]


def test_job_is_tried_three_times_after_crashes(bench: Bench) -> None:
    job_id = bench.put("crash")

    assert [bench.run() for _ in range(4)] == [True, True, True, False]

    job = bench.job(job_id)
    assert (job.state, job.error_code) == ("failed", "worker_crashed")
    assert bench.outcomes(job_id) == ["crashed"] * 3


@pytest.mark.parametrize(("way", "code"), [("lack_a_part", "unavailable"), ("lack_space", "storage_full")])
def test_job_with_transient_failures_is_tried_five_times(bench: Bench, way: str, code: str) -> None:
    job_id = bench.put(way)

    assert sum(bench.run() for _ in range(6)) == 5

    job = bench.job(job_id)
    assert (job.state, job.error_code, job.crashes) == ("failed", code, 0)


def test_job_is_tried_twice_after_internal_errors_and_the_error_contains_no_data(
    bench: Bench, capfd: pytest.CaptureFixture[str]
) -> None:
    job_id = bench.put("err")

    assert sum(bench.run() for _ in range(3)) == 2

    job = bench.job(job_id)
    assert (job.state, job.error_code) == ("failed", "internal_error")
    error_id = re.search(r"The ID of the error is (err-\d+)\.$", job.error_detail or "")
    logged = capfd.readouterr()
    assert error_id is not None
    assert SECRET not in f"{job.error_detail}{logged}"


def with_settings(bench: Bench, **changes: object) -> Bench:
    settings = cast("Settings", bench.resources.settings).model_copy(update=changes)
    return replace(bench, resources=replace(bench.resources, settings=settings))


def test_job_that_runs_out_of_memory_fails_at_once(bench: Bench) -> None:
    job_id = bench.put("run_out_of_memory")
    bench.run()

    job = bench.job(job_id)
    assert job.error_code == "out_of_memory"
    assert re.search(r"The peak was [\d,]+ MiB, and the limit is 16,384 MiB\.$", job.error_detail or "")
    assert bench.outcomes(job_id) == ["out_of_memory"]


def test_job_that_runs_out_of_memory_is_retried_once_in_the_queue_of_large_jobs(bench: Bench) -> None:
    bench = with_settings(bench, large_job_bytes=1 << 40)
    job_id = bench.put("run_out_of_memory")

    assert [bench.run(), bench.run()] == [True, False]
    assert (bench.job(job_id).state, bench.job(job_id).queue) == ("queued", "large")
    assert [bench.run(queues=("large",)) for _ in range(2)] == [True, False]

    assert bench.job(job_id).error_code == "out_of_memory"
    assert bench.outcomes(job_id) == ["out_of_memory"] * 2


def test_killed_process_counts_as_out_of_memory_if_the_kernel_counted_an_oom_kill(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A test cannot fill the control group of its own process.
    counts = itertools.count()
    monkeypatch.setattr("understudy.sandbox.run.count_oom_kills", lambda: next(counts))
    job_id = bench.put("crash")

    bench.run()

    job = bench.job(job_id)
    assert job.error_code == "out_of_memory"
    assert re.search(r"The kernel ended the job.* The peak was [\d,]+ MiB\.$", job.error_detail or "")
    assert bench.outcomes(job_id) == ["out_of_memory"]


@pytest.mark.parametrize("way", ["climb_out", "link_out", "invent"])
def test_result_file_outside_the_work_folder_is_rejected(bench: Bench, way: str) -> None:
    job_id = bench.put(way)
    bench.run()
    bench.run()

    assert bench.job(job_id).error_code == "internal_error"
    assert (bench.files(job_id), bench.blobs()) == ([], [])


def test_running_job_is_cancelled(bench: Bench, in_background: InBackground) -> None:
    job_id = bench.put("wait")
    run = in_background(bench.run)
    wait_until(is_running(bench, job_id))

    cancel_job(bench.resources, bench.project_id, job_id)
    run.result()

    assert bench.job(job_id).state == "cancelled"
    assert bench.outcomes(job_id) == ["cancelled"]
    assert bench.blobs() == []


def test_work_that_ignores_a_cancellation_is_killed(
    bench: Bench, in_background: InBackground, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(watched_runs, "GRACE_SECONDS", 0.2)
    job_id = bench.put("ignore_signals")
    run = in_background(bench.run)
    wait_until(is_running(bench, job_id))

    cancel_job(bench.resources, bench.project_id, job_id)
    run.result()

    assert bench.job(job_id).state == "cancelled"


@pytest.mark.parametrize(
    "limits", [{"job_seconds_max": 0.5}, {"job_kind_seconds_max": {"probe": 0.5}}], ids=["all", "kind"]
)
def test_frozen_work_is_stopped_after_its_maximum_duration(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, limits: dict[str, Any]
) -> None:
    monkeypatch.setattr(watched_runs, "GRACE_SECONDS", 0.2)
    settings = cast(Settings, bench.resources.settings).model_copy(update=limits)
    bench.resources = replace(bench.resources, settings=settings)
    job_id = bench.put("freeze")

    bench.run()

    job = bench.job(job_id)
    assert (job.state, job.error_code, job.crashes) == ("failed", "time_limit", 0)
    assert bench.outcomes(job_id) == ["time_limit"]


def test_cancelled_job_can_be_retried(bench: Bench) -> None:
    job_id = bench.put("succeed")
    cancel_job(bench.resources, bench.project_id, job_id)
    assert not bench.run()

    retry_job(bench.resources, bench.project_id, job_id)
    bench.run()

    assert bench.job(job_id).state == "succeeded"


def test_draining_worker_releases_its_job(bench: Bench, in_background: InBackground) -> None:
    job_id = bench.put("wait")
    stopping = threading.Event()
    run = in_background(bench.run, is_draining=stopping.is_set)
    wait_until(is_running(bench, job_id))

    stopping.set()
    run.result()

    job = bench.job(job_id)
    assert (job.state, job.crashes, job.internal_errors) == ("queued", 0, 0)
    assert bench.outcomes(job_id) == ["released"]
    # The CPU time of an interrupted attempt counts as usage.
    with bench.resources.sessions() as session:
        assert session.scalar(text("select sum(cpu_seconds) from usage_records")) > 0


def test_draining_worker_publishes_finished_work_or_releases_the_job(bench: Bench) -> None:
    job_id = bench.put("succeed")
    bench.run(is_draining=lambda: True)

    assert bench.job(job_id).state in ("succeeded", "queued")


def test_process_that_is_terminated_releases_its_job(bench: Bench) -> None:
    def end() -> bool:
        raise SystemExit

    job_id = bench.put("wait")
    with pytest.raises(SystemExit):
        bench.run(is_draining=end)

    assert bench.job(job_id).state == "queued"
    assert bench.outcomes(job_id) == ["released"]


def test_lease_of_a_long_job_is_renewed(
    bench: Bench, settings: Settings, in_background: InBackground
) -> None:
    short = settings.model_copy(update={"lease_seconds": 1.0, "heartbeat_seconds": 0.2})
    bench.resources = replace(bench.resources, settings=short)
    job_id = bench.put("wait")
    run = in_background(bench.run)
    wait_until(is_running(bench, job_id))

    deadline = time.monotonic() + 2.5
    while time.monotonic() < deadline:
        assert rescue_jobs(bench.resources) == 0
        time.sleep(0.1)

    cancel_job(bench.resources, bench.project_id, job_id)
    run.result()
    assert bench.job(job_id).attempt == 1


def test_worker_that_lost_its_lease_leaves_nothing_behind(bench: Bench, in_background: InBackground) -> None:
    job_id = bench.put("wait")
    run = in_background(bench.run)
    wait_until(is_running(bench, job_id))

    with bench.resources.sessions.begin() as session:
        session.execute(text("update jobs set lease_until = clock_timestamp() - interval '1 s'"))
        leases.reap(session, backoff_seconds=0)
    run.result()

    assert bench.job(job_id).state == "queued"
    assert bench.outcomes(job_id) == ["lost"]
    assert bench.blobs() == []


def test_lease_ends_according_to_the_local_clock_if_the_database_does_not_respond(bench: Bench) -> None:
    """Check that the lease counts as lost 0.9 * 5 s after the last successful heartbeat was sent."""

    def lost_after(seconds: float) -> bool:
        sent_at = time.monotonic() - seconds
        return Heartbeat(
            bench.resources, bench.project_id, 1, sent_at=sent_at, read_progress=lambda: None
        ).is_lost

    assert [lost_after(4), lost_after(4.6)] == [False, True]


class WatchingStore(LocalStore):
    """A store that checks after each blob whether a row refers to it."""

    def __init__(self, bench: Bench, root: Path) -> None:
        super().__init__(root)
        self.bench = bench
        self.n_rows_seen: list[int | None] = []

    def put_file(self, key: str, path: Path) -> None:
        """Store the file, then count the rows."""
        super().put_file(key, path)
        with self.bench.resources.sessions() as session:
            self.n_rows_seen.append(session.scalar(text("select count(*) from artifacts")))


def test_blob_is_stored_before_its_row(bench: Bench, tmp_path: Path) -> None:
    store = WatchingStore(bench, tmp_path / "watched")
    bench.resources = replace(bench.resources, store=store)
    job_id = bench.put("succeed")

    bench.run()

    assert store.n_rows_seen == [0]
    assert bench.files(job_id) == ["table"]


class StealingStore(LocalStore):
    """A store that expires the lease of the job after its files are stored, so that the job is rescued."""

    def __init__(self, bench: Bench, root: Path) -> None:
        super().__init__(root)
        self.bench = bench

    def put_file(self, key: str, path: Path) -> None:
        """Store the file, then expire the lease."""
        super().put_file(key, path)
        with self.bench.resources.sessions.begin() as session:
            session.execute(text("update jobs set lease_until = clock_timestamp() - interval '1 s'"))
            leases.reap(session, backoff_seconds=0)


def test_worker_with_a_late_result_publishes_nothing(bench: Bench, tmp_path: Path) -> None:
    own_store = bench.resources.store
    bench.resources = replace(bench.resources, store=StealingStore(bench, tmp_path / "stealing"))
    job_id = bench.put("succeed")

    bench.run()
    assert (bench.job(job_id).state, bench.files(job_id), bench.blobs()) == ("queued", [], [])

    bench.resources = replace(bench.resources, store=own_store)
    bench.run()
    assert bench.outcomes(job_id) == ["lost", "succeeded"]
    assert len(bench.blobs()) == 1


class FullStore(LocalStore):
    """A store without free space."""

    def put_file(self, key: str, path: Path) -> None:
        """Raise `StorageFull`."""
        raise StorageFull("Full.")

    def check_writable(self) -> None:
        """Raise `StorageFull`."""
        raise StorageFull("Full.")


@pytest.mark.parametrize("way", ["succeed", "lack_space", "lack_a_part", "err", "crash"])
def test_failures_on_a_full_disk_are_not_counted(bench: Bench, tmp_path: Path, way: str) -> None:
    store = bench.resources.store
    bench.resources = replace(bench.resources, store=FullStore(tmp_path / "full"))
    job_id = bench.put(way)

    assert all(bench.run() for _ in range(6))

    job = bench.job(job_id)
    assert (job.state, job.transient_failures, job.internal_errors, job.crashes) == ("queued", 0, 0, 0)
    assert bench.outcomes(job_id) == ["released"] * 6
    assert bench.files(job_id) == []
    bench.resources = replace(bench.resources, store=store)
    bench.run()
    assert (bench.job(job_id).state == "succeeded") == (way == "succeed")


def test_job_that_itself_fills_the_disk_is_tried_five_times(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def check(folder: Path) -> None:
        if any(path.name.isdecimal() for path in bench.resources.scratch_folder.iterdir()):
            raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(disks, "check_space", check)
    job_id = bench.put("lack_space")

    assert sum(bench.run() for _ in range(6)) == 5
    assert bench.job(job_id).error_code == "storage_full"


def test_invalid_data_fails_a_job_although_the_disk_is_full(bench: Bench, tmp_path: Path) -> None:
    bench.resources = replace(bench.resources, store=FullStore(tmp_path / "full"))
    job_id = bench.put("refuse")
    bench.run()
    assert bench.job(job_id).error_code == "ragged_rows"


@pytest.mark.parametrize("moment", ["before_commit", "after_commit"])
def test_job_ends_once_if_the_outcome_of_its_commit_was_unknown(bench: Bench, moment: str) -> None:
    """Lose the connection during the COMMIT that ends the job, before or after the commit takes effect."""
    job_id = bench.put("succeed")
    cuts: list[str] = []

    def cut_once(session: Session) -> None:
        if not cuts and _is_about_to_end(bench, job_id, session if moment == "before_commit" else None):
            cuts.append(moment)
            raise Unavailable("Cut off.")

    event.listen(bench.resources.sessions, moment, cut_once)
    bench.run()

    assert cuts == [moment]
    assert bench.job(job_id).state == "succeeded"
    assert (bench.files(job_id), len(bench.blobs())) == (["table"], 1)
    assert bench.outcomes(job_id) == ["succeeded"]


def _is_about_to_end(bench: Bench, job_id: UUID, session: Session | None) -> bool:
    if session is None:
        return bench.job(job_id).state == "succeeded"
    return bool(session.scalar(text("select count(*) from artifacts")))
