"""Tests for the benchmark that compares the CPU time of two versions."""

from __future__ import annotations

import pytest

from benchmarks.fit_cost import summarize


def test_ratios_compare_medians_and_minimums_of_each_fit() -> None:
    base = [[1.0, 0.5], [2.0, 0.4], [4.0, 0.8]]
    own = [[1.5, 0.5], [3.0, 0.6], [9.0, 0.2]]
    summary = summarize(base, own)
    assert summary["first_median"] == {"base_cpu_s": 2.0, "cpu_s": 3.0, "ratio": 1.5}
    assert summary["first_minimum"]["ratio"] == 1.5
    assert summary["second_median"]["ratio"] == pytest.approx(1.0)
    assert summary["second_minimum"]["ratio"] == pytest.approx(0.5)
