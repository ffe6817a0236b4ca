"""Run a job that consists of shards.

The worker that has claimed the job adds its shards. Then it claims and runs shards itself, as any other
worker does, until all of them have ended. A shard has its own lease, token and attempts, so only a failed
shard is repeated. If the worker of the job dies, the next worker finds the shards and continues.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from understudy.db import jobs, leases, shards
from understudy.db.claims import Claimant, claim_shard
from understudy.db.leases import JobError
from understudy.errors import CODES, Unavailable
from understudy.job_kinds import KINDS
from understudy.logs import get_logger
from understudy.parameters.base import JobParameters
from understudy.resources import CODE_VERSION, Resources
from understudy.services.heartbeats import Heartbeat
from understudy.services.job_records import kind_of, parameters_of

if TYPE_CHECKING:
    from understudy.db.orm import Job

# Time in seconds between two searches for a shard to run, or for the end of the other workers' shards.
WAIT_SECONDS = 0.25
# Time in seconds between two readings of the progress that heartbeats store.
PROGRESS_SECONDS = 1.0

logger = get_logger(__name__)


def shards_of(resources: Resources, job: Job) -> dict[int, JobParameters]:
    """Return the parameters of a job's shards by number, or an empty dict if the job is not split."""
    split = kind_of(job).split
    if split is None:
        return {}
    parts: list[JobParameters] = split(parameters_of(job), resources.settings.sample_shard_rows)
    return dict(enumerate(parts, 1)) if len(parts) > 1 else {}


@dataclass(frozen=True)
class Ending:
    """How a run of shards has ended: `succeeded`, `failed`, `cancelled`, `released` or `lost`."""

    outcome: str
    error: JobError | None = None


@dataclass
class ShardedRun:
    """A job with shards that run on this worker and on others.

    Parameters
    ----------
    queues : tuple of str
        Queues that this worker serves.
    run_shard : callable
        Runs a claimed shard until its attempt has ended. The second argument is the time of the claim.
    """

    resources: Resources
    job: Job
    token: int
    queues: tuple[str, ...]
    run_shard: Callable[[Job, float], None]
    is_draining: Callable[[], bool]
    _progress: dict[str, Any] | None = None
    _read_at: float = float("-inf")

    def run(self, parameters: dict[int, JobParameters], heartbeat: Heartbeat) -> Ending:
        """Add the shards and run them until all have ended or the job must stop."""
        self._add(parameters)
        while True:
            ending = self._ending(heartbeat)
            if ending is not None:
                return ending
            claimed_at = time.monotonic()
            shard = self._claim()
            if shard is None:
                time.sleep(WAIT_SECONDS)
            else:
                self.run_shard(shard, claimed_at)

    def read_progress(self) -> dict[str, Any] | None:
        """Return the combined progress of all shards. It never decreases, even if a shard is repeated."""
        if time.monotonic() < self._read_at + PROGRESS_SECONDS:
            return self._progress
        self._read_at = time.monotonic()
        with self.resources.sessions() as session:
            state = shards.progress(session, self.job)
        if not state.n_shards:
            return None
        n_rows = self.job.parameters["n_rows"]
        n_done = min(n_rows, state.n_succeeded * -(-n_rows // state.n_shards) + state.n_rows_running)
        n_done = max(n_done, self._progress["rows_done"] if self._progress else 0)
        self._progress = {
            "phase": "sampling",
            "fraction": n_done / n_rows,
            "rows_done": n_done,
            "rows_total": n_rows,
        }
        return self._progress

    def _add(self, parameters: dict[int, JobParameters]) -> None:
        dumped = {
            number: part.model_dump(mode="json", exclude={"labels"}) for number, part in parameters.items()
        }
        with self.resources.sessions.begin() as session:
            row = leases.hold(session, self.job.id, self.token)
            if row is None or row.cancel_requested_at is not None or row.erased_at is not None:
                return
            ttl_seconds = self.resources.settings.job_ttl_seconds
            added = shards.add_missing(session, row, dumped, ttl_seconds=ttl_seconds)
        for _ in added:
            self.resources.queue.ring(queue=self.job.queue)

    def _ending(self, heartbeat: Heartbeat) -> Ending | None:
        if heartbeat.is_lost:
            return Ending("lost")
        if heartbeat.is_cancel_requested:
            return Ending("cancelled")
        if self.is_draining():
            return Ending("released")
        try:
            with self.resources.sessions() as session:
                # The request to cancel a job also cancels its shards, which may be visible first.
                if leases.is_cancel_requested(session, self.job.id, self.token):
                    return Ending("cancelled")
                failed = shards.first_failure(session, self.job)
                state = shards.progress(session, self.job)
        except Unavailable:
            # If the database stays unavailable, the lease expires and ends this run.
            return None
        if failed is not None:
            return Ending("failed", _error_of(failed))
        return Ending("succeeded") if 0 < state.n_shards == state.n_succeeded else None

    def _claim(self) -> Job | None:
        assert self.job.lease_owner is not None
        claimant = Claimant(self.job.lease_owner, CODE_VERSION, tuple(KINDS), self.queues)
        try:
            with self.resources.sessions.begin() as session:
                lease_seconds = self.resources.settings.lease_seconds
                return claim_shard(session, claimant, self.job.id, lease_seconds=lease_seconds)
        except Unavailable:
            logger.warning("shard_not_claimed")
            return None


def cancel_shards(resources: Resources, job: Job) -> None:
    """Cancel the shards of a job that has ended without success."""
    with resources.sessions.begin() as session:
        jobs.cancel_shards(session, job)


def _error_of(shard: Job) -> JobError:
    code = shard.error_code or "cancelled"
    return JobError(code, shard.error_detail or f"{CODES[code]}.")
