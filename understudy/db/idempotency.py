"""Rows of idempotency keys, which store responses so that a repeated POST gets the same response."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import delete as delete_rows
from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from understudy.db.orm import CLOCK, IdempotencyKey


@dataclass(frozen=True)
class StoredResponse:
    """The stored response to a request. Repeated requests get the same response."""

    status: int
    headers: Mapping[str, str]
    body: dict[str, Any] | None


def reserve(session: Session, project_id: UUID, key: str, request_sha256: bytes) -> bool:
    """Add the row of a new request, or return False if the row exists. Wait for a concurrent request."""
    statement = (
        insert(IdempotencyKey)
        .values(project_id=project_id, key=key, request_sha256=request_sha256)
        .on_conflict_do_nothing()
        .returning(IdempotencyKey.key)
    )
    return session.scalar(statement) is not None


def lock(session: Session, project_id: UUID, key: str) -> IdempotencyKey | None:
    """Lock and return the row of a key, or None."""
    return session.scalar(
        select(IdempotencyKey)
        .where(IdempotencyKey.project_id == project_id, IdempotencyKey.key == key)
        .with_for_update()
    )


def take_over(session: Session, project_id: UUID, key: str, *, age: timedelta) -> bool:
    """Reset the age of a request without a response. Return False if the request is younger than `age`."""
    statement = (
        update(IdempotencyKey)
        .where(
            IdempotencyKey.project_id == project_id,
            IdempotencyKey.key == key,
            IdempotencyKey.status.is_(None),
            IdempotencyKey.created_at < CLOCK - age,
        )
        .values(created_at=CLOCK)
        .returning(IdempotencyKey.key)
        .execution_options(synchronize_session=False)
    )
    return session.scalar(statement) is not None


def age_of(session: Session, row: IdempotencyKey) -> timedelta:
    """Return the time since the request of a row began, according to the clock of the database."""
    now: datetime = session.scalars(select(CLOCK)).one()
    return now - row.created_at


def complete(
    session: Session, project_id: UUID, key: str, response: StoredResponse, mentions: Iterable[str]
) -> None:
    """Store the response and the IDs in its body."""
    statement = (
        update(IdempotencyKey)
        .where(IdempotencyKey.project_id == project_id, IdempotencyKey.key == key)
        .values(
            status=response.status,
            headers=dict(response.headers),
            body=response.body,
            mentions=list(mentions),
        )
        .execution_options(synchronize_session=False)
    )
    session.execute(statement)


def erase(session: Session, project_id: UUID, job_ids: Iterable[UUID], text_ids: Iterable[str]) -> None:
    """Erase the bodies of responses about the given jobs or with any of the given IDs."""
    statement = (
        update(IdempotencyKey)
        .where(
            IdempotencyKey.project_id == project_id,
            # Another transaction may be about to store the body of a row without a status. The statement
            # waits for it.
            IdempotencyKey.body.is_not(None) | IdempotencyKey.status.is_(None),
            IdempotencyKey.job_id.in_(list(job_ids)) | IdempotencyKey.mentions.op("&&")(list(text_ids)),
        )
        .values(body=None, mentions=[])
        .execution_options(synchronize_session=False)
    )
    session.execute(statement)


def delete(session: Session, project_id: UUID, key: str) -> None:
    """Delete the row of a rejected request that changed nothing, so that its key may be used again."""
    session.execute(
        delete_rows(IdempotencyKey).where(
            IdempotencyKey.project_id == project_id,
            IdempotencyKey.key == key,
            IdempotencyKey.status.is_(None),
            IdempotencyKey.job_id.is_(None),
        )
    )


def delete_older(session: Session, age: timedelta) -> None:
    """Delete the rows of requests older than `age`."""
    session.execute(delete_rows(IdempotencyKey).where(IdempotencyKey.created_at < CLOCK - age))


def delete_all(session: Session, project_id: UUID) -> None:
    """Delete the idempotency keys of a project with their responses."""
    session.execute(delete_rows(IdempotencyKey).where(IdempotencyKey.project_id == project_id))
