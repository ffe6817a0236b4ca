from __future__ import annotations

from sqlalchemy import text

from tests.unit.services.conftest import Bench
from understudy.job_queue import ListQueue
from understudy.resources import Resources
from understudy.services import health
from understudy.services.rescue import leave_worker, report_worker, rescue_jobs, ring_waiting_jobs


def test_all_messages_lost_changes_nothing_but_the_time(bench: Bench, queue: ListQueue) -> None:
    report_worker(bench.resources, "w", concurrency=2)
    for _ in range(5):
        bench.put("succeed")
    queue.n_rings = 0

    assert ring_waiting_jobs(bench.resources) == 2
    assert queue.n_rings == 2


def test_bell_is_rung_though_no_worker_is_known(bench: Bench) -> None:
    bench.put("succeed")

    assert ring_waiting_jobs(bench.resources) == 1


def test_draining_worker_has_no_slots(bench: Bench) -> None:
    report_worker(bench.resources, "w", concurrency=8, draining=True)
    report_worker(bench.resources, "v", concurrency=2)
    for _ in range(5):
        bench.put("succeed")

    assert ring_waiting_jobs(bench.resources) == 2


def test_bell_is_silent_without_work(bench: Bench, queue: ListQueue) -> None:
    bench.put("succeed")
    bench.run()
    queue.n_rings = 0

    assert ring_waiting_jobs(bench.resources) == queue.n_rings == 0


def test_job_that_pauses_is_not_rung_for(bench: Bench) -> None:
    bench.put("succeed")
    with bench.resources.sessions.begin() as session:
        session.execute(text("update jobs set run_after = clock_timestamp() + interval '1 minute'"))

    assert ring_waiting_jobs(bench.resources) == 0


def test_job_that_expired_is_settled_once(bench: Bench) -> None:
    job_id = bench.put("succeed")
    with bench.resources.sessions.begin() as session:
        session.execute(text("update jobs set expires_at = clock_timestamp()"))

    assert [rescue_jobs(bench.resources) for _ in range(2)] == [1, 0]
    assert bench.job(job_id).error_code == "expired"


def test_job_whose_kind_is_gone_still_ends(bench: Bench) -> None:
    """A bug in settling one job keeps neither it nor the others from their end."""
    first, second = bench.put("succeed"), bench.put("succeed")
    with bench.resources.sessions.begin() as session:
        session.execute(text("update jobs set expires_at = clock_timestamp()"))
        session.execute(text("update jobs set kind = 'gone' where id = :id"), {"id": first})

    assert rescue_jobs(bench.resources) == 2
    assert {bench.job(first).state, bench.job(second).state} == {"failed"}


def test_readiness_names_what_is_missing(resources: Resources) -> None:
    before = health.checks(resources)
    report_worker(resources, "w", concurrency=1)
    with_worker = health.checks(resources)
    leave_worker(resources, "w")
    after = health.checks(resources)

    assert set(with_worker.values()) == {"ok"}
    assert set(with_worker) == {"broker", "database", "storage", "workers"}
    assert before["workers"] == after["workers"] != "ok"


def test_worker_that_fell_silent_is_no_worker(resources: Resources) -> None:
    report_worker(resources, "w", concurrency=1)
    with resources.sessions.begin() as session:
        session.execute(text("update workers set seen_at = clock_timestamp() - interval '16 s'"))

    assert health.checks(resources)["workers"] != "ok"


def test_a_worker_rings_for_the_jobs_of_its_queues_only(bench: Bench) -> None:
    bench.put("succeed")
    set_queue(bench, "gpu")
    bench.put("succeed")

    assert ring_waiting_jobs(bench.resources) == 1
    assert ring_waiting_jobs(bench.resources, ("gpu",)) == 1
    assert ring_waiting_jobs(bench.resources, ("default", "gpu")) == 2


def test_a_worker_runs_the_jobs_of_its_queues_only(bench: Bench) -> None:
    job_id = bench.put("succeed")
    set_queue(bench, "gpu")

    assert not bench.run()
    assert bench.run(queues=("gpu",))
    assert bench.job(job_id).state == "succeeded"


def set_queue(bench: Bench, queue: str) -> None:
    """Let all jobs wait for the workers of a queue."""
    with bench.resources.sessions.begin() as session:
        session.execute(text("update jobs set queue = :queue"), {"queue": queue})
