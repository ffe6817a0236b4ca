"""Rows that are older than their retention period."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, and_, exists, false, func, not_, select
from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import Session, aliased

from understudy.db.jobs import TERMINAL_STATES
from understudy.db.orm import CLOCK, Dataset, Job, Model, Report

# The project and the ID of a row.
Owned = tuple[UUID, UUID]


def old_uploaded_datasets(session: Session, age: timedelta, limit: int) -> list[Owned]:
    """Return the uploaded datasets that are older than `age`, oldest first."""
    return _old(session, Dataset, [Dataset.origin == "upload"], age, limit)


def old_generated_datasets(session: Session, age: timedelta, limit: int) -> list[Owned]:
    """Return the samples and imputations that are older than `age`, oldest first.

    A sample with a failed report is omitted because its quarantine also applies to live rows of its model.
    The sample is deleted together with the model, which is older.
    """
    has_failed = Dataset.quarantine["reason"].astext == "failed"
    conditions = [Dataset.origin != "upload", func.coalesce(has_failed, false()).is_(False)]
    return _old(session, Dataset, conditions, age, limit)


def old_models(session: Session, age: timedelta, limit: int) -> list[Owned]:
    """Return the models that are older than `age`, oldest first."""
    return _old(session, Model, [], age, limit)


def delete_old_jobs(session: Session, age: timedelta, limit: int) -> int:
    """Delete jobs that ended longer ago than `age` and have no results left, and return their number.

    Their attempts, events and shards are also deleted. A shard is never deleted before its job. The jobs of
    a pipeline are kept until all of them can be deleted, so that the state of the pipeline does not change.
    """
    other = aliased(Job)
    is_kept = exists().where(
        other.project_id == Job.project_id,
        other.pipeline_id == Job.pipeline_id,
        other.id != Job.id,
        not_(_is_old(other, age)),
    )
    old = (
        select(Job.id)
        .where(Job.parent_id.is_(None), _is_old(Job, age), ~is_kept)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    deleted = session.scalars(delete_rows(Job).where(Job.id.in_(old)).returning(Job.id))
    return len(deleted.all())


# `Any` is the class of the table `jobs`, or an alias of it.
def _is_old(job: Any, age: timedelta) -> ColumnElement[bool]:
    """Return whether a job ended longer ago than `age` and has no results left."""
    has_no_result = [~exists().where(table.job_id == job.id) for table in (Dataset, Model, Report)]
    # An active job has no end.
    has_ended = func.coalesce(job.finished_at < CLOCK - age, false())
    return and_(job.state.in_(TERMINAL_STATES), has_ended, *has_no_result)


def _old(
    session: Session, table: Any, conditions: list[Any], age: timedelta, limit: int
) -> list[Owned]:  # `Any` stands for the class of a table and for SQL conditions.
    statement = (
        select(table.project_id, table.id)
        .where(table.created_at < CLOCK - age, *conditions)
        .order_by(table.created_at)
        .limit(limit)
    )
    return [(project_id, row_id) for project_id, row_id in session.execute(statement)]
