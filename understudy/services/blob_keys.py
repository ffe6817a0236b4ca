"""Keys of blobs. They contain the project, the job and the token, so no two attempts write the same key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from understudy import ids
from understudy.errors import NotFound

PREFIX = "p/"
_PART_KEY = re.compile(r"p/(?P<project>[^/]+)/u/(?P<upload>[^/]+)/[0-9]+-(?P<blob>[^/]+)")
_KEY = re.compile(r"p/(?P<project>[^/]+)/j/(?P<job>[^/]+)/(?P<token>[0-9]+)/[^/]+")


@dataclass(frozen=True)
class KeyParts:
    """The components of a storage key for a job's blob."""

    project_id: UUID
    job_id: UUID
    token: int


def make_key(project_id: UUID, job_id: UUID, token: int, role: str, suffix: str) -> str:
    """Return the key of a file by its role. Token 0 is used for uploads, which precede any claim."""
    return f"{job_prefix(project_id, job_id)}{token}/{role}{suffix}"


def project_prefix(project_id: UUID) -> str:
    """Return the key prefix for all blobs of a project."""
    return f"{PREFIX}{ids.to_text('project', project_id)}/"


def job_prefix(project_id: UUID, job_id: UUID) -> str:
    """Return the key prefix for all blobs of a job."""
    return f"{PREFIX}{ids.to_text('project', project_id)}/j/{ids.to_text('job', job_id)}/"


def upload_prefix(project_id: UUID, upload_id: UUID) -> str:
    """Return the key prefix for all parts of an upload."""
    return f"{PREFIX}{ids.to_text('project', project_id)}/u/{ids.to_text('upload', upload_id)}/"


@dataclass(frozen=True)
class PartKeyParts:
    """The components of an upload part's key. `blob_id` is generated just before the blob is stored."""

    project_id: UUID
    upload_id: UUID
    blob_id: UUID


def make_part_key(project_id: UUID, upload_id: UUID, number: int) -> str:
    """Return a new key for a part of an upload, so that a part that is sent again overwrites no blob."""
    return f"{upload_prefix(project_id, upload_id)}{number}-{ids.to_text('artifact', ids.new_id())}"


def parse_part_key(key: str) -> PartKeyParts | None:
    """Parse the storage key of an upload part. Return None for any other text."""
    match = _PART_KEY.fullmatch(key)
    if match is None:
        return None
    try:
        return PartKeyParts(
            ids.from_text("project", match["project"]),
            ids.from_text("upload", match["upload"]),
            ids.from_text("artifact", match["blob"]),
        )
    except NotFound:
        return None


def parse_key(key: str) -> KeyParts | None:
    """Parse the storage key of a job's blob. Return None for any other text."""
    match = _KEY.fullmatch(key)
    if match is None:
        return None
    try:
        project_id, job_id = ids.from_text("project", match["project"]), ids.from_text("job", match["job"])
        return KeyParts(project_id, job_id, int(match["token"]))
    except NotFound:
        return None
