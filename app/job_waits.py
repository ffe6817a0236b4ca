"""Responses that wait for a job: `Prefer: wait=N` in requests that read or queue a job."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from fastapi import Request
from starlette.concurrency import run_in_threadpool

from app.bodies.jobs import Job, JobAttempt
from app.stopping import Stopping
from app.waiting import Waiting, waiting_slot
from understudy.db import job_attempts, jobs
from understudy.db.jobs import TERMINAL_STATES
from understudy.resources import Resources
from understudy.services.api_keys import Caller

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from understudy.db import orm

WAIT_SECONDS_MAX = 60
FIRST_POLL_SECONDS = 0.02
LAST_POLL_SECONDS = 0.5
WAIT_PREFERENCE = re.compile(r"(?:^|[,;\s])wait[ \t]*=[ \t]*(\d{1,6})(?=$|[,;\s])", re.IGNORECASE)


@dataclass(frozen=True)
class AwaitedJob:
    """A job of the caller that a response may wait for."""

    caller: Caller
    id: UUID


def read_wait(prefer: str | None) -> int:
    """Return the requested waiting time in seconds, or 0 if the `Prefer` header requests no wait."""
    match = WAIT_PREFERENCE.search(prefer or "")
    return min(int(match[1]), WAIT_SECONDS_MAX) if match else 0


async def wait_for(request: Request, resources: Resources, job: AwaitedJob, seconds: int) -> Job:
    """Return a job when it has finished, the time has passed, or the process stops."""
    if seconds:
        async with waiting_slot(request, job.caller):
            await wait_until(request, seconds, lambda: _is_final(resources, job.caller.project_id, job.id))
    readers: asyncio.Semaphore = request.app.state.readers
    async with readers:
        return await run_in_threadpool(read_job, resources, job.caller.project_id, job.id)


def read_job(resources: Resources, project_id: UUID, job_id: UUID) -> Job:
    """Return a job with its attempts."""
    with resources.read_sessions() as session:
        return job_body(session, jobs.get(session, project_id, job_id))


def job_body(session: Session, row: orm.Job) -> Job:
    """Return the representation of a job, with its attempts."""
    if not row.attempt:
        return Job.of(row, [])
    own = [JobAttempt.of(attempt) for attempt in job_attempts.of_job(session, row.project_id, row.id)]
    of_shards = job_attempts.of_shards(session, row.project_id, row.id) if row.kind == "sample" else []
    return Job.of(row, [*own, *(JobAttempt.of(attempt, shard) for shard, attempt in of_shards)])


def _is_final(resources: Resources, project_id: UUID, job_id: UUID) -> bool:
    with resources.read_sessions() as session:
        return jobs.get(session, project_id, job_id).state in TERMINAL_STATES


async def wait_until(request: Request, seconds: int, is_final: Callable[[], bool]) -> None:
    """Wait until the function returns True, the time ends, the caller disconnects or the process stops.

    The wait does not occupy a thread. The function is called in one, since it reads from the database.
    """
    loop = asyncio.get_running_loop()
    deadline = loop.time() + seconds
    pause = FIRST_POLL_SECONDS
    waiting: Waiting = request.app.state.waiting
    stopping: Stopping = request.app.state.stopping
    while not await waiting.read(is_final):
        remaining = deadline - loop.time()
        if remaining <= 0 or stopping.has_begun or await request.is_disconnected():
            return
        await stopping.sleep(min(pause, remaining))
        pause = min(2 * pause, LAST_POLL_SECONDS)
