"""Tests for cost estimates."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

from understudy.job_kinds.cost_model import READ_BYTES_PER_CELL, estimate_evaluate


def table(n_rows: int) -> Any:
    return SimpleNamespace(n_rows=n_rows, n_columns=10, dataset=SimpleNamespace(origin="sample"))


def test_memory_of_a_report_includes_rows_that_are_read_but_not_scored():
    small, large = (
        estimate_evaluate(table(n_rows), table(1_000)).peak_memory_bytes for n_rows in (500_000, 10_000_000)
    )
    assert large - small == 9_500_000 * 10 * READ_BYTES_PER_CELL
