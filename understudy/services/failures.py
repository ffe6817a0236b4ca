"""Classification of failed attempts, which determines whether and how often a job is retried."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

from understudy.db.job_attempts import AttemptEnd
from understudy.db.leases import CRASHES, Allowance
from understudy.errors import CODES, UnderstudyError
from understudy.sandbox import Outcome
from understudy.sandbox.failures import DURATION_DETAIL

TRANSIENT_CODES = {"unavailable", "storage_full"}
TRANSIENT_FAILURES_MAX = 5
# Error codes that are also outcomes of attempts.
OWN_OUTCOMES = {"out_of_memory", "time_limit"}

INTERNAL_ERRORS = Allowance(
    "internal_errors",
    2,
    "internal_error",
    "An unexpected error occurred twice. Ask your administrator to search the worker's logs for the job ID.",
)


@dataclass(frozen=True)
class Failure:
    """A failed attempt. The job is retried only if the failure has a retry allowance."""

    error_code: str
    error_detail: str
    end: AttemptEnd
    allowance: Allowance | None


def judge_outcome(outcome: Outcome) -> Failure:
    """Return the failure that corresponds to an unsuccessful outcome of the work."""
    if outcome.error_code is None:
        return Failure("worker_crashed", CRASHES.error_detail, _end(outcome, "crashed", None), CRASHES)
    code = outcome.error_code if outcome.error_code in CODES else "internal_error"
    end = _end(outcome, code if code in OWN_OUTCOMES else "failed", code)
    detail = outcome.error_detail or f"{CODES[code]}."
    return Failure(code, detail, end, _allowance(code, detail))


def judge_duration(outcome: Outcome | None) -> Failure:
    """Return the failure of work that took longer than its limit."""
    code = "time_limit"
    return Failure(code, DURATION_DETAIL, _end(outcome, code, code), None)


def judge_error(error: Exception, outcome: Outcome | None = None) -> Failure:
    """Return the failure for an error that occurred while work was prepared or its result was stored."""
    code, detail = _code_and_detail(error)
    return Failure(code, detail, _end(outcome, "failed", code), _allowance(code, detail))


def _code_and_detail(error: Exception) -> tuple[str, str]:
    if isinstance(error, UnderstudyError):
        return error.code, error.detail
    if isinstance(error, OSError):
        code = "storage_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "unavailable"
        return code, f"{CODES[code]}: {os.strerror(error.errno or 0)}."
    return "internal_error", INTERNAL_ERRORS.error_detail


def _allowance(code: str, detail: str) -> Allowance | None:
    if code in TRANSIENT_CODES:
        return Allowance("transient_failures", TRANSIENT_FAILURES_MAX, code, detail)
    return INTERNAL_ERRORS if code == "internal_error" else None


def _end(outcome: Outcome | None, name: str, code: str | None) -> AttemptEnd:
    if outcome is None:
        return AttemptEnd(name, error_code=code)
    return AttemptEnd(
        name,
        error_code=code,
        exit_signal=outcome.exit_signal,
        peak_memory_bytes=outcome.peak_memory_bytes,
        cpu_seconds=outcome.cpu_seconds,
    )


def successful_end(outcome: Outcome | None, name: str = "succeeded") -> AttemptEnd:
    """Return the end of an attempt that ended without an error."""
    return _end(outcome, name, None)
