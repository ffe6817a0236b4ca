"""Route of a job's events, as pages or as a stream of server-sent events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from pydantic import BaseModel, Field
from starlette.concurrency import run_in_threadpool

from app import paging
from app.bodies.jobs import JobEvent, JobEventPage, JobProgress
from app.content import preferred
from app.dependencies import PageDep, ReaderDep, ResourcesDep
from app.document import problems
from app.stopping import Stopping
from app.waiting import EventStream, Waiting
from understudy import ids
from understudy.db import job_events, jobs
from understudy.db.jobs import TERMINAL_STATES
from understudy.resources import Resources

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

POLL_SECONDS = 0.25
LAST_POLL_SECONDS = 1.0
KEEP_ALIVE_SECONDS = 15
STREAM_PAGE = 200


class EventHeaders(BaseModel):
    """Request headers of the list of events."""

    accept: Annotated[
        str | None, Field(description="Media type: `application/json` or `text/event-stream`.")
    ] = None
    last_event_id: Annotated[
        str | None,
        Field(
            max_length=32,
            description="ID of the last event received. A `text/event-stream` response starts with the next "
            "event.",
        ),
    ] = None


@dataclass(frozen=True)
class EventRequest:
    """The requested events, as one page or as a stream."""

    is_stream: bool
    after: int | None
    limit: int


async def _event_request(page: PageDep, headers: Annotated[EventHeaders, Header()]) -> EventRequest:
    kind = preferred(headers.accept, ("application/json", "text/event-stream"))
    is_stream = kind == "text/event-stream"
    after = paging.read_event_cursor(page.after or (headers.last_event_id if is_stream else None))
    return EventRequest(is_stream, after, page.limit)


@router.get(
    "/{job_id}/events",
    response_model=JobEventPage,
    response_model_exclude_none=True,
    summary="List the events of a job",
    responses={200: {"content": {"text/event-stream": {}}}, **problems(404, 406, 422, 429)},
)
async def list_job_events(
    job_id: str,
    resources: ResourcesDep,
    caller: ReaderDep,
    request: Request,
    wanted: Annotated[EventRequest, Depends(_event_request)],
) -> JobEventPage | Response:
    """Return the events of a job, oldest first.

    With `Accept: text/event-stream`, events are sent as they occur, together with `progress` events, until
    the job has finished. To resume after a lost connection, send the header `Last-Event-ID`.
    """
    key = ids.from_text("job", job_id)
    if not wanted.is_stream:
        return await run_in_threadpool(
            _read_page, resources, caller.project_id, key, wanted.after, wanted.limit
        )
    await run_in_threadpool(_read_state, resources, caller.project_id, key)
    stream = _stream(request, resources, caller.project_id, key, wanted.after or 0)
    return EventStream(stream, headers={"X-Accel-Buffering": "no"})


def _read_page(
    resources: Resources, project_id: UUID, job_id: UUID, after: int | None, limit: int
) -> JobEventPage:
    with resources.sessions() as session:
        jobs.get(session, project_id, job_id)
        stored_page = job_events.page(session, project_id, job_id, after=after, limit=limit)
    return JobEventPage(
        data=[JobEvent.of(row) for row in stored_page.rows],
        has_more=stored_page.next is not None,
        next=None if stored_page.next is None else str(stored_page.next),
    )


def _read_state(resources: Resources, project_id: UUID, job_id: UUID) -> tuple[str, JobProgress | None]:
    with resources.sessions() as session:
        row = jobs.get(session, project_id, job_id)
        return row.state, JobProgress(**row.progress) if row.progress and row.state == "running" else None


def _read_news(
    resources: Resources, project_id: UUID, job_id: UUID, after: int
) -> tuple[str, JobProgress | None, JobEventPage]:
    # Read the state before the events, so that the events include the one that ended the job.
    state, progress = _read_state(resources, project_id, job_id)
    return state, progress, _read_page(resources, project_id, job_id, after, STREAM_PAGE)


async def _stream(
    request: Request, resources: Resources, project_id: UUID, job_id: UUID, after: int
) -> AsyncIterator[str]:
    waiting: Waiting = request.app.state.waiting
    stopping: Stopping = request.app.state.stopping
    sent: JobProgress | None = None
    quiet_seconds, pause = 0.0, POLL_SECONDS
    yield "retry: 1000\n\n"
    # A client whose stream ends early reconnects with `Last-Event-ID`.
    while not stopping.has_begun and not await request.is_disconnected():
        state, progress, page = await waiting.read(_read_news, resources, project_id, job_id, after)
        for event in page.data:
            yield _event_text(event)
            after = int(event.id)
        if progress is not None and progress != sent:
            yield f"event: progress\ndata: {progress.model_dump_json(exclude_none=True)}\n\n"
        is_quiet = not page.data and progress == sent
        sent = progress
        if state in TERMINAL_STATES and not page.has_more:
            return
        quiet_seconds = quiet_seconds + pause if is_quiet else 0.0
        pause = min(2 * pause, LAST_POLL_SECONDS) if is_quiet else POLL_SECONDS
        if quiet_seconds >= KEEP_ALIVE_SECONDS:
            yield ": keep-alive\n\n"
            quiet_seconds = 0.0
        await stopping.sleep(pause)


def _event_text(event: JobEvent) -> str:
    data = json.dumps(event.model_dump(mode="json", exclude_none=True))
    return f"id: {event.id}\nevent: {event.type}\ndata: {data}\n\n"
