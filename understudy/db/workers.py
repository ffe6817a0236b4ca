"""Rows of workers with their last heartbeats."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from understudy.db.orm import CLOCK, Worker


def report(
    session: Session, name: str, *, code_version: str, concurrency: int, draining: bool = False
) -> None:
    """Record that a worker is alive."""
    values = {"code_version": code_version, "concurrency": concurrency, "draining": draining}
    statement = insert(Worker).values(name=name, **values)
    session.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={**values, "seen_at": CLOCK})
    )


def seen_within(session: Session, age: timedelta) -> list[Worker]:
    """Return the workers whose last heartbeat is younger than `age`."""
    return list(session.scalars(select(Worker).where(Worker.seen_at > CLOCK - age).order_by(Worker.name)))


def count_slots(session: Session, age: timedelta) -> int:
    """Return the number of jobs that workers seen within `age` can run at once.

    Draining workers do not count.
    """
    statement = select(func.coalesce(func.sum(Worker.concurrency), 0))
    return session.scalar(statement.where(Worker.seen_at > CLOCK - age, Worker.draining.is_(False))) or 0


def leave(session: Session, name: str) -> None:
    """Delete the row of a stopping worker."""
    session.execute(delete_rows(Worker).where(Worker.name == name))


def forget(session: Session, age: timedelta) -> None:
    """Delete the rows of workers whose last heartbeat is older than `age`."""
    session.execute(delete_rows(Worker).where(Worker.seen_at < CLOCK - age))
