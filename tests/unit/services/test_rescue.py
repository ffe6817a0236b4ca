from __future__ import annotations

from sqlalchemy import text

from tests.unit.services.conftest import Bench
from understudy.job_queue import ListQueue
from understudy.resources import Resources
from understudy.services import health
from understudy.services.rescue import leave_worker, report_worker, rescue_jobs, ring_waiting_jobs


def test_messages_for_waiting_jobs_are_sent_again(bench: Bench, queue: ListQueue) -> None:
    report_worker(bench.resources, "w", concurrency=2)
    for _ in range(5):
        bench.put("succeed")
    queue.n_rings = 0

    assert ring_waiting_jobs(bench.resources) == 2
    assert queue.n_rings == 2


def test_message_is_sent_even_if_no_worker_is_registered(bench: Bench) -> None:
    bench.put("succeed")

    assert ring_waiting_jobs(bench.resources) == 1


def test_draining_worker_does_not_count_as_free_capacity(bench: Bench) -> None:
    report_worker(bench.resources, "w", concurrency=8, draining=True)
    report_worker(bench.resources, "v", concurrency=2)
    for _ in range(5):
        bench.put("succeed")

    assert ring_waiting_jobs(bench.resources) == 2


def test_no_message_is_sent_without_due_jobs(bench: Bench, queue: ListQueue) -> None:
    bench.put("succeed")
    bench.run()
    queue.n_rings = 0

    assert ring_waiting_jobs(bench.resources) == queue.n_rings == 0


def test_no_message_is_sent_for_a_job_that_waits_for_its_next_attempt(bench: Bench) -> None:
    bench.put("succeed")
    with bench.resources.sessions.begin() as session:
        session.execute(text("update jobs set run_after = clock_timestamp() + interval '1 minute'"))

    assert ring_waiting_jobs(bench.resources) == 0


def test_expired_job_is_failed_only_once(bench: Bench) -> None:
    job_id = bench.put("succeed")
    with bench.resources.sessions.begin() as session:
        session.execute(text("update jobs set expires_at = clock_timestamp()"))

    assert [rescue_jobs(bench.resources) for _ in range(2)] == [1, 0]
    assert bench.job(job_id).error_code == "expired"


def test_expired_job_of_a_removed_kind_fails_like_any_other_expired_job(bench: Bench) -> None:
    """Check that both jobs end, although the service no longer contains the kind of the first job."""
    first, second = bench.put("succeed"), bench.put("succeed")
    with bench.resources.sessions.begin() as session:
        session.execute(text("update jobs set expires_at = clock_timestamp()"))
        session.execute(text("update jobs set kind = 'gone' where id = :id"), {"id": first})

    assert rescue_jobs(bench.resources) == 2
    assert {bench.job(first).state, bench.job(second).state} == {"failed"}


def test_readiness_shows_whether_a_worker_is_alive(resources: Resources) -> None:
    before = health.checks(resources)
    report_worker(resources, "w", concurrency=1)
    with_worker = health.checks(resources)
    leave_worker(resources, "w")
    after = health.checks(resources)

    assert set(with_worker.values()) == {"ok"}
    assert set(with_worker) == {"broker", "database", "storage", "workers"}
    assert before["workers"] == after["workers"] != "ok"


def test_worker_without_recent_heartbeats_does_not_count_as_alive(resources: Resources) -> None:
    report_worker(resources, "w", concurrency=1)
    with resources.sessions.begin() as session:
        session.execute(text("update workers set seen_at = clock_timestamp() - interval '16 s'"))

    assert health.checks(resources)["workers"] != "ok"


def test_worker_sends_messages_only_for_its_queues(bench: Bench) -> None:
    bench.put("succeed")
    set_queue(bench, "gpu")
    bench.put("succeed")

    assert ring_waiting_jobs(bench.resources) == 1
    assert ring_waiting_jobs(bench.resources, ("gpu",)) == 1
    assert ring_waiting_jobs(bench.resources, ("default", "gpu")) == 2


def test_worker_runs_only_jobs_of_its_queues(bench: Bench) -> None:
    job_id = bench.put("succeed")
    set_queue(bench, "gpu")

    assert not bench.run()
    assert bench.run(queues=("gpu",))
    assert bench.job(job_id).state == "succeeded"


def set_queue(bench: Bench, queue: str) -> None:
    """Move all jobs to a queue."""
    with bench.resources.sessions.begin() as session:
        session.execute(text("update jobs set queue = :queue"), {"queue": queue})
