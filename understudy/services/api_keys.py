"""API keys, which are shown once at creation and stored only as an HMAC.

A key has the form ``sk_<id>_<secret>``: 26 characters that identify the database row, and 256 random bits. A
stolen database contains no usable key. Without the installation's secret key, nobody can forge a key that the
database accepts.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from understudy import ids
from understudy.access import check_scope
from understudy.db import api_keys, projects
from understudy.db.api_keys import NewApiKey
from understudy.errors import InvalidInput, NotFound, Unauthenticated
from understudy.resources import Resources

if TYPE_CHECKING:
    from understudy.db.orm import ApiKey

# `read_real` also allows reading the real values of uploaded and imputed tables.
SCOPES = ("read", "read_real", "write", "admin")
USUAL_SCOPES = ("read", "read_real", "write")
_KEY = re.compile(r"sk_([0-9a-z]{26})_[A-Za-z0-9_-]{43}")


@dataclass(frozen=True)
class Caller:
    """The caller of a request: its project, its API key and the scopes of the key."""

    project_id: UUID
    key_id: UUID
    scopes: frozenset[str]

    def require(self, scope: str) -> None:
        """Raise `Forbidden` if the key lacks a scope."""
        check_scope(self, scope)


def create_api_key(
    resources: Resources, project_id: UUID, name: str, scopes: Iterable[str] = USUAL_SCOPES
) -> tuple[ApiKey, str]:
    """Create a key and return its row and its text, which cannot be retrieved later."""
    wanted = sorted(set(scopes))
    unknown = [scope for scope in wanted if scope not in SCOPES]
    if unknown:
        raise InvalidInput(f"There is no scope {unknown[0]!r}. Use one of {', '.join(SCOPES)}.")
    key_id = ids.new_id()
    text = f"sk_{ids.to_text('api_key', key_id).removeprefix('key_')}_{secrets.token_urlsafe(32)}"
    with resources.sessions.begin() as session:
        projects.get(session, project_id)
        new = NewApiKey(key_id, project_id, name, _digest(resources, text), wanted)
        key = api_keys.add(session, new)
    return key, text


def revoke_api_key(resources: Resources, project_id: UUID, key_id: UUID) -> None:
    """Revoke a key. The key is invalid from the next request on."""
    with resources.sessions.begin() as session:
        if not api_keys.revoke(session, project_id, key_id):
            key = ids.to_text("api_key", key_id)
            raise NotFound(
                f"This project has no valid API key {key}. Check the ID, the project, and whether the key "
                f"was already revoked."
            )


def authenticate(resources: Resources, key_text: str) -> Caller:
    """Return the caller with this key, or raise `Unauthenticated`. Each call queries the database."""
    match = _KEY.fullmatch(key_text)
    if match is None:
        raise _invalid()
    try:
        key_id = ids.from_text("api_key", f"key_{match[1]}")
    except NotFound as error:
        raise _invalid() from error
    with resources.read_sessions() as session:
        key = api_keys.find_valid(session, key_id)
    if key is None or not hmac.compare_digest(key.digest, _digest(resources, key_text)):
        raise _invalid()
    return Caller(key.project_id, key.id, frozenset(key.scopes))


def _digest(resources: Resources, text: str) -> bytes:
    return hmac.new(resources.secret_key, text.encode(), hashlib.sha256).digest()


def _invalid() -> Unauthenticated:
    return Unauthenticated(
        "The API key is invalid: it was mistyped, was revoked, has expired, or belongs to another "
        "installation. Use a valid key of your project."
    )
