"""Routes for a job's events: pages, and a stream of server-sent events."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Request, Response
from starlette.concurrency import run_in_threadpool

from app import paging
from app.bodies.jobs import JobEvent, JobEventPage, JobProgress
from app.dependencies import PageDep, ReaderDep, ResourcesDep
from app.document import problems
from app.head_requests import is_head
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


STREAM: dict[int | str, Any] = {
    200: {
        "description": "The response is a stream of server-sent events.",
        "content": {
            "text/event-stream": {
                "schema": {"type": "string"},
                "example": "id: 1\nevent: queued\ndata: {}\n\n",
            }
        },
    }
}


@router.get(
    "/{job_id}/events",
    response_model_exclude_none=True,
    summary="List the events of a job",
    responses=problems(404, 422),
)
def list_job_events(job_id: str, resources: ResourcesDep, caller: ReaderDep, page: PageDep) -> JobEventPage:
    """Return the events of a job, oldest first."""
    after = paging.read_event_cursor(page.after)
    return _read_page(resources, caller.project_id, ids.from_text("job", job_id), after, page.limit)


async def _last_event_id(
    last_event_id: Annotated[
        str | None,
        Header(
            max_length=18, description="ID of the last received event. The stream starts with the next event."
        ),
    ] = None,
) -> int:
    return paging.read_event_cursor(last_event_id) or 0


@router.get(
    "/{job_id}/events/stream",
    response_class=Response,
    summary="Stream the events of a job",
    responses={**STREAM, **problems(404, 422, 429)},
)
async def stream_job_events(
    job_id: str,
    resources: ResourcesDep,
    caller: ReaderDep,
    request: Request,
    after: Annotated[int, Depends(_last_event_id)],
) -> Response:
    """Stream the events of a job, including `progress` events, until the job has finished.

    The response contains server-sent events. To resume after a lost connection, send the header
    `Last-Event-ID`. If the server stops, the stream ends with a comment, and the client should reconnect.
    """
    key = ids.from_text("job", job_id)
    await run_in_threadpool(_read_state, resources, caller.project_id, key)
    headers = {"X-Accel-Buffering": "no"}
    if is_head(request):
        return Response(headers=headers, media_type=EventStream.media_type)
    return EventStream(_stream(request, resources, caller.project_id, key, after), headers=headers)


def _read_page(
    resources: Resources, project_id: UUID, job_id: UUID, after: int | None, limit: int
) -> JobEventPage:
    with resources.sessions() as session:
        jobs.get(session, project_id, job_id)
        stored_page = job_events.page(session, project_id, job_id, after=after, limit=limit)
    return JobEventPage(
        data=[JobEvent.of(row, number) for number, row in enumerate(stored_page.rows, (after or 0) + 1)],
        has_more=stored_page.next is not None,
        next=None if stored_page.next is None else str(stored_page.next),
    )


def _read_state(resources: Resources, project_id: UUID, job_id: UUID) -> tuple[str, JobProgress | None]:
    with resources.sessions() as session:
        row = jobs.get(session, project_id, job_id)
        return row.state, JobProgress.of(row) if row.state == "running" else None


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
    if stopping.has_begun:
        yield ": The server is stopping. Reconnect with Last-Event-ID.\n\n"


def _event_text(event: JobEvent) -> str:
    data = json.dumps(event.model_dump(mode="json", exclude_none=True))
    return f"id: {event.id}\nevent: {event.type}\ndata: {data}\n\n"
