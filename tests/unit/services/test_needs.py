"""Tests for job resource limits and worker queues."""

from __future__ import annotations

import pytest

from understudy.errors import Conflict
from understudy.parameters.needs import Needs
from understudy.services.job_requests import sandbox_limits
from understudy.services.live_rows import check_queue
from understudy.settings import Settings

GIBIBYTE = 1 << 30


@pytest.fixture
def installation(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("UNDERSTUDY_WORKER_QUEUES", "default,gpu")
    return Settings(job_memory_bytes_max=4 * GIBIBYTE, job_cpu_seconds_max=600, job_file_bytes_max=GIBIBYTE)


def test_job_has_the_limits_of_the_installation_by_default(installation: Settings) -> None:
    limits = sandbox_limits(installation, Needs())
    assert (limits.memory_bytes, limits.cpu_seconds) == (4 * GIBIBYTE, 600)


def test_job_can_have_lower_limits_but_never_higher_ones(installation: Settings) -> None:
    limits = sandbox_limits(installation, Needs(memory_bytes_max=GIBIBYTE, cpu_seconds_max=3600))
    assert (limits.memory_bytes, limits.cpu_seconds) == (GIBIBYTE, 600)


def test_queues_of_a_worker_are_read_from_its_environment(installation: Settings) -> None:
    assert installation.worker_queues == ("default", "gpu")


def test_only_models_of_the_default_queue_provide_live_rows() -> None:
    check_queue(Needs())
    with pytest.raises(Conflict, match=r"`gpu`.*job of kind `sample`"):
        check_queue(Needs(queue="gpu"))
