"""Tests for the sandbox overhead benchmark."""

from __future__ import annotations

from benchmarks.sandbox_overhead import figures_of


def test_overhead_is_the_median_difference_within_a_pair():
    pairs = [((load + 3.0, 5.0), (load, 4.0)) for load in (1.0, 100.0, 10_000.0)]
    figures = figures_of(pairs)
    assert figures["wall_ms"]["overhead"] == 3.0
    assert figures["cpu_ms"]["overhead"] == 1.0
    assert figures["is_met"]


def test_overhead_above_the_limit_is_reported():
    assert not figures_of([((20.0, 5.0), (1.0, 4.0))] * 2)["is_met"]
