"""Rows of API keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import pages
from understudy.db.orm import CLOCK, ApiKey
from understudy.db.pages import Page
from understudy.errors import NotFound


@dataclass(frozen=True)
class NewApiKey:
    """A new API key with its digest. The key itself is not stored."""

    id: UUID
    project_id: UUID
    name: str
    digest: bytes
    scopes: Sequence[str]
    expires_at: datetime | None = None


def add(session: Session, new: NewApiKey) -> ApiKey:
    """Add a key."""
    key = ApiKey(
        id=new.id,
        project_id=new.project_id,
        name=new.name,
        digest=new.digest,
        scopes=list(new.scopes),
        expires_at=new.expires_at,
    )
    session.add(key)
    session.flush()
    return key


def get(session: Session, project_id: UUID, key_id: UUID) -> ApiKey:
    """Return a key of a project, whether or not it is still valid, or raise `NotFound`."""
    key = session.get(ApiKey, key_id)
    if key is None or key.project_id != project_id:
        text = ids.to_text("api_key", key_id)
        raise NotFound(f"API key {text} does not exist in this project. Check the ID.")
    return key


def lock(session: Session, project_id: UUID, key_id: UUID) -> ApiKey:
    """Lock and return a key of a project, or raise `NotFound`."""
    key = get(session, project_id, key_id)
    session.refresh(key, with_for_update=True)
    return key


def page(session: Session, project_id: UUID, *, after: UUID | None, limit: int) -> Page[ApiKey, UUID]:
    """Return a page of a project's keys, newest first."""
    statement = select(ApiKey).where(ApiKey.project_id == project_id)
    return pages.newest_first(session, statement, ApiKey.id, after=after, limit=limit)


def limit_lifetime(session: Session, key: ApiKey, remaining: timedelta) -> None:
    """Make a key expire after the given time, unless it expires earlier."""
    end = func.least(ApiKey.expires_at, CLOCK + remaining)
    session.execute(update(ApiKey).where(ApiKey.id == key.id).values(expires_at=end))
    session.refresh(key)


def now(session: Session) -> datetime:
    """Return the current time of the database, which determines whether a key has expired."""
    moment: datetime = session.execute(select(CLOCK)).scalar_one()
    return moment


class ValidKey(NamedTuple):
    """The fields of an API key that authentication needs."""

    id: UUID
    project_id: UUID
    digest: bytes
    scopes: Sequence[str]


# This query is built once, from columns instead of the entity, because every request runs it.
_FIND_VALID = select(ApiKey.id, ApiKey.project_id, ApiKey.digest, ApiKey.scopes).where(
    ApiKey.id == bindparam("key_id"),
    ApiKey.revoked_at.is_(None),
    or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > func.clock_timestamp()),
)


def find_valid(session: Session, key_id: UUID) -> ValidKey | None:
    """Return a key if it is neither revoked nor expired. The caller compares the digest."""
    row = session.execute(_FIND_VALID, {"key_id": key_id}).one_or_none()
    return None if row is None else ValidKey(*row)


def revoke(session: Session, project_id: UUID, key_id: UUID) -> bool:
    """Revoke a key and erase its name. Return False if it is revoked or belongs to another project."""
    statement = (
        update(ApiKey)
        .where(ApiKey.id == key_id, ApiKey.project_id == project_id, ApiKey.revoked_at.is_(None))
        .values(revoked_at=CLOCK, name="")
        .returning(ApiKey.id)
    )
    return session.execute(statement).scalar_one_or_none() is not None


def revoke_all(session: Session, project_id: UUID) -> None:
    """Revoke all keys of a project, and erase their names."""
    statement = update(ApiKey).where(ApiKey.project_id == project_id)
    session.execute(statement.values(revoked_at=func.coalesce(ApiKey.revoked_at, CLOCK), name=""))
