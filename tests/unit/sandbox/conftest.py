"""A sandbox for misbehaving work, shared by all tests in a module."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from understudy.sandbox import Outcome, Run, Sandbox, SandboxLimits, SandboxRequest

GIBIBYTE = 1 << 30
LIMITS = SandboxLimits(memory_bytes=2 * GIBIBYTE, cpu_seconds=10, file_bytes=1 << 20, folder_bytes=1 << 22)
ENOUGH_SECONDS = 60.0


@pytest.fixture(scope="module")
def hostile() -> Iterator[Sandbox]:
    with Sandbox("tests.unit.sandbox.works:run", preload=["pyarrow"]) as sandbox:
        yield sandbox


@pytest.fixture
def start(hostile: Sandbox, tmp_path: Path) -> Iterator[object]:
    runs: list[Run] = []

    def start(do: str, limits: SandboxLimits = LIMITS, **payload: object) -> Run:
        run = hostile.start(SandboxRequest({"do": do, **payload}, tmp_path, limits))
        runs.append(run)
        return run

    yield start
    for run in runs:
        run.close()


@pytest.fixture
def finish(start):
    def finish(do: str, limits: SandboxLimits = LIMITS, **payload: object) -> Outcome:
        outcome = start(do, limits, **payload).wait(ENOUGH_SECONDS)
        assert outcome is not None
        return outcome

    return finish
