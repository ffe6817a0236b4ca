"""Execution of one job by a worker: claim, plan, run in the sandbox with heartbeats, store, finish.

    claim ─ plan ─ sandbox ─┬─ ok ──────── store files ─ one transaction: rows of the result, artifacts, state
                            ├─ failed ──── fail permanently, or queue again after a pause
                            ├─ cancelled ─ set the state; no result becomes readable
                            ├─ draining, or a full disk ── release the job for another worker
                            └─ lease lost: change nothing, because another worker may have the job

Every write compares the fencing token, so any step can be interrupted or delayed without harm.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Collection
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from understudy import counters, ids
from understudy.db import artifacts, claims, job_attempts, leases
from understudy.db.artifacts import NewArtifact
from understudy.db.claims import Claimant
from understudy.db.job_attempts import AttemptEnd
from understudy.db.session import transaction_failpoint
from understudy.errors import NotFound, Unavailable
from understudy.failpoints import failpoint
from understudy.folder_removal import remove_folder
from understudy.job_kinds import KINDS
from understudy.logs import bound, get_logger
from understudy.parameters.base import JobParameters, Json
from understudy.parameters.needs import DEFAULT_QUEUE
from understudy.resources import CODE_VERSION, Resources
from understudy.sandbox import Outcome, Run, Sandbox
from understudy.services.blob_keys import KeyParts
from understudy.services.disks import find_disk_problem
from understudy.services.failures import (
    Failure,
    error_id,
    judge_duration,
    judge_error,
    judge_outcome,
    successful_end,
    write_failure,
)
from understudy.services.heartbeats import Heartbeat
from understudy.services.job_progress import JobProgress
from understudy.services.job_records import abandon_job, facts_of, kind_of, parameters_of
from understudy.services.job_requests import make_request
from understudy.services.results import Result, discard, keys_of, store_result
from understudy.services.shard_results import join_shards
from understudy.services.sharded_runs import Ending, ShardedRun, cancel_shards, shards_of
from understudy.services.watched_runs import Reasons, Watched, ends_at, watch
from understudy.tracing import job_span

if TYPE_CHECKING:
    from understudy.db.orm import Job

# Time in seconds during which the end of an attempt is written again if the database does not respond.
SETTLE_SECONDS = 20.0
RETRY_SECONDS = 0.2
# Time in seconds during which a worker claims no job after the process of a job could not start.
SICK_SECONDS = 1.0

logger = get_logger(__name__)


def never() -> bool:
    """Return False. This function is for a worker that is never draining."""
    return False


@dataclass(frozen=True)
class Attempt:
    """A claimed job, the fencing token of the claim, the folder of the attempt and its copies of blobs."""

    resources: Resources
    job: Job
    token: int
    folder: Path
    copies: ExitStack = field(default_factory=ExitStack)


def run_next_job(
    resources: Resources,
    sandbox: Sandbox,
    worker_name: str,
    *,
    queues: Collection[str] = (DEFAULT_QUEUE,),
    is_draining: Callable[[], bool] = never,
) -> bool:
    """Run the next due job of the given queues, and return False if there is none.

    Parameters
    ----------
    is_draining : callable
        The function is called several times per second. If it returns True, the job is released for another
        worker.
    """
    sent_at = time.monotonic()
    claimant = Claimant(
        worker_name,
        CODE_VERSION,
        tuple(KINDS),
        tuple(queues),
        running_jobs_max=resources.limits.running_jobs_max,
    )
    with resources.sessions.begin() as session:
        job = claims.claim(session, claimant, lease_seconds=resources.settings.lease_seconds)
        if job is not None:
            transaction_failpoint(session, "claim.before_commit")
    if job is None:
        return False
    failpoint("claim.after_commit")
    assert job.lease_token is not None
    folder = resources.scratch_folder / str(job.lease_token)
    attempt = Attempt(resources, job, job.lease_token, folder)
    text_id = ids.to_text("job", job.id)
    span = job_span(job.trace_context, job_id=text_id, kind=job.kind, attempt=job.attempt)
    with bound(job_id=text_id), span:
        parts = shards_of(resources, job)
        if parts:
            _run_shards(attempt, sandbox, sent_at, parts, is_draining)
        else:
            _run_attempt(attempt, sandbox, sent_at, is_draining)
    return True


def _run_shards(
    attempt: Attempt,
    sandbox: Sandbox,
    sent_at: float,
    parts: dict[int, JobParameters],
    is_draining: Callable[[], bool],
) -> None:
    """Run a job that consists of shards, until they have ended or the job must stop."""

    def run_shard(shard: Job, claimed_at: float) -> None:
        assert shard.lease_token is not None
        folder = attempt.resources.scratch_folder / str(shard.lease_token)
        with bound(job_id=ids.to_text("job", shard.id), shard=str(shard.shard)):
            run = Attempt(attempt.resources, shard, shard.lease_token, folder)
            _run_attempt(run, sandbox, claimed_at, is_draining)

    logger.info("job_started", kind=attempt.job.kind, attempt=attempt.job.attempt, n_shards=len(parts))
    run = ShardedRun(attempt.resources, attempt.job, attempt.token, run_shard, is_draining)
    heartbeat = _heartbeat(attempt, sent_at, run.read_progress)
    try:
        with heartbeat:
            ending = run.run(parts, heartbeat)
    except (KeyboardInterrupt, SystemExit):
        _settle_release(attempt)
        raise
    except Exception as error:  # Any exception ends the job, not the worker.
        logger.exception("job_not_run")
        _settle_failure(attempt, judge_error(error))
        return
    _conclude_shards(attempt, ending)


def _conclude_shards(attempt: Attempt, ending: Ending) -> None:
    if ending.outcome == "lost":
        logger.warning("lease_lost")
    elif ending.outcome == "cancelled":
        _settle_cancel(attempt, successful_end(None, "cancelled"))
    elif ending.outcome == "released":
        _settle_release(attempt)
    elif ending.error is not None:
        end = AttemptEnd("failed", error_code=ending.error.code)
        _settle_failure(attempt, Failure(ending.error.code, ending.error.detail, end, None))
        cancel_shards(attempt.resources, attempt.job)
    else:
        _settle_result(attempt, None, lambda session: join_shards(session, attempt.job, attempt.token))


def _run_attempt(attempt: Attempt, sandbox: Sandbox, sent_at: float, is_draining: Callable[[], bool]) -> None:
    logger.info("job_started", kind=attempt.job.kind, attempt=attempt.job.attempt)
    try:
        attempt.folder.mkdir(parents=True, mode=0o700)
        # Copying large inputs from an object store may take longer than a lease.
        with _heartbeat(attempt, sent_at) as copying:
            request = make_request(attempt.resources, attempt.job, attempt.folder, attempt.copies)
        failpoint("input.after")
        run = sandbox.start(request)
    except Exception as error:  # Any exception ends the job, not the worker.
        logger.exception("job_not_started")
        _settle_failure(attempt, judge_error(error))
        _remove(attempt)
        return
    try:
        _work(attempt, run, sent_at, is_draining, copying.beat_at)
    except (KeyboardInterrupt, SystemExit):
        # The process itself must stop, so the job is released for another worker.
        run.kill()
        _settle_release(attempt)
        raise
    finally:
        run.close()
        failpoint("cleanup.before")
        _remove(attempt)


def _heartbeat(
    attempt: Attempt, sent_at: float, read_progress: Callable[[], Json | None] = lambda: None
) -> Heartbeat:
    progress = JobProgress(KINDS[attempt.job.kind].phases)
    return Heartbeat(
        attempt.resources,
        attempt.job.id,
        attempt.token,
        sent_at=sent_at,
        read_progress=lambda: progress.update(read_progress()),
    )


def _work(
    attempt: Attempt, run: Run, sent_at: float, is_draining: Callable[[], bool], beat_at: float
) -> None:
    heartbeat = _heartbeat(attempt, beat_at, lambda: run.progress)
    try:
        with heartbeat:
            watched = watch(
                run,
                Reasons(heartbeat, is_draining, ends_at(attempt.resources.settings, attempt.job, sent_at)),
            )
            result = _store(attempt, watched, heartbeat)
        _conclude(attempt, watched, result, heartbeat)
    except Exception as error:  # Any exception ends the job, not the worker.
        run.kill()
        logger.exception("job_not_stored")
        _settle_failure(attempt, judge_error(error))


def _store(attempt: Attempt, watched: Watched, heartbeat: Heartbeat) -> Result | None:
    """Store the files of successful work. Heartbeats continue during this time."""
    outcome = watched.outcome
    if outcome is None or not outcome.ok or watched.stopped_by in ("cancelled", "lost") or heartbeat.is_lost:
        return None
    failpoint("store.before")
    key = KeyParts(attempt.job.project_id, attempt.job.id, attempt.token)
    return store_result(attempt.resources, key, attempt.folder / "work", outcome.result or {})


def _conclude(attempt: Attempt, watched: Watched, result: Result | None, heartbeat: Heartbeat) -> None:
    """Write the end of the attempt to the database."""
    outcome = watched.outcome
    if watched.stopped_by == "lost":
        counters.count("lease_losses")
        logger.warning("lease_lost")
    elif watched.stopped_by == "cancelled" or heartbeat.is_cancel_requested:
        _settle_cancel(attempt, successful_end(outcome, "cancelled"))
    elif outcome is not None and result is not None:
        _finish(attempt, outcome, result)
        return
    elif watched.stopped_by == "released":
        _settle_release(attempt)
    elif outcome is not None and not outcome.has_started:
        # The machine or the sandbox is not well, which is not the fault of the job.
        logger.warning("job_process_not_started")
        _settle_release(attempt, "unavailable")
        # Otherwise, this worker would claim and release all queued jobs in a moment.
        time.sleep(SICK_SECONDS)
    elif outcome is None or watched.stopped_by == "time_limit":
        _settle_failure(attempt, judge_duration(outcome))
    else:
        _settle_failure(attempt, judge_outcome(outcome))
    if result is not None:
        discard(attempt.resources.store, keys_of(result.files))


def _finish(attempt: Attempt, outcome: Outcome, result: Result) -> None:
    """Publish the whole result or nothing, in the transaction that ends the job."""
    failpoint("finish.before")
    upload_keys: list[str] = []

    def write(session: Session) -> Job | None:
        upload_keys[:] = []
        row = leases.hold(session, attempt.job.id, attempt.token)
        if row is None:
            return None
        if row.erased_at is not None:
            raise _deleted()
        job_result = kind_of(row).publish(
            session, facts_of(row), parameters_of(row), result.files, result.facts
        )
        _add_artifacts(session, row, attempt.token, result)
        upload_keys.extend(artifacts.delete_of_jobs(session, row.project_id, [row.id], role="upload"))
        return leases.finish(session, row.id, attempt.token, result=job_result, end=successful_end(outcome))

    is_written = _settle_result(attempt, outcome, write)
    if is_written:
        discard(attempt.resources.store, upload_keys)
    elif is_written is False:
        discard(attempt.resources.store, keys_of(result.files))


def _settle_result(
    attempt: Attempt, outcome: Outcome | None, write: Callable[[Session], Job | None]
) -> bool | None:
    try:
        return _settle(attempt, "succeeded", write)
    except IntegrityError:
        # A foreign key is violated: a row that the result refers to was deleted during the work.
        error: Exception = _deleted()
    except NotFound as deleted:
        error = deleted
    except Exception as unexpected:  # This is the boundary of the process: a bug must end only the job.
        logger.exception("job_not_published")
        error = unexpected
    _settle_failure(attempt, judge_error(error, outcome))
    return False


def _deleted() -> NotFound:
    return NotFound(
        "A dataset or model that the job uses was deleted while it ran. Create a job with existing data."
    )


def _add_artifacts(session: Session, row: Job, token: int, result: Result) -> None:
    for role, file in result.files.items():
        new = NewArtifact(role, token, file.storage_key, file.sha256, file.size_bytes)
        artifacts.add(session, row.project_id, row.id, new)


def _settle_cancel(attempt: Attempt, end: AttemptEnd) -> None:
    def write(session: Session) -> Job | None:
        row = leases.cancel(session, attempt.job.id, attempt.token, end)
        if row is not None:
            abandon_job(session, row)
        return row

    _settle(attempt, "cancelled", write)


def _settle_release(attempt: Attempt, error_code: str | None = None) -> None:
    """Requeue the job without counting a failure. After an error, the job waits for a moment."""
    backoff_seconds = 0.0 if error_code is None else attempt.resources.settings.retry_backoff_seconds

    def write(session: Session) -> Job | None:
        end = AttemptEnd("released", error_code=error_code)
        row = leases.release(session, attempt.job.id, attempt.token, end, backoff_seconds=backoff_seconds)
        if row is not None:
            abandon_job(session, row)
        return row

    _settle(attempt, "released", write)
    attempt.resources.queue.ring(queue=attempt.job.queue)


def _settle_failure(attempt: Attempt, failure: Failure) -> None:
    if failure.allowance is not None and _is_disk_full(attempt):
        _settle_release(attempt, "storage_full")
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

    A full disk can cause any error: a library may hide its code, and a process that writes to a mapped file
    is killed by a signal. Such a failure counts for nothing, and the worker claims no jobs until there is
    space.
    """
    _remove(attempt)
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


def _remove(attempt: Attempt) -> None:
    # The sweep later removes files that cannot be removed now.
    with suppress(OSError):
        attempt.copies.close()
        remove_folder(attempt.folder)
