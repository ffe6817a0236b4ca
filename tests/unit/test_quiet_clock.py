"""Tests for the clock that measures time limits in the soak."""

from __future__ import annotations

import time

from tests.faults.pace import QuietClock, measure_slowness


def test_clock_advances_and_is_not_faster_than_the_monotonic_clock() -> None:
    began = time.monotonic()
    clock = QuietClock()
    readings = []
    for _ in range(20):
        readings.append(clock.seconds())
        time.sleep(0.05)
    assert readings == sorted(readings)
    assert 0 < clock.seconds() <= time.monotonic() - began


def test_slowness_is_at_least_one() -> None:
    assert measure_slowness() >= 1
