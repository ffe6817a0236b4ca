"""Statements that let workers take turns at periodic tasks, one worker at a time."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import or_, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from understudy.db.orm import CLOCK
from understudy.db.orm_turns import Turn


def take(session: Session, name: str, holder: UUID, *, every: timedelta, held: timedelta) -> str | None:
    """Take a task, and return the position of its unfinished pass, or an empty string for a new pass.

    Return None if another worker has taken the task, or if its last pass ended less than `every` ago.
    """
    session.execute(insert(Turn).values(name=name).on_conflict_do_nothing())
    statement = (
        update(Turn)
        .where(
            Turn.name == name,
            or_(Turn.held_until.is_(None), Turn.held_until < CLOCK),
            or_(Turn.completed_at.is_(None), Turn.completed_at <= CLOCK - every, Turn.position != ""),
        )
        .values(holder=holder, held_until=CLOCK + held)
        .returning(Turn.position)
    )
    position: str | None = session.scalar(statement)
    return position


def keep(session: Session, name: str, holder: UUID, position: str, *, held: timedelta) -> bool:
    """Renew a task and store the position of its pass. Return False if another worker has taken the task."""
    return _change(session, name, holder, held_until=CLOCK + held, position=position)


def complete(session: Session, name: str, holder: UUID) -> None:
    """End a pass."""
    _change(session, name, holder, holder=None, held_until=None, position="", completed_at=CLOCK)


def leave(session: Session, name: str, holder: UUID) -> None:
    """Leave an unfinished pass to another worker."""
    _change(session, name, holder, holder=None, held_until=None)


def _change(session: Session, name: str, held_by: UUID, **values: Any) -> bool:
    statement = update(Turn).where(Turn.name == name, Turn.holder == held_by).values(**values)
    return session.scalar(statement.returning(Turn.name)) is not None
