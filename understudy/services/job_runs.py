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
from typing import TYPE_CHECKING

from sqlalchemy.orm import Session

from understudy import counters, ids
from understudy.db import artifacts, claims, leases
from understudy.db.artifacts import NewArtifact
from understudy.db.claims import Claimant
from understudy.db.job_attempts import AttemptEnd
from understudy.db.session import transaction_failpoint
from understudy.failpoints import failpoint
from understudy.job_kinds import KINDS
from understudy.logs import bound, get_logger
from understudy.parameters.base import JobParameters, Json
from understudy.parameters.needs import DEFAULT_QUEUE
from understudy.resources import CODE_VERSION, Resources
from understudy.sandbox import Outcome, Run, Sandbox
from understudy.services.attempts import (
    Attempt,
    deleted_error,
    remove_files,
    settle_cancel,
    settle_failure,
    settle_release,
    settle_result,
)
from understudy.services.blob_keys import KeyParts
from understudy.services.failures import (
    Failure,
    judge_duration,
    judge_error,
    judge_outcome,
    successful_end,
)
from understudy.services.heartbeats import Heartbeat
from understudy.services.job_progress import JobProgress
from understudy.services.job_records import facts_of, kind_of, parameters_of
from understudy.services.job_requests import make_request
from understudy.services.results import Result, discard, keys_of, store_result
from understudy.services.shard_results import join_shards
from understudy.services.sharded_runs import Ending, ShardedRun, cancel_shards, shards_of
from understudy.services.waiting_jobs import release_waiting
from understudy.services.watched_runs import Reasons, Watched, ends_at, watch
from understudy.tracing import job_span

if TYPE_CHECKING:
    from understudy.db.orm import Job

# Seconds that a worker pauses before it claims another job after a job's process has failed to start.
SICK_SECONDS = 1.0

logger = get_logger(__name__)


def never() -> bool:
    """Return False. This function is the default for a worker that never drains."""
    return False


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
    attempt = Attempt(resources, job, job.lease_token, folder, tuple(queues))
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
            run = Attempt(attempt.resources, shard, shard.lease_token, folder, attempt.queues)
            _run_attempt(run, sandbox, claimed_at, is_draining)

    logger.info("job_started", kind=attempt.job.kind, attempt=attempt.job.attempt, n_shards=len(parts))
    run = ShardedRun(attempt.resources, attempt.job, attempt.token, attempt.queues, run_shard, is_draining)
    heartbeat = _heartbeat(attempt, sent_at, run.read_progress)
    try:
        with heartbeat:
            ending = run.run(parts, heartbeat)
    except (KeyboardInterrupt, SystemExit):
        settle_release(attempt)
        raise
    except Exception as error:  # Any exception ends the job, not the worker.
        logger.exception("job_not_run")
        settle_failure(attempt, judge_error(error))
        return
    _conclude_shards(attempt, ending)


def _conclude_shards(attempt: Attempt, ending: Ending) -> None:
    if ending.outcome == "lost":
        logger.warning("lease_lost")
    elif ending.outcome == "cancelled":
        settle_cancel(attempt, successful_end(None, "cancelled"))
    elif ending.outcome == "released":
        settle_release(attempt)
    elif ending.error is not None:
        end = AttemptEnd("failed", error_code=ending.error.code)
        settle_failure(attempt, Failure(ending.error.code, ending.error.detail, end, None))
        cancel_shards(attempt.resources, attempt.job)
    else:
        _settle(attempt, None, lambda session: join_shards(session, attempt.job, attempt.token))


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
        settle_failure(attempt, judge_error(error))
        remove_files(attempt)
        return
    try:
        _work(attempt, run, sent_at, is_draining, copying.beat_at)
    except (KeyboardInterrupt, SystemExit):
        # The process itself must stop, so the job is released for another worker.
        run.kill()
        settle_release(attempt)
        raise
    finally:
        run.close()
        failpoint("cleanup.before")
        remove_files(attempt)


def _heartbeat(
    attempt: Attempt, sent_at: float, read_progress: Callable[[], Json | None] = lambda: None
) -> Heartbeat:
    progress = JobProgress(kind_of(attempt.job).phases(parameters_of(attempt.job)))
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
        settle_failure(attempt, judge_error(error))


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
        settle_cancel(attempt, successful_end(outcome, "cancelled"))
    elif outcome is not None and result is not None:
        _finish(attempt, outcome, result)
        return
    elif watched.stopped_by == "released":
        settle_release(attempt, successful_end(outcome, "released"))
    elif outcome is not None and not outcome.has_started:
        # The cause is the machine or the sandbox, not the job.
        logger.warning("job_process_not_started")
        settle_release(attempt, AttemptEnd("released", error_code="unavailable"))
        # Otherwise, this worker would claim and release all queued jobs in quick succession.
        time.sleep(SICK_SECONDS)
    elif outcome is None or watched.stopped_by == "time_limit":
        settle_failure(attempt, judge_duration(outcome))
    else:
        settle_failure(attempt, judge_outcome(outcome))
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
            raise deleted_error()
        job_result = kind_of(row).publish(
            session, facts_of(row), parameters_of(row), result.files, result.facts
        )
        _add_artifacts(session, row, attempt.token, result)
        upload_keys.extend(artifacts.delete_of_jobs(session, row.project_id, [row.id], role="upload"))
        return leases.finish(session, row.id, attempt.token, result=job_result, end=successful_end(outcome))

    is_written = _settle(attempt, outcome, write)
    if is_written:
        discard(attempt.resources.store, upload_keys)
    elif is_written is False:
        discard(attempt.resources.store, keys_of(result.files))


def _settle(attempt: Attempt, outcome: Outcome | None, write: Callable[[Session], Job | None]) -> bool | None:
    """End a successful job, and make the jobs that waited for its result due."""
    queues: set[str] = set()

    def write_and_release(session: Session) -> Job | None:
        queues.clear()
        ended = write(session)
        if ended is not None:
            queues.update(release_waiting(attempt.resources, session, ended))
        return ended

    is_written = settle_result(attempt, outcome, write_and_release)
    if is_written:
        for queue in queues:
            attempt.resources.queue.ring(queue=queue)
    return is_written


def _add_artifacts(session: Session, row: Job, token: int, result: Result) -> None:
    for role, file in result.files.items():
        new = NewArtifact(role, token, file.storage_key, file.sha256, file.size_bytes)
        artifacts.add(session, row.project_id, row.id, new)
