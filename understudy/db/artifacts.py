"""Rows of artifacts: through them, and in no other way, a stored file is found."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import Session

from understudy import ids
from understudy.db.orm import CLOCK, Artifact, Job
from understudy.errors import NotFound


@dataclass(frozen=True)
class NewArtifact:
    """A blob that is complete and on disk.

    Parameters
    ----------
    token : int
        The fencing token of the attempt that left it; 0 for an upload.
    """

    role: str
    token: int
    storage_key: str
    sha256: bytes
    size_bytes: int


def add(session: Session, project_id: UUID, job_id: UUID, new: NewArtifact) -> None:
    """Add the row that makes a blob visible."""
    session.add(Artifact(id=ids.new_id(), project_id=project_id, job_id=job_id, **vars(new)))
    session.flush()


def find(session: Session, project_id: UUID, job_id: UUID, role: str) -> Artifact | None:
    """Return the file that a job left in a role, if it left one."""
    return session.scalar(
        select(Artifact).where(
            Artifact.project_id == project_id, Artifact.job_id == job_id, Artifact.role == role
        )
    )


def get(session: Session, project_id: UUID, job_id: UUID, role: str) -> Artifact:
    """Return the file that a job left in a role, or raise `NotFound`."""
    artifact = find(session, project_id, job_id, role)
    if artifact is None:
        raise NotFound(f"Job {ids.to_text('job', job_id)} has no file {role!r}.")
    return artifact


def of_job(session: Session, project_id: UUID, job_id: UUID) -> list[Artifact]:
    """Return the files of a job, by role."""
    statement = select(Artifact).where(Artifact.project_id == project_id, Artifact.job_id == job_id)
    return list(session.scalars(statement.order_by(Artifact.role)))


def delete_of_jobs(
    session: Session, project_id: UUID, job_ids: Iterable[UUID], *, role: str | None = None
) -> list[str]:
    """Delete the rows of jobs, of one role if it is given, and return the keys of their blobs.

    The role is that of a kind of file, such as ``upload`` for ``upload_1`` and ``upload_part_2``.
    """
    statement = delete_rows(Artifact).where(
        Artifact.project_id == project_id, Artifact.job_id.in_(list(job_ids))
    )
    if role is not None:
        statement = statement.where(_plays(role))
    return list(session.scalars(statement.returning(Artifact.storage_key)))


def delete_old_uploads(session: Session, age: timedelta) -> list[str]:
    """Delete the uploads of jobs that ended longer ago than `age`, and return the keys of their blobs."""
    ended = select(Job.id).where(Job.finished_at < CLOCK - age)
    statement = delete_rows(Artifact).where(_plays("upload"), Artifact.job_id.in_(ended))
    return list(session.scalars(statement.returning(Artifact.storage_key)))


def _plays(role: str) -> ColumnElement[bool]:
    return func.regexp_replace(Artifact.role, "(_part)?_[0-9]+$", "") == role


def known_keys(session: Session, storage_keys: Iterable[str]) -> set[str]:
    """Return those of the keys that a row refers to, whatever its project."""
    statement = select(Artifact.storage_key).where(Artifact.storage_key.in_(list(storage_keys)))
    return set(session.scalars(statement))
