"""Write the end of an attempt in one transaction, and try again while the database does not respond."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from understudy.db import job_attempts, leases
from understudy.db.job_attempts import AttemptEnd
from understudy.db.session import transaction_failpoint
from understudy.errors import NotFound, Unavailable
from understudy.failpoints import failpoint
from understudy.folder_removal import remove_folder
from understudy.logs import get_logger
from understudy.resources import Resources
from understudy.sandbox import Outcome
from understudy.services.disks import find_disk_problem
from understudy.services.failures import Failure, error_id, judge_error, write_failure
from understudy.services.job_records import abandon_job

if TYPE_CHECKING:
    from understudy.db.orm import Job

# Time in seconds for which writing the end of an attempt is retried if the database does not respond.
SETTLE_SECONDS = 20.0
RETRY_SECONDS = 0.2
RELEASED = AttemptEnd("released")

logger = get_logger(__name__)


@dataclass(frozen=True)
class Attempt:
    """A claimed job, with its fencing token, the attempt's folder and local copies of blobs.

    `queues` are the queues that the worker serves.
    """

    resources: Resources
    job: Job
    token: int
    folder: Path
    queues: tuple[str, ...]
    copies: ExitStack = field(default_factory=ExitStack)


def settle_result(
    attempt: Attempt, outcome: Outcome | None, write: Callable[[Session], Job | None]
) -> bool | None:
    try:
        return _settle(attempt, "succeeded", write)
    except IntegrityError:
        # A foreign key is violated: a row that the result refers to was deleted during the work.
        error: Exception = deleted_error()
    except NotFound as deleted:
        error = deleted
    except Exception as unexpected:  # This is the boundary of the process: a bug must end only the job.
        logger.exception("job_not_published")
        error = unexpected
    settle_failure(attempt, judge_error(error, outcome))
    return False


def deleted_error() -> NotFound:
    return NotFound(
        "A dataset or model that the job uses was deleted while the job was running. Create a job that uses "
        "existing datasets and models."
    )


def settle_cancel(attempt: Attempt, end: AttemptEnd) -> None:
    def write(session: Session) -> Job | None:
        row = leases.cancel(session, attempt.job.id, attempt.token, end)
        if row is not None:
            abandon_job(session, row)
        return row

    _settle(attempt, "cancelled", write)


def settle_release(attempt: Attempt, end: AttemptEnd = RELEASED) -> None:
    """Requeue the job without counting a failure. After an error, the job waits for a moment."""
    backoff_seconds = 0.0 if end.error_code is None else attempt.resources.settings.retry_backoff_seconds

    def write(session: Session) -> Job | None:
        row = leases.release(session, attempt.job.id, attempt.token, end, backoff_seconds=backoff_seconds)
        if row is not None:
            abandon_job(session, row)
        return row

    _settle(attempt, "released", write)
    attempt.resources.queue.ring(queue=attempt.job.queue)


def settle_failure(attempt: Attempt, failure: Failure) -> None:
    if failure.allowance is not None and _is_disk_full(attempt):
        settle_release(attempt, replace(failure.end, outcome="released", error_code="storage_full"))
        return

    def write(session: Session) -> Job | None:
        settings = attempt.resources.settings
        row = write_failure(session, attempt.job, attempt.token, failure, settings)
        if row is not None:
            abandon_job(session, row)
        return row

    facts = {"error_code": failure.error_code}
    if failure.error_code == "internal_error":
        # This detail contains only a location in the code. Details of other errors may contain column names.
        facts |= {"error_detail": failure.error_detail, "error_id": error_id(attempt.token)}
    _settle(attempt, failure.end.outcome, write, **facts)


def _is_disk_full(attempt: Attempt) -> bool:
    """Return whether a disk is full even without the files of the attempt.

    A full disk can cause any error: a library may hide the error code, and a process that writes to a mapped
    file is killed by a signal. A failure on a full disk is not counted, and the worker claims no jobs until
    there is space.
    """
    remove_files(attempt)
    return find_disk_problem(attempt.resources) is not None


def _settle(
    attempt: Attempt, outcome: str, write: Callable[[Session], Job | None], **facts: Any
) -> bool | None:
    """Write the end of the attempt in one transaction.

    The transaction is repeated while the database does not respond. If the connection breaks during COMMIT,
    the row of the attempt, which contains the token, shows whether the transaction was committed.

    Returns
    -------
    bool or None
        True if the end was written, False if the lease was lost, None if the result is unknown.
    """
    give_up_at = time.monotonic() + SETTLE_SECONDS
    step = "finish" if outcome == "succeeded" else "settle"
    while True:
        try:
            with attempt.resources.sessions.begin() as session:
                is_written = write(session) is not None or _has_ended(session, attempt.token, outcome)
                transaction_failpoint(session, f"{step}.before_commit")
            failpoint(f"{step}.after_commit")
        except Unavailable:
            if time.monotonic() > give_up_at:
                # `rescue_jobs` handles the job after its lease has expired.
                logger.warning("job_not_settled", outcome=outcome)
                return None
            time.sleep(RETRY_SECONDS)
        else:
            logger.info("job_ended" if is_written else "lease_lost", outcome=outcome, **facts)
            return is_written


def _has_ended(session: Session, token: int, outcome: str) -> bool:
    """Return whether an earlier transaction of this worker was committed."""
    return job_attempts.outcome(session, token) == outcome


def remove_files(attempt: Attempt) -> None:
    # The sweep later removes files that cannot be removed now.
    with suppress(OSError):
        attempt.copies.close()
        remove_folder(attempt.folder)
