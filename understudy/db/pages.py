"""Keyset pagination. Rows that are added or deleted between two pages do not repeat or hide other rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Generic, TypeVar

from sqlalchemy import Select
from sqlalchemy.orm import InstrumentedAttribute, Session

Row = TypeVar("Row")
Key = TypeVar("Key")


@dataclass(frozen=True)
class CreatedBetween:
    """A range of creation times. None means that the range has no limit on that side."""

    since: datetime | None = None
    before: datetime | None = None

    def narrow(self, statement: Select[Row], column: InstrumentedAttribute[datetime]) -> Select[Row]:
        """Return the statement, restricted to rows that were created within the range."""
        if self.since is not None:
            statement = statement.where(column >= self.since)
        if self.before is not None:
            statement = statement.where(column < self.before)
        return statement


ANY_TIME = CreatedBetween()


@dataclass(frozen=True)
class Page(Generic[Row, Key]):
    """A page of rows, and the key to pass as `after` for the next page. The key is None on the last page."""

    rows: list[Row]
    next: Key | None


def newest_first(
    session: Session,
    statement: Select[Row],
    key: InstrumentedAttribute[Key],
    *,
    after: Key | None,
    limit: int,
) -> Page[Row, Key]:
    """Return rows with keys below `after`, in descending order. For IDs, the newest rows are first."""
    if after is not None:
        statement = statement.where(key < after)
    return _cut(session, statement.order_by(key.desc()), key, limit)


def oldest_first(
    session: Session,
    statement: Select[Row],
    key: InstrumentedAttribute[Key],
    *,
    after: Key | None,
    limit: int,
) -> Page[Row, Key]:
    """Return rows with keys above `after`, in ascending order. For IDs, the oldest rows are first."""
    if after is not None:
        statement = statement.where(key > after)
    return _cut(session, statement.order_by(key), key, limit)


def _cut(
    session: Session, statement: Select[Row], key: InstrumentedAttribute[Key], limit: int
) -> Page[Row, Key]:
    # One extra row shows whether there is a next page, without counting.
    rows: list[Any] = list(session.scalars(statement.limit(limit + 1)))
    has_more = len(rows) > limit
    rows = rows[:limit]
    return Page(rows, getattr(rows[-1], key.key) if has_more else None)
