"""Rows of artifacts, which are the only way to find a stored file."""

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
        Fencing token of the attempt that wrote the blob. 0 for an upload.
    """

    role: str
    token: int
    storage_key: str
    sha256: bytes
    size_bytes: int


@dataclass(frozen=True)
class StoredArtifact:
    """The columns of an artifact that are needed to check whether its blob is complete."""

    id: UUID
    job_id: UUID
    role: str
    storage_key: str
    size_bytes: int


def add(session: Session, project_id: UUID, job_id: UUID, new: NewArtifact) -> None:
    """Add the row of a blob, which makes the blob visible."""
    session.add(Artifact(id=ids.new_id(), project_id=project_id, job_id=job_id, **vars(new)))
    session.flush()


def find(session: Session, project_id: UUID, job_id: UUID, role: str) -> Artifact | None:
    """Return a job's artifact with the given role, or None."""
    return session.scalar(
        select(Artifact).where(
            Artifact.project_id == project_id, Artifact.job_id == job_id, Artifact.role == role
        )
    )


def get(session: Session, project_id: UUID, job_id: UUID, role: str) -> Artifact:
    """Return a job's artifact with the given role, or raise `NotFound`."""
    artifact = find(session, project_id, job_id, role)
    if artifact is None:
        raise NotFound(
            f"Job {ids.to_text('job', job_id)} has no file {role!r}. Check that the job has succeeded."
        )
    return artifact


def of_file(session: Session, project_id: UUID, job_id: UUID, role: str) -> list[Artifact]:
    """Return the artifacts of a file in order: one artifact, or the parts that the shards of a job stored.

    Raises
    ------
    NotFound
        If the job has no such file.
    """
    statement = select(Artifact).where(
        Artifact.project_id == project_id,
        Artifact.job_id == job_id,
        func.regexp_replace(Artifact.role, "_part_[0-9]+$", "") == role,
    )
    parts = list(session.scalars(statement.order_by(Artifact.role)))
    return parts or [get(session, project_id, job_id, role)]


def of_job(session: Session, project_id: UUID, job_id: UUID) -> list[Artifact]:
    """Return the artifacts of a job, sorted by role."""
    statement = select(Artifact).where(Artifact.project_id == project_id, Artifact.job_id == job_id)
    return list(session.scalars(statement.order_by(Artifact.role)))


def delete_of_jobs(
    session: Session, project_id: UUID, job_ids: Iterable[UUID], *, role: str | None = None
) -> list[str]:
    """Delete the artifacts of jobs, optionally only those with one role, and return their blob keys.

    The role is given without its number: ``upload`` matches ``upload_1`` and ``upload_part_2``.
    """
    statement = delete_rows(Artifact).where(
        Artifact.project_id == project_id, Artifact.job_id.in_(list(job_ids))
    )
    if role is not None:
        statement = statement.where(_has_role(role))
    return list(session.scalars(statement.returning(Artifact.storage_key)))


def delete_old_uploads(session: Session, age: timedelta) -> list[str]:
    """Delete the uploads of jobs that ended longer ago than `age`, and return the keys of their blobs."""
    ended = select(Job.id).where(Job.finished_at < CLOCK - age)
    statement = delete_rows(Artifact).where(_has_role("upload"), Artifact.job_id.in_(ended))
    return list(session.scalars(statement.returning(Artifact.storage_key)))


def _has_role(role: str) -> ColumnElement[bool]:
    return func.regexp_replace(Artifact.role, "(_part)?_[0-9]+$", "") == role


def known_keys(session: Session, storage_keys: Iterable[str]) -> set[str]:
    """Return the storage keys that the rows of all projects refer to."""
    statement = select(Artifact.storage_key).where(Artifact.storage_key.in_(list(storage_keys)))
    return set(session.scalars(statement))


def id_range(session: Session) -> tuple[UUID | None, UUID | None]:
    """Return the first and the last ID of all artifacts, or None twice if there are none."""
    ordered = select(Artifact.id).order_by(Artifact.id).limit(1)
    reverse = select(Artifact.id).order_by(Artifact.id.desc()).limit(1)
    return session.scalar(ordered), session.scalar(reverse)


def batch(session: Session, after: UUID, limit: int) -> list[StoredArtifact]:
    """Return artifacts of all projects, sorted by ID, beginning after an ID."""
    statement = (
        select(Artifact.id, Artifact.job_id, Artifact.role, Artifact.storage_key, Artifact.size_bytes)
        .where(Artifact.id > after)
        .order_by(Artifact.id)
        .limit(limit)
    )
    return [StoredArtifact(*row) for row in session.execute(statement)]
