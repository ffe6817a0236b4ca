"""The stored blobs of uploaded files, with one blob per file or per part."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from understudy.db import artifacts
from understudy.db.uploads import part_role
from understudy.errors import NotFound
from understudy.job_kinds.base import JobContext, StoredFile
from understudy.parameters.base import Json
from understudy.parameters.ingest import FileParts


@dataclass(frozen=True)
class UploadedFiles:
    """The blobs of uploaded files, as job inputs.

    Parameters
    ----------
    inputs : dict
        The blobs by role.
    parts : dict
        For each file with several parts, by role: the `roles` and `sha256s` of the parts in order, and the
        declared `sha256` of the file.
    """

    inputs: dict[str, StoredFile]
    parts: Json


def uploaded_files(
    session: Session, job: JobContext, roles: Sequence[str], parts: Sequence[FileParts]
) -> UploadedFiles:
    """Return the blobs of a job's files. `parts` is empty unless the files were uploaded in parts.

    Raises
    ------
    NotFound
        If a blob no longer has a row.
    """
    stored = {
        artifact.role: StoredFile(artifact.storage_key, artifact.sha256, artifact.size_bytes)
        for artifact in artifacts.of_job(session, job.project_id, job.id)
    }
    if not parts:
        return UploadedFiles({role: _get(stored, role) for role in roles}, {})
    files = UploadedFiles({}, {})
    for role, file in zip(roles, parts, strict=True):
        _add_parts(files, role, file, stored)
    return files


def _add_parts(files: UploadedFiles, role: str, file: FileParts, stored: dict[str, StoredFile]) -> None:
    part_roles = [part_role(number) for number in range(file.first, file.first + file.n)]
    blobs = [_get(stored, of_part) for of_part in part_roles]
    if len(blobs) == 1:
        files.inputs[role] = blobs[0]
        return
    files.inputs.update(zip(part_roles, blobs, strict=True))
    files.parts[role] = {
        "roles": part_roles,
        "sha256s": [blob.sha256.hex() for blob in blobs],
        "sha256": file.sha256,
    }


def _get(stored: dict[str, StoredFile], role: str) -> StoredFile:
    if role not in stored:
        raise NotFound(f"The uploaded file {role!r} was deleted. Upload it again.")
    return stored[role]
