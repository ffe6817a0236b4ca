"""Tests for the benchmark that compares the CPU time of two versions."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from benchmarks.fit_cost import MEASURED, ROOT, summarize


def test_ratios_compare_medians_and_minimums_of_each_fit() -> None:
    base = [[1.0, 0.5], [2.0, 0.4], [4.0, 0.8]]
    own = [[1.5, 0.5], [3.0, 0.6], [9.0, 0.2]]
    summary = summarize(base, own)
    assert summary["first_median"] == {"base_cpu_s": 2.0, "cpu_s": 3.0, "ratio": 1.5}
    assert summary["first_minimum"]["ratio"] == 1.5
    assert summary["second_median"]["ratio"] == pytest.approx(1.0)
    assert summary["second_minimum"]["ratio"] == pytest.approx(0.5)


def test_each_line_of_input_prints_the_seconds_of_two_fits(tmp_path: Path) -> None:
    numbers = np.random.default_rng(0).normal(size=200)
    pq.write_table(pa.table({"x": numbers, "y": np.floor(numbers)}), tmp_path / "table.parquet")
    command = [sys.executable, "-P", str(MEASURED), str(tmp_path / "table.parquet"), "fast"]
    done = subprocess.run(command, input="\n\n", stdout=subprocess.PIPE, text=True, check=True, cwd=ROOT)
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [len(seconds) for seconds in answers] == [2, 2]
    assert all(first > second > 0 for first, second in answers)


def test_failed_fit_ends_the_measurement(tmp_path: Path) -> None:
    pq.write_table(pa.table({"x": [1]}).slice(1), tmp_path / "table.parquet")
    command = [sys.executable, "-P", str(MEASURED), str(tmp_path / "table.parquet"), "fast"]
    done = subprocess.run(command, input="\n", capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 1
    assert not done.stdout
