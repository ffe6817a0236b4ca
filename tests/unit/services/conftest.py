"""Fixtures for a worker whose jobs end in a chosen way."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import pytest

from tests.unit.services.works import seconds_of
from understudy.db import artifacts, job_attempts, jobs
from understudy.db.orm import Job
from understudy.parameters.probe import ProbeParameters
from understudy.resources import Resources
from understudy.sandbox import Sandbox
from understudy.services.api_keys import Caller
from understudy.services.job_runs import run_next_job
from understudy.services.jobs import submit_job


@pytest.fixture(scope="session")
def works() -> Iterator[Sandbox]:
    """Open a sandbox that runs `works.run`."""
    with Sandbox("tests.unit.services.works:run") as sandbox:
        yield sandbox


@dataclass
class Bench:
    """A test bench that submits, runs and inspects jobs."""

    resources: Resources
    sandbox: Sandbox
    project_id: UUID

    def put(self, way: str) -> UUID:
        """Submit a job that will end in the given way."""
        parameters = ProbeParameters(kind="probe", seconds=seconds_of(way))
        return submit_job(self.resources, self.project_id, parameters).id

    def run(self, **options: Any) -> bool:
        """Run the next job."""
        return run_next_job(self.resources, self.sandbox, "worker@test", **options)

    def job(self, job_id: UUID) -> Job:
        """Return the current row of the job."""
        with self.resources.sessions() as session:
            return jobs.get(session, self.project_id, job_id)

    def outcomes(self, job_id: UUID) -> list[str | None]:
        """Return the outcomes of the attempts."""
        with self.resources.sessions() as session:
            return [row.outcome for row in job_attempts.of_job(session, self.project_id, job_id)]

    def files(self, job_id: UUID) -> list[str]:
        """Return the roles of the readable files."""
        with self.resources.sessions() as session:
            return [row.role for row in artifacts.of_job(session, self.project_id, job_id)]

    def blobs(self) -> list[str]:
        """Return the keys of all blobs, visible or not."""
        return list(self.resources.store.keys(""))


@pytest.fixture
def bench(resources: Resources, works: Sandbox, caller: Caller) -> Bench:
    """Return a bench that uses the test's resources."""
    return Bench(resources, works, caller.project_id)


@pytest.fixture
def in_background() -> Iterator[Callable[..., Future[Any]]]:
    """Return a function that calls another function in a thread."""
    with ThreadPoolExecutor(4) as pool:
        yield pool.submit
