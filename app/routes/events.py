"""Route for the events of a project."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated

from fastapi import APIRouter, Depends, Query

from app import paging
from app.bodies.events import Event, EventPage, EventType
from app.dependencies import CreatedDep, PageDep, ReaderDep, ResourcesDep
from app.document import problems
from understudy.db import events
from understudy.db.events import EventFilters

router = APIRouter(prefix="/v1/events", tags=["webhooks"])


async def _filters(
    type: Annotated[  # noqa: A002 - the name of the query parameter
        EventType | None, Query(description="Return only events of this type.")
    ] = None,
    job_id: Annotated[str | None, Query(description="Return only events about this job.")] = None,
    dataset_id: Annotated[
        str | None,
        Query(description="Return only events about this dataset and about jobs that use it."),
    ] = None,
) -> EventFilters:
    return EventFilters(
        type=type,
        job_id=paging.read_id_filter("job", job_id),
        dataset_id=paging.read_id_filter("dataset", dataset_id),
    )


FiltersDep = Annotated[EventFilters, Depends(_filters)]


@router.get("", response_model_exclude_none=True, summary="List events", responses=problems(422))
def list_events(
    resources: ResourcesDep, caller: ReaderDep, filters: FiltersDep, page: PageDep, created: CreatedDep
) -> EventPage:
    """Return the events of the project, oldest first.

    New events are always added at the end. To read them later, send the `id` of the last event as `after`.
    """
    filters = replace(filters, created=created)
    after = paging.read_id_cursor("event", page.after)
    with resources.sessions() as session:
        stored = events.page(session, caller.project_id, filters=filters, after=after, limit=page.limit)
    return EventPage(
        data=[Event.of(row) for row in stored.rows],
        has_more=stored.next is not None,
        next=paging.write_id_cursor("event", stored.next),
    )
