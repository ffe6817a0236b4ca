"""The jobs of pipelines. A pipeline has no row of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from uuid import UUID

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import pages
from understudy.db.jobs import refers_to
from understudy.db.orm import Job
from understudy.db.pages import ANY_TIME, CreatedBetween
from understudy.errors import NotFound


@dataclass(frozen=True)
class PipelineFilters:
    """Filters of a list of pipelines, which apply to its jobs. Empty fields do not filter."""

    dataset_id: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    created: CreatedBetween = ANY_TIME


def get(session: Session, project_id: UUID, pipeline_id: UUID) -> list[Job]:
    """Return the jobs of a pipeline in the order of their stages, or raise `NotFound`."""
    return _found(session, pipeline_id, _jobs(project_id, [pipeline_id]))


def lock(session: Session, project_id: UUID, pipeline_id: UUID) -> list[Job]:
    """Lock the jobs of a pipeline, and return them like `get`."""
    return _found(session, pipeline_id, _jobs(project_id, [pipeline_id]).with_for_update())


def page(
    session: Session,
    project_id: UUID,
    *,
    filters: PipelineFilters,
    after: UUID | None = None,
    limit: int = 50,
) -> pages.Page[list[Job], UUID]:
    """Return the jobs of pipelines, newest first. A pipeline matches a filter if any of its jobs does."""
    statement = select(Job.pipeline_id).where(Job.project_id == project_id, Job.pipeline_id.is_not(None))
    if filters.dataset_id is not None:
        statement = statement.where(refers_to([filters.dataset_id]))
    if filters.labels:
        statement = statement.where(Job.labels.contains(dict(filters.labels)))
    if after is not None:
        statement = statement.where(Job.pipeline_id < after)
    statement = filters.created.narrow(statement, Job.created_at).distinct().order_by(Job.pipeline_id.desc())
    # One extra ID shows whether there is a next page.
    found = [key for key in session.scalars(statement.limit(limit + 1)) if key is not None]
    rows = session.scalars(_jobs(project_id, found[:limit]))
    # A pipeline that was deleted since the first query has no jobs.
    stages = [list(group) for _, group in groupby(rows, lambda job: job.pipeline_id)]
    return pages.Page(stages[::-1], found[limit - 1] if len(found) > limit else None)


def _jobs(project_id: UUID, pipeline_ids: Sequence[UUID]) -> Select[Job]:
    statement = select(Job).where(Job.project_id == project_id, Job.pipeline_id.in_(pipeline_ids))
    # The IDs of two jobs that were created in the same millisecond have a random order.
    return statement.order_by(Job.pipeline_id, Job.created_at).execution_options(populate_existing=True)


def _found(session: Session, pipeline_id: UUID, statement: Select[Job]) -> list[Job]:
    found = list(session.scalars(statement))
    if not found:
        raise NotFound(
            f"Pipeline {ids.to_text('pipeline', pipeline_id)} does not exist in this project. "
            "Check the ID and the project of the API key."
        )
    return found
