"""Rows of uploads in parts. Every function is restricted to a project, except the functions of the sweep."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, insert, select
from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import Session

from understudy import ids
from understudy.db import pages
from understudy.db.orm import CLOCK, Artifact, Dataset, Upload, UploadPart
from understudy.errors import NotFound

Json = dict[str, Any]


@dataclass(frozen=True)
class StoredPart:
    """An upload part whose blob is in the store."""

    number: int
    storage_key: str
    sha256: bytes
    size_bytes: int


@dataclass(frozen=True)
class NewUpload:
    """A new upload without parts.

    Parameters
    ----------
    kept : timedelta
        The upload expires after this time without a new part.
    """

    name: str
    labels: Mapping[str, str]
    options: Json
    files: Sequence[Json]
    size_bytes: int
    part_bytes: int
    n_parts: int
    kept: timedelta


def add(session: Session, project_id: UUID, new: NewUpload) -> Upload:
    """Add an upload."""
    upload = Upload(
        id=ids.new_id(),
        project_id=project_id,
        name=new.name,
        labels=dict(new.labels),
        options=new.options,
        files=list(new.files),
        size_bytes=new.size_bytes,
        part_bytes=new.part_bytes,
        n_parts=new.n_parts,
        expires_at=CLOCK + new.kept,
    )
    session.add(upload)
    session.flush()
    # Read `expires_at`, which was computed with the database's clock.
    session.refresh(upload)
    return upload


def get(session: Session, project_id: UUID, upload_id: UUID) -> Upload:
    """Return an upload, or raise `NotFound` if the upload does not exist or has expired."""
    return _found(session.scalar(_select(project_id).where(Upload.id == upload_id)), upload_id)


def lock(session: Session, project_id: UUID, upload_id: UUID) -> Upload:
    """Lock and return an upload. No other transaction can change it until this one ends."""
    statement = _select(project_id).where(Upload.id == upload_id).with_for_update()
    return _found(session.scalar(statement.execution_options(populate_existing=True)), upload_id)


def page(
    session: Session, project_id: UUID, *, after: UUID | None = None, limit: int = 50
) -> pages.Page[Upload, UUID]:
    """Return uploads, newest first."""
    return pages.newest_first(session, _select(project_id), Upload.id, after=after, limit=limit)


def count_open(session: Session, project_id: UUID) -> int:
    """Return the number of incomplete uploads in a project."""
    statement = select(func.count()).where(
        Upload.project_id == project_id, Upload.dataset_id.is_(None), Upload.expires_at > CLOCK
    )
    return session.scalar(statement) or 0


def parts(session: Session, project_id: UUID, upload_ids: Iterable[UUID]) -> list[UploadPart]:
    """Return the received parts of uploads, in order."""
    statement = select(UploadPart).where(
        UploadPart.project_id == project_id, UploadPart.upload_id.in_(list(upload_ids))
    )
    return list(session.scalars(statement.order_by(UploadPart.upload_id, UploadPart.number)))


def find_part(session: Session, project_id: UUID, upload_id: UUID, number: int) -> UploadPart | None:
    """Return a received part, or None."""
    statement = select(UploadPart).where(
        UploadPart.project_id == project_id, UploadPart.upload_id == upload_id, UploadPart.number == number
    )
    return session.scalar(statement)


def drop_part(session: Session, part: UploadPart) -> None:
    """Delete the row of a part if its blob is lost and the part has not been sent again since."""
    session.execute(
        delete_rows(UploadPart).where(
            UploadPart.upload_id == part.upload_id,
            UploadPart.number == part.number,
            UploadPart.storage_key == part.storage_key,
        )
    )


def put_part(session: Session, upload: Upload, part: StoredPart, *, kept: timedelta) -> str | None:
    """Add or replace a part of a locked upload, and return the storage key of the replaced blob.

    The upload expires after `kept`, counted from now.
    """
    upload.expires_at = CLOCK + kept
    values = {"storage_key": part.storage_key, "sha256": part.sha256, "size_bytes": part.size_bytes}
    row = session.get(UploadPart, (upload.id, part.number))
    if row is None:
        session.add(
            UploadPart(upload_id=upload.id, number=part.number, project_id=upload.project_id, **values)
        )
        return None
    replaced_key = row.storage_key
    for name, value in values.items():
        setattr(row, name, value)
    return replaced_key


def complete(session: Session, upload: Upload, dataset: Dataset, *, kept: timedelta) -> None:
    """Complete a locked upload: store its dataset, and turn its parts into artifacts of the dataset's job.

    The row is kept for some time, so that a repeated request gets the same response.
    """
    upload.dataset_id = dataset.id
    upload.expires_at = CLOCK + kept
    rows = [
        {
            "id": ids.new_id(),
            "project_id": part.project_id,
            "job_id": dataset.job_id,
            "role": part_role(part.number),
            "token": 0,
            "storage_key": part.storage_key,
            "sha256": part.sha256,
            "size_bytes": part.size_bytes,
        }
        for part in parts(session, upload.project_id, [upload.id])
    ]
    session.execute(insert(Artifact), rows)
    _delete_parts(session, [upload.id])
    session.flush()


def part_role(number: int) -> str:
    """Return the artifact role of an upload part in its ingest job."""
    return f"upload_part_{number}"


def delete(session: Session, upload: Upload) -> list[str]:
    """Delete a locked upload and return the storage keys of its parts."""
    keys = _delete_parts(session, [upload.id])
    session.delete(upload)
    session.flush()
    return keys


def delete_all(session: Session, project_id: UUID) -> list[str]:
    """Delete all uploads of a project and return the storage keys of their parts."""
    upload_ids = list(session.scalars(select(Upload.id).where(Upload.project_id == project_id)))
    keys = _delete_parts(session, upload_ids)
    session.execute(delete_rows(Upload).where(Upload.id.in_(upload_ids)))
    return keys


def of_datasets(session: Session, project_id: UUID, dataset_ids: Iterable[UUID]) -> list[UUID]:
    """Return the IDs of the completed uploads that these datasets were created from."""
    statement = select(Upload.id).where(
        Upload.project_id == project_id, Upload.dataset_id.in_(list(dataset_ids))
    )
    return list(session.scalars(statement))


def delete_expired(session: Session, *, limit: int) -> list[str]:
    """Delete expired uploads in all projects and return the storage keys of their parts."""
    statement = select(Upload.id).where(Upload.expires_at <= CLOCK).limit(limit)
    expired = list(session.scalars(statement.with_for_update(skip_locked=True)))
    keys = _delete_parts(session, expired)
    session.execute(delete_rows(Upload).where(Upload.id.in_(expired)))
    return keys


def known_keys(session: Session, storage_keys: Iterable[str]) -> set[str]:
    """Return the given storage keys that an upload part of any project refers to."""
    statement = select(UploadPart.storage_key).where(UploadPart.storage_key.in_(list(storage_keys)))
    return set(session.scalars(statement))


def _select(project_id: UUID) -> Select[Upload]:
    return select(Upload).where(Upload.project_id == project_id, Upload.expires_at > CLOCK)


def _delete_parts(session: Session, upload_ids: list[UUID]) -> list[str]:
    statement = delete_rows(UploadPart).where(UploadPart.upload_id.in_(upload_ids))
    return list(session.scalars(statement.returning(UploadPart.storage_key)))


def _found(upload: Upload | None, upload_id: UUID) -> Upload:
    if upload is None:
        raise NotFound(
            f"Upload {ids.to_text('upload', upload_id)} does not exist in this project or has expired. "
            f"Check the ID, or start a new upload."
        )
    return upload
