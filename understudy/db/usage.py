"""The usage of projects by day.

Triggers of migration 0017 add a record for each ended job or attempt, each table and each stored file. `add`
adds the others. `compact` moves records into days, and `list_days` reads both.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import cast, delete, func, select, text, tuple_, union_all
from sqlalchemy.orm import Session

from understudy.db.orm import CLOCK, Artifact
from understudy.db.orm_usage import UsageDay, UsageRecord

MEASURES = ("n_jobs", "cpu_seconds", "rows_uploaded", "rows_sampled", "bytes_written")
# The order of the days prevents deadlocks. A deleted project has no name and no usage.
COMPACT = text(
    f"""
    with chosen as (
        select id from usage_records order by id limit :limit for update skip locked
    ), moved as (
        delete from usage_records where id in (select id from chosen) returning *
    ), added as (
        insert into usage_days (project_id, day, {", ".join(MEASURES)})
        select project_id, day, {", ".join(f"sum({name})" for name in MEASURES)}
        from moved join projects on projects.id = project_id and projects.name <> ''
        group by project_id, day order by project_id, day
        on conflict (project_id, day) do update
        set {", ".join(f"{name} = usage_days.{name} + excluded.{name}" for name in MEASURES)}
    )
    select count(*) from moved
    """  # noqa: S608 - the names are constants
)


@dataclass(frozen=True)
class Usage:
    """The usage of a project on a day (UTC). `orm_usage` describes the fields."""

    day: date
    n_jobs: int
    cpu_seconds: float
    rows_uploaded: int
    rows_sampled: int
    bytes_written: int


def add(session: Session, project_id: UUID, *, cpu_seconds: float = 0.0, rows_sampled: int = 0) -> None:
    """Record usage that no job causes."""
    session.add(
        UsageRecord(
            project_id=project_id,
            day=func.usage_day(CLOCK),
            cpu_seconds=cpu_seconds,
            rows_sampled=rows_sampled,
        )
    )


def list_days(session: Session, project_id: UUID, start: date, end: date) -> list[Usage]:
    """Return the days from `start` to `end`, both included, on which the project used anything."""
    parts = [
        select(table.day, *(getattr(table, name) for name in MEASURES)).where(
            table.project_id == project_id, table.day.between(start, end)
        )
        for table in (UsageDay, UsageRecord)
    ]
    both = union_all(*parts).subquery()
    # PostgreSQL returns the sum of integers as `numeric`.
    sums = [cast(func.sum(both.c[name]), both.c[name].type) for name in MEASURES]
    statement = select(both.c.day, *sums).group_by(both.c.day).order_by(both.c.day)
    return [Usage(*row) for row in session.execute(statement)]


def stored_bytes(session: Session, project_id: UUID) -> int:
    """Return the total size of a project's stored files."""
    size = select(func.coalesce(func.sum(Artifact.size_bytes), 0)).where(Artifact.project_id == project_id)
    return int(session.scalar(size) or 0)


def delete_unlocked(session: Session, project_id: UUID) -> None:
    """Delete the usage of a project, except for rows that `compact` has locked."""
    for table, key in (
        (UsageRecord, [UsageRecord.id]),
        (UsageDay, [UsageDay.project_id, UsageDay.day]),
    ):
        rows = select(*key).where(table.project_id == project_id).with_for_update(skip_locked=True)
        session.execute(delete(table).where(tuple_(*key).in_(rows)))


def exists(session: Session, project_id: UUID) -> bool:
    """Return whether a project has any usage."""
    return any(
        session.scalar(select(select(table.day).where(table.project_id == project_id).exists()))
        for table in (UsageRecord, UsageDay)
    )


def compact(session: Session, limit: int) -> int:
    """Add up to `limit` records to their days, and return their number.

    Several processes can call this function at the same time, because each record is moved only once.
    """
    moved: int = session.execute(COMPACT, {"limit": limit}).scalar_one()
    return moved
