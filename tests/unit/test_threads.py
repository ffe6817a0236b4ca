"""Tests for the number of threads that a job uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from understudy.sandbox import Sandbox
from understudy.threads import N_THREADS_MAX, VARIABLE, count_cores, count_threads


@pytest.mark.parametrize(("text", "limit"), [("1", 1), ("", N_THREADS_MAX), ("0", N_THREADS_MAX), ("x", 8)])
def test_number_of_threads_is_limited_by_the_variable(
    monkeypatch: pytest.MonkeyPatch, text: str, limit: int
) -> None:
    monkeypatch.setenv(VARIABLE, text)
    assert count_threads() == min(limit, count_cores())


def test_number_of_threads_equals_the_number_of_processors_by_default(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv(VARIABLE, raising=False)
    assert count_threads() == min(count_cores(), N_THREADS_MAX)


def test_jobs_inherit_the_number_of_threads_of_their_slot(tmp_path: Path) -> None:
    with Sandbox("tests.unit.sandbox.works:run", threads=3) as sandbox:
        environment = sandbox._environment()
    names = ("OMP_NUM_THREADS", "NUMBA_NUM_THREADS", "ARROW_IO_THREADS")
    assert {environment[name] for name in names} == {"3"}
