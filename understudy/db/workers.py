"""Rows of workers with their last heartbeats."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete as delete_rows
from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from understudy.db.orm import CLOCK, Job
from understudy.db.orm_workers import Worker


@dataclass(frozen=True)
class WorkerState:
    """The worker properties that each heartbeat contains."""

    code_version: str
    concurrency: int
    queues: Collection[str] = ("default",)
    draining: bool = False


def report(session: Session, name: str, state: WorkerState) -> None:
    """Record that a worker is alive."""
    values = vars(state) | {"queues": list(state.queues)}
    statement = insert(Worker).values(name=name, **values)
    session.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={**values, "seen_at": CLOCK})
    )


def seen_within(session: Session, age: timedelta) -> list[Worker]:
    """Return the workers that sent a heartbeat less than `age` ago."""
    return list(session.scalars(select(Worker).where(Worker.seen_at > CLOCK - age).order_by(Worker.name)))


def count_slots(session: Session, age: timedelta) -> int:
    """Return the number of jobs that workers seen within `age` can run at once.

    Draining workers do not count.
    """
    statement = select(func.coalesce(func.sum(Worker.concurrency), 0))
    return session.scalar(statement.where(Worker.seen_at > CLOCK - age, Worker.draining.is_(False))) or 0


def served_queues(session: Session, age: timedelta, *, with_idle_slot: bool = False) -> set[str]:
    """Return the queues of the workers seen within `age`, or only of those that could run another job."""
    statement = select(func.unnest(Worker.queues)).where(Worker.seen_at > CLOCK - age).distinct()
    if with_idle_slot:
        n_running = select(func.count()).where(Job.state == "running", Job.lease_owner == Worker.name)
        statement = statement.where(
            Worker.draining.is_(False), Worker.concurrency > n_running.scalar_subquery()
        )
    return set(session.scalars(statement))


def leave(session: Session, name: str) -> None:
    """Delete the row of a stopping worker."""
    session.execute(delete_rows(Worker).where(Worker.name == name))


def forget(session: Session, age: timedelta) -> None:
    """Delete the rows of workers that sent their last heartbeat more than `age` ago."""
    session.execute(delete_rows(Worker).where(Worker.seen_at < CLOCK - age))
