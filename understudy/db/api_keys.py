"""Rows of API keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

from sqlalchemy import bindparam, func, or_, select, update
from sqlalchemy.orm import Session

from understudy.db.orm import CLOCK, ApiKey


@dataclass(frozen=True)
class NewApiKey:
    """A new API key with its digest. The key itself is not stored."""

    id: UUID
    project_id: UUID
    name: str
    digest: bytes
    scopes: Sequence[str]


def add(session: Session, new: NewApiKey) -> ApiKey:
    """Add a key."""
    key = ApiKey(
        id=new.id, project_id=new.project_id, name=new.name, digest=new.digest, scopes=list(new.scopes)
    )
    session.add(key)
    session.flush()
    return key


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
