"""Tests for worker slots without a broker."""

from __future__ import annotations

import threading

from workers.slots import Slots

ENOUGH_SECONDS = 60.0


class Jobs:
    """Jobs that run until the test lets them end."""

    def __init__(self) -> None:
        self.started = threading.Semaphore(0)
        self.may_end = threading.Semaphore(0)

    def run(self) -> None:
        self.started.release()
        self.may_end.acquire(timeout=ENOUGH_SECONDS)

    def n_started(self, n_at_most: int) -> int:
        """Wait until `n_at_most` jobs have started. Return their number, plus 1 if another one starts."""
        n_started = sum(self.started.acquire(timeout=ENOUGH_SECONDS) for _ in range(n_at_most))
        return n_started + self.started.acquire(timeout=0.1)


def test_each_slot_looks_for_jobs_at_the_start() -> None:
    jobs = Jobs()
    slots = Slots(3, jobs.run)
    slots.start()
    assert jobs.n_started(3) == 3
    jobs.may_end.release(3)
    slots.stop(ENOUGH_SECONDS)


def test_notification_wakes_the_requested_number_of_idle_slots() -> None:
    jobs = Jobs()
    slots = Slots(3, jobs.run)
    slots.start()
    assert jobs.n_started(3) == 3
    jobs.may_end.release(3)

    slots.ring(2)

    assert jobs.n_started(2) == 2
    jobs.may_end.release(2)
    slots.stop(ENOUGH_SECONDS)


def test_notification_during_a_job_is_not_lost() -> None:
    jobs = Jobs()
    slots = Slots(1, jobs.run)
    slots.start()
    assert jobs.n_started(1) == 1
    slots.ring()
    jobs.may_end.release()

    assert jobs.n_started(1) == 1

    jobs.may_end.release()
    slots.stop(ENOUGH_SECONDS)


def test_slot_survives_an_error() -> None:
    calls = threading.Semaphore(0)

    def fail() -> None:
        calls.release()
        raise ValueError

    slots = Slots(1, fail)
    slots.start()
    for _ in range(2):
        assert calls.acquire(timeout=ENOUGH_SECONDS)
        slots.ring()
    slots.stop(ENOUGH_SECONDS)
    assert not any(thread.name.startswith("slot-") for thread in threading.enumerate())


def test_stop_waits_for_running_jobs_and_starts_no_other_job() -> None:
    jobs = Jobs()
    slots = Slots(1, jobs.run)
    slots.start()
    assert jobs.n_started(1) == 1
    slots.ring()
    stopping = threading.Thread(target=slots.stop, args=(ENOUGH_SECONDS,))
    stopping.start()
    stopping.join(0.1)
    assert stopping.is_alive()

    jobs.may_end.release()

    stopping.join(ENOUGH_SECONDS)
    assert not stopping.is_alive()
    assert not jobs.started.acquire(blocking=False)
