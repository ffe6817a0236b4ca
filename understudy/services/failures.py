"""Classification of failed attempts, which determines whether and how often a job is retried."""

from __future__ import annotations

import errno
import os
import signal
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from understudy.db import leases
from understudy.db.job_attempts import AttemptEnd
from understudy.db.leases import CRASHES, Allowance, JobError, Retry
from understudy.errors import CODES, UnderstudyError
from understudy.parameters.needs import DEFAULT_QUEUE, LARGE_QUEUE
from understudy.resources import ResourceSettings
from understudy.sandbox import Outcome
from understudy.sandbox.failures import DURATION_DETAIL
from understudy.services.failure_classes import class_of

if TYPE_CHECKING:
    from understudy.db.orm import Job

TRANSIENT_FAILURES_MAX = 5
# A job that exceeds a worker's memory limit is retried once on the `large` queue.
MEMORY_FAILURES_MAX = 2
# Error codes that are also outcomes of attempts.
OWN_OUTCOMES = {"out_of_memory", "time_limit"}

INTERNAL_ERRORS_MAX = 2
INTERNAL_ERROR_DETAIL = (
    "An unexpected error occurred twice. Ask your administrator to search the worker's logs for the job ID."
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


def write_failure(
    session: Session, job: Job, token: int, failure: Failure, settings: ResourceSettings
) -> Job | None:
    """Requeue a job after a failed attempt, or end it. If the lease is lost, return None and write nothing.

    A job that exceeded its memory is tried again only if there are workers with more memory.
    """
    allowance, queue = failure.allowance, None
    if allowance is not None and class_of(failure.error_code) == "memory":
        queue = LARGE_QUEUE
        if settings.large_job_bytes is None or job.queue != DEFAULT_QUEUE:
            allowance = None
    elif allowance is not None and class_of(failure.error_code) == "bug":
        detail = f"{allowance.error_detail} The ID of the error is {error_id(token)}."
        allowance = replace(allowance, error_detail=detail)
    if allowance is None:
        error = JobError(failure.error_code, failure.error_detail + _memory_facts(failure, settings))
        return leases.fail(session, job.id, token, error=error, end=failure.end)
    retry = Retry(allowance, settings.retry_backoff_seconds, queue)
    return leases.try_again(session, job.id, token, retry=retry, end=failure.end)


def error_id(token: int) -> str:
    """Return the ID that identifies an unexpected error in the logs of workers."""
    return f"err-{token}"


def _memory_facts(failure: Failure, settings: ResourceSettings) -> str:
    peak = failure.end.peak_memory_bytes
    if class_of(failure.error_code) != "memory" or peak is None:
        return ""
    if failure.end.exit_signal == signal.SIGKILL:
        # The control group's limit applied, not the job's limit.
        return f" The peak was {_mib(peak)}."
    return f" The peak was {_mib(peak)}, and the limit is {_mib(settings.job_memory_bytes_max)}."


def _mib(n_bytes: int) -> str:
    return f"{n_bytes >> 20:,} MiB"


def _code_and_detail(error: Exception) -> tuple[str, str]:
    if isinstance(error, UnderstudyError):
        return error.code, error.detail
    if isinstance(error, OSError):
        code = "storage_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "unavailable"
        return code, f"{CODES[code]}: {os.strerror(error.errno or 0)}."
    return "internal_error", INTERNAL_ERROR_DETAIL


def _allowance(code: str, detail: str) -> Allowance | None:
    match class_of(code):
        case "transient":
            return Allowance("transient_failures", TRANSIENT_FAILURES_MAX, code, detail)
        case "bug":
            return Allowance("internal_errors", INTERNAL_ERRORS_MAX, code, INTERNAL_ERROR_DETAIL)
        case "memory":
            return Allowance("memory_failures", MEMORY_FAILURES_MAX, code, detail)
        case "crash":
            return CRASHES
        case _:
            return None


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
