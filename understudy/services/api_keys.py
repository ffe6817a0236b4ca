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
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from understudy import ids
from understudy.access import PROJECT_SCOPES, check_scope
from understudy.db import api_keys, events, projects
from understudy.db.api_keys import NewApiKey
from understudy.errors import Conflict, Forbidden, InvalidInput, NotFound, Unauthenticated
from understudy.resources import Resources
from understudy.services.checks import Check, accept

if TYPE_CHECKING:
    from sqlalchemy.orm import Session

    from understudy.db.orm import ApiKey

# `operator` allows managing all projects of the installation, and creating keys for them.
OPERATOR = "operator"
ALL_SCOPES = (*PROJECT_SCOPES, OPERATOR)
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


@dataclass(frozen=True)
class KeyRequest:
    """The name, scopes and expiry of a new key. Without an expiry, the key is valid until it is revoked."""

    name: str
    scopes: Iterable[str] = USUAL_SCOPES
    expires_at: datetime | None = None


def create_api_key(
    resources: Resources, project_id: UUID, name: str, scopes: Iterable[str] = USUAL_SCOPES
) -> tuple[ApiKey, str]:
    """Create a key and return its row and its text, which cannot be retrieved later.

    Raises
    ------
    InvalidInput
        If a scope does not exist.
    NotFound
        If the project does not exist or was deleted.
    """
    return _create(resources, project_id, KeyRequest(name, scopes))


def grant_api_key(
    resources: Resources, caller: Caller, request: KeyRequest, *, project_id: UUID | None = None
) -> tuple[ApiKey, str]:
    """Create a key on behalf of a caller, by default in the caller's project.

    Raises
    ------
    Forbidden
        If the caller may not grant one of the scopes.
    InvalidInput, NotFound
        Under the same conditions as in `create_api_key`, or if `expires_at` is in the past.
    """
    _check_grant(caller, request.scopes)
    return _create(resources, project_id or caller.project_id, request)


def rotate_api_key(
    resources: Resources, caller: Caller, key_id: UUID, *, grace: timedelta, expires_at: datetime | None
) -> tuple[ApiKey, str]:
    """Replace a key with a new key that has the same name and scopes. The old key expires after `grace`.

    Raises
    ------
    Conflict
        If the key has expired or was revoked.
    Forbidden
        If the caller may not grant one of the key's scopes.
    """
    with resources.sessions.begin() as session:
        old = api_keys.lock(session, caller.project_id, key_id)
        _check_grant(caller, old.scopes)
        _check_valid(session, old)
        request = KeyRequest(old.name, old.scopes, expires_at)
        new, text = _add(session, resources, caller.project_id, request)
        api_keys.limit_lifetime(session, old, grace)
        events.add(session, caller.project_id, "api_key.rotated", old.id)
        return new, text


def change_api_key(
    resources: Resources,
    caller: Caller,
    key_id: UUID,
    changes: Mapping[str, Any],
    *,
    check: Check[ApiKey] = accept,
) -> ApiKey:
    """Change the name or the expiry of a valid key (`name` and `expires_at` in `changes`).

    Parameters
    ----------
    check : callable (session, row) -> None
        Function that raises an error if the locked row must not be changed.

    Raises
    ------
    Conflict
        If the key has expired or was revoked.
    InvalidInput
        If the new expiry is in the past.
    """
    with resources.sessions.begin() as session:
        key = api_keys.lock(session, caller.project_id, key_id)
        check(session, key)
        _check_valid(session, key)
        _check_future(session, changes.get("expires_at"))
        for field, value in changes.items():
            setattr(key, field, value)
    return key


def revoke_other_api_key(
    resources: Resources, caller: Caller, key_id: UUID, *, check: Check[ApiKey] = accept
) -> None:
    """Revoke a key of the caller's project.

    Callers cannot revoke their own key, so a project always keeps an administrator's key.
    """
    if key_id == caller.key_id:
        raise Conflict("An API key cannot revoke itself. Send the request with another key.", code="in_use")
    revoke_api_key(resources, caller.project_id, key_id, check=check)


def revoke_api_key(
    resources: Resources, project_id: UUID, key_id: UUID, *, check: Check[ApiKey] = accept
) -> None:
    """Revoke a key. Later requests with the key fail.

    Parameters
    ----------
    check : callable (session, row) -> None
        Function that raises an error if the locked row must not be changed.
    """
    with resources.sessions.begin() as session:
        check(session, api_keys.lock(session, project_id, key_id))
        if not api_keys.revoke(session, project_id, key_id):
            key = ids.to_text("api_key", key_id)
            raise NotFound(
                f"This project has no valid API key {key}. Check the ID, the project, and whether the key "
                f"was already revoked."
            )


def authenticate(resources: Resources, key_text: str) -> Caller:
    """Return the caller that a key identifies, or raise `Unauthenticated`. Each call queries the database."""
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


def _create(resources: Resources, project_id: UUID, request: KeyRequest) -> tuple[ApiKey, str]:
    with resources.sessions.begin() as session:
        # The lock prevents a key from being added to a project that is being deleted.
        projects.get_active(session, project_id, is_locked=True)
        return _add(session, resources, project_id, request)


def _add(session: Session, resources: Resources, project_id: UUID, request: KeyRequest) -> tuple[ApiKey, str]:
    scopes = sorted(set(request.scopes))
    unknown = [scope for scope in scopes if scope not in ALL_SCOPES]
    if unknown:
        raise InvalidInput(f"There is no scope {unknown[0]!r}. Use one of {', '.join(ALL_SCOPES)}.")
    _check_future(session, request.expires_at)
    key_id = ids.new_id()
    text = f"sk_{ids.to_text('api_key', key_id).removeprefix('key_')}_{secrets.token_urlsafe(32)}"
    new = NewApiKey(key_id, project_id, request.name, _digest(resources, text), scopes, request.expires_at)
    return api_keys.add(session, new), text


def _check_grant(caller: Caller, scopes: Iterable[str]) -> None:
    if OPERATOR in scopes and OPERATOR not in caller.scopes:
        raise Forbidden(
            "Only a key with the scope 'operator' can grant the scope 'operator'. Use a key with this scope, "
            "or omit the scope."
        )


def _check_valid(session: Session, key: ApiKey) -> None:
    is_expired = key.expires_at is not None and key.expires_at <= api_keys.now(session)
    if key.revoked_at is not None or is_expired:
        text = ids.to_text("api_key", key.id)
        state = "was revoked" if key.revoked_at is not None else "has expired"
        raise Conflict(f"API key {text} {state}. Create a new key.")


def _check_future(session: Session, moment: datetime | None) -> None:
    if moment is not None and moment <= api_keys.now(session):
        raise InvalidInput(
            "`expires_at` is not in the future. Set a later time, or delete the key to revoke it now.",
            code="invalid_parameters",
            pointer="/expires_at",
        )


def _digest(resources: Resources, text: str) -> bytes:
    return hmac.new(resources.secret_key, text.encode(), hashlib.sha256).digest()


def _invalid() -> Unauthenticated:
    return Unauthenticated(
        "The API key is invalid: it was mistyped, was revoked, has expired, or belongs to another "
        "installation. Use a valid key of your project."
    )
