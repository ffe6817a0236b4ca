"""Tests for the errors of live samplers."""

from __future__ import annotations

import signal

import pytest

from app.error_handlers import status_of
from understudy.sandbox import Outcome, failures
from understudy.services.live_sampler import error_of

DETAILS = failures.DETAILS | {"time_limit": failures.TIME_DETAIL}


@pytest.mark.parametrize(
    ("code", "exit_signal", "status"),
    [
        ("out_of_memory", None, 422),
        ("out_of_memory", signal.SIGKILL, 503),
        ("time_limit", signal.SIGXCPU, 422),
        ("file_size_limit", None, 422),
        ("storage_full", None, 507),
        ("unavailable", None, 503),
        ("artifact_corrupt", None, 500),
        ("not_found", None, 404),
        ("invalid_model_file", None, 422),
        ("internal_error", None, 500),
        (None, signal.SIGSEGV, 503),
    ],
)
def test_error_of_a_sampler_does_not_mention_a_job_that_the_caller_created(
    code: str | None, exit_signal: int | None, status: int
):
    outcome = Outcome(False, None, code, DETAILS.get(code or "", "The file is damaged."), True, exit_signal)
    error = error_of(outcome)
    assert (status_of(error), error.code) == (status, code or "unavailable")
    assert not any(words in error.detail for words in ("The job", "the job", "worker", "running jobs"))
    if code in ("out_of_memory", "time_limit", "file_size_limit"):
        assert "job of kind `sample`" in error.detail
