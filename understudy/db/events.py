"""Rows of events, in the order in which they become visible.

The triggers of migration 0015 add the events of changed rows. `add` adds the others.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Select, delete, func, or_, select, text
from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import pages
from understudy.db.jobs import refers_to
from understudy.db.orm import Job
from understudy.db.orm_events import Event
from understudy.db.pages import ANY_TIME, CreatedBetween

TYPES = (
    *("job.queued", "job.running", "job.succeeded", "job.failed", "job.cancelled"),
    *("dataset.ready", "dataset.failed", "dataset.quarantined", "dataset.released", "dataset.deleted"),
    *("model.created", "model.deleted", "report.created", "report.deleted"),
    *("api_key.created", "api_key.rotated", "api_key.revoked"),
    *("project.created", "project.updated", "webhook.disabled", "webhook.ping"),
)

# A transaction that still runs may have added events that are not visible yet. They are younger than its
# start, so a list that ends before the start of the oldest transaction never grows in the middle. The list
# also ends before the start of this statement because a transaction can begin after `pg_stat_activity` was
# read.
_HORIZON = text(
    "select least(statement_timestamp(), min(xact_start)) from pg_stat_activity"
    " where datname = current_database() and backend_type = 'client backend' and backend_xid is not null"
    " and pid <> pg_backend_pid()"
)


@dataclass(frozen=True)
class EventFilters:
    """Filters of a list of events. Fields that are None do not filter.

    `dataset_id` matches the events of the dataset and of the jobs that refer to it.
    """

    type: str | None = None
    job_id: UUID | None = None
    dataset_id: UUID | None = None
    created: CreatedBetween = ANY_TIME


def add(
    session: Session,
    project_id: UUID,
    type: str,  # noqa: A002 - the column's name
    subject_id: UUID,
    *,
    only_webhook: UUID | None = None,
) -> UUID:
    """Add an event and its deliveries, and return its ID.

    Parameters
    ----------
    only_webhook : UUID, optional
        The only webhook that receives the event, whatever types it subscribes to. By default, all webhooks of
        the project that subscribe to the type receive it.
    """
    assert type in TYPES, type
    values = (project_id, type, subject_id, None, None, None, None, only_webhook)
    event_id: UUID = session.execute(select(func.record_event(*values))).scalar_one()
    return event_id


def page(
    session: Session,
    project_id: UUID,
    *,
    filters: EventFilters | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> pages.Page[Event, UUID]:
    """Return events, oldest first. Events that appear later always come after those that were listed."""
    filters = filters or EventFilters()
    horizon: datetime = session.execute(_HORIZON).scalar_one()
    # This is a second statement, so its snapshot contains everything that was committed before the horizon.
    statement = select(Event).where(Event.project_id == project_id, Event.created_at < horizon)
    if filters.type is not None:
        statement = statement.where(Event.type == filters.type)
    if filters.job_id is not None:
        statement = statement.where(Event.job_id == filters.job_id)
    if filters.dataset_id is not None:
        jobs = select(Job.id).where(
            Job.project_id == project_id, refers_to([ids.to_text("dataset", filters.dataset_id)])
        )
        statement = statement.where(or_(Event.dataset_id == filters.dataset_id, Event.job_id.in_(jobs)))
    statement = filters.created.narrow(statement, Event.created_at)
    return pages.oldest_first(session, statement, Event.id, after=after, limit=limit)


def get(session: Session, project_id: UUID, event_id: UUID) -> Event:
    """Return an existing event of a project."""
    statement = select(Event).where(Event.id == event_id, Event.project_id == project_id)
    return session.scalars(statement).one()


def exist(session: Session, project_id: UUID) -> bool:
    """Return whether a project has any event."""
    return bool(session.scalar(select(select(Event.id).where(Event.project_id == project_id).exists())))


def delete_older(session: Session, age: timedelta, limit: int) -> int:
    """Delete events that are older than `age`, with their deliveries, and return their number."""
    # `clock_timestamp()` is volatile, so no index can be used to compare with it.
    is_old = Event.created_at < func.statement_timestamp() - age
    return _delete(session, select(Event.id).where(is_old).order_by(Event.created_at).limit(limit))


def delete_some(session: Session, project_id: UUID, limit: int) -> int:
    """Delete up to `limit` events of a project, with their deliveries, and return their number."""
    return _delete(session, select(Event.id).where(Event.project_id == project_id).limit(limit))


def _delete(session: Session, event_ids: Select[UUID]) -> int:
    statement = delete(Event).where(Event.id.in_(event_ids)).returning(Event.id)
    deleted = session.scalars(statement.execution_options(synchronize_session=False))
    return len(deleted.all())
