"""Tests that run job statements in random order and compare them with a model of the state machine."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    initialize,
    invariant,
    multiple,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy import text

from tests.unit.db.states import Sessions, add_job, add_project, claim
from understudy.db import job_attempts, job_events, jobs, leases
from understudy.db.job_attempts import AttemptEnd
from understudy.errors import Conflict

TERMINAL = ("succeeded", "failed", "cancelled")
OUTCOMES = {"succeeded": "succeeded", "failed": "failed", "cancelled": "cancelled", "queued": "released"}


@dataclass
class Modelled:
    """The expected state of a job."""

    state: str = "queued"
    token: int | None = None
    is_cancel_requested: bool = False
    crashes: int = 0
    n_claims: int = 0
    n_rounds: int = 1


class Life(RuleBasedStateMachine):
    """Random actions of workers, rescues and callers. Some actions use stale tokens."""

    all_jobs = Bundle("all_jobs")
    claims = Bundle("claims")

    def __init__(self, sessions: Sessions) -> None:
        super().__init__()
        self.sessions = sessions
        self.model: dict[UUID, Modelled] = {}

    @initialize()
    def start(self) -> None:
        """Start with an empty database."""
        with self.sessions.begin() as session:
            session.execute(text("delete from projects"))
        self.project_id = add_project(self.sessions)

    @rule(target=all_jobs)
    def submit(self) -> UUID:
        """Add a job."""
        job_id = add_job(self.sessions, self.project_id).id
        self.model[job_id] = Modelled()
        return job_id

    @rule(target=claims)
    def take(self) -> Any:
        """Claim the oldest queued job, if a job is queued."""
        queued = [job_id for job_id, job in self.model.items() if job.state == "queued"]
        claimed = claim(self.sessions)
        if claimed is None:
            assert queued == []
            return multiple()
        assert claimed.id == queued[0]
        job = self.model[claimed.id]
        job.state, job.token, job.n_claims = "running", claimed.lease_token, job.n_claims + 1
        return claimed.id, claimed.lease_token

    @rule(taken=claims, state=st.sampled_from(sorted(OUTCOMES)))
    def end(self, taken: tuple[UUID, int], state: str) -> None:
        """Finish, fail, cancel or release a job with a valid or stale token."""
        job_id, token = taken
        job = self.model[job_id]
        with self.sessions.begin() as session:
            if state == "succeeded":
                row = leases.finish(session, job_id, token, result={}, end=AttemptEnd("succeeded"))
            elif state == "failed":
                row = leases.fail(
                    session, job_id, token, error=leases.JobError("x", "x"), end=AttemptEnd("failed")
                )
            elif state == "cancelled":
                row = leases.cancel(session, job_id, token, AttemptEnd("cancelled"))
            else:
                row = leases.release(session, job_id, token)
        is_valid = job.state == "running" and job.token == token
        assert (row is not None) == is_valid
        if is_valid:
            is_stopped = state == "queued" and job.is_cancel_requested
            job.state, job.token = ("cancelled" if is_stopped else state), None

    @rule(taken=claims)
    def beat(self, taken: tuple[UUID, int]) -> None:
        """Send a heartbeat with a valid or stale token."""
        job = self.model[taken[0]]
        with self.sessions.begin() as session:
            row = leases.heartbeat(session, *taken, lease_seconds=60, progress=None)
        assert (row is not None) == (job.state == "running" and job.token == taken[1])

    @rule()
    def lose_all_workers(self) -> None:
        """Expire every lease, and rescue the jobs whose leases have expired."""
        with self.sessions.begin() as session:
            session.execute(text("update jobs set lease_until = clock_timestamp() where state = 'running'"))
            reaped = {row.id for row in leases.reap(session, backoff_seconds=0, limit=1000)}
        running = {job_id for job_id, job in self.model.items() if job.state == "running"}
        assert reaped == running
        for job_id in running:
            self._lose(self.model[job_id])

    def _lose(self, job: Modelled) -> None:
        job.token = None
        if job.is_cancel_requested:
            job.state = "cancelled"
            return
        job.crashes += 1
        job.state = "failed" if job.crashes == 3 else "queued"

    @rule(job_id=all_jobs)
    def cancel(self, job_id: UUID) -> None:
        """Request a cancellation."""
        job = self.model[job_id]
        try:
            with self.sessions.begin() as session:
                jobs.request_cancel(session, self.project_id, job_id)
        except Conflict:
            assert job.state in ("succeeded", "failed")
            return
        assert job.state not in ("succeeded", "failed")
        job.is_cancel_requested = True
        job.state = "cancelled" if job.state == "queued" else job.state

    @rule(job_id=all_jobs)
    def retry(self, job_id: UUID) -> None:
        """Start a new round of the job."""
        job = self.model[job_id]
        try:
            with self.sessions.begin() as session:
                jobs.retry(session, self.project_id, job_id, ttl_seconds=60)
        except Conflict:
            assert job.state not in ("failed", "cancelled")
            return
        assert job.state in ("failed", "cancelled")
        job.state, job.is_cancel_requested, job.crashes = "queued", False, 0
        job.n_rounds += 1

    @invariant()
    def database_agrees(self) -> None:
        """Compare all rows with the model.

        Every ended round must have one terminal event, and every claim must have one attempt.
        """
        with self.sessions() as session:
            for job_id, job in self.model.items():
                row = jobs.get(session, self.project_id, job_id)
                assert (row.state, row.lease_token, row.crashes) == (job.state, job.token, job.crashes)
                events = job_events.page(session, self.project_id, job_id, limit=1000).rows
                n_ends = sum(event.type in TERMINAL for event in events)
                assert n_ends == job.n_rounds - (job.state not in TERMINAL)
                attempts = job_attempts.of_job(session, self.project_id, job_id)
                assert len(attempts) == job.n_claims
                assert sum(attempt.outcome is None for attempt in attempts) == (job.state == "running")


def test_statements_in_random_order_agree_with_the_model_of_the_state_machine(sessions: Sessions) -> None:
    run_state_machine_as_test(
        lambda: Life(sessions),
        settings=settings(
            max_examples=12,
            stateful_step_count=25,
            deadline=None,
            derandomize=True,
            database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
