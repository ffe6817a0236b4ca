"""Erasure of data about deleted resources: locks against late writers, and blobs to delete."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import and_, delete, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from understudy.db.jobs import TERMINAL_STATES
from understudy.db.orm import CLOCK, Dataset, Job, Model, Report, Upload
from understudy.db.orm_erasures import Erasure
from understudy.db.planned_results import find_planned

TABLES: dict[str, Any] = {"dataset": Dataset, "model": Model, "report": Report, "upload": Upload, "job": Job}


@dataclass(frozen=True)
class Pending:
    """A key prefix. All blobs under this prefix must be deleted.

    Parameters
    ----------
    job_id : UUID, optional
        The erased job, unless the prefix belongs to an upload.
    is_final : bool
        Whether all processes that could add blobs have ended, so that the erasure ends when the blobs are
        deleted.
    """

    prefix: str
    project_id: UUID
    job_id: UUID | None
    is_final: bool


def hold(session: Session, project_id: UUID, mentioned: Mapping[str, Collection[UUID]]) -> bool:
    """Return whether each resource exists or is planned by an active job, and no job has been erased.

    `mentioned` contains the IDs by noun. Resources other than jobs cannot be deleted until the transaction
    ends. Jobs are not locked, because workers skip locked jobs.
    """
    for noun, table in TABLES.items():
        row_ids = set(mentioned.get(noun, ()))
        if noun in ("dataset", "model"):
            row_ids -= find_planned(session, project_id, row_ids)
        if not row_ids:
            continue
        statement = select(table.id).where(table.project_id == project_id, table.id.in_(row_ids))
        if noun == "job":
            statement = statement.where(Job.erased_at.is_(None))
        else:
            statement = statement.order_by(table.id).with_for_update(read=True, key_share=True)
        if len(session.scalars(statement).all()) < len(row_ids):
            return False
    return True


def add(session: Session, project_id: UUID, prefixes: Mapping[str, UUID | None]) -> None:
    """Add key prefixes to erase, each with the job that may still add blobs under it, or None."""
    rows = [
        {"prefix": prefix, "project_id": project_id, "job_id": job_id} for prefix, job_id in prefixes.items()
    ]
    if rows:
        session.execute(insert(Erasure).on_conflict_do_nothing(), rows)


def pending(session: Session, *, kept: timedelta, after: str = "", limit: int = 500) -> list[Pending]:
    """Return pending erasures, sorted by prefix. An erasure can be final only once it is as old as `kept`."""
    has_ended = or_(Erasure.job_id.is_(None), Job.state.in_(TERMINAL_STATES))
    statement = (
        select(
            Erasure.prefix,
            Erasure.project_id,
            Erasure.job_id,
            and_(Erasure.created_at <= CLOCK - kept, has_ended),
        )
        .outerjoin(Job, Job.id == Erasure.job_id)
        .where(Erasure.prefix > after)
        .order_by(Erasure.prefix)
        .limit(limit)
    )
    return [Pending(*row) for row in session.execute(statement)]


def remove(session: Session, prefixes: Iterable[str]) -> None:
    """Delete completed erasures."""
    session.execute(delete(Erasure).where(Erasure.prefix.in_(list(prefixes))))
