"""How blobs are named: by project, job and fencing token, so that no two attempts ever write the same key."""

from __future__ import annotations

import re
from dataclasses import dataclass
from uuid import UUID

from understudy import ids
from understudy.errors import NotFound

PREFIX = "p/"
_KEY = re.compile(r"p/(?P<project>[^/]+)/j/(?P<job>[^/]+)/(?P<token>[0-9]+)/[^/]+")


@dataclass(frozen=True)
class KeyParts:
    """What a key tells of its blob."""

    project_id: UUID
    job_id: UUID
    token: int


def make_key(project_id: UUID, job_id: UUID, token: int, role: str, suffix: str) -> str:
    """Return the key of a file in a role; token 0 is an upload, which came before any claim."""
    project, job = ids.to_text("project", project_id), ids.to_text("job", job_id)
    return f"{PREFIX}{project}/j/{job}/{token}/{role}{suffix}"


def parse_key(key: str) -> KeyParts | None:
    """Return what a key tells, or None if it is none of ours."""
    match = _KEY.fullmatch(key)
    if match is None:
        return None
    try:
        project_id, job_id = ids.from_text("project", match["project"]), ids.from_text("job", match["job"])
        return KeyParts(project_id, job_id, int(match["token"]))
    except NotFound:
        return None
