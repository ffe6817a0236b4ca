"""Idempotency keys: a request that is repeated with its key takes effect once and returns the same response.

`begin` marks the request as running, and `complete` stores its response. `jobs.remember` stores the job that
a request adds together with the key, in the transaction that adds the job. After a crash before `complete`, a
repeated request finds that job and does not add another job.
"""

from __future__ import annotations

import json
import math
import re
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from understudy import ids
from understudy.db import erasures, idempotency
from understudy.db.idempotency import StoredResponse
from understudy.errors import Conflict, InvalidInput, NotFound
from understudy.resources import Resources
from understudy.services.secret_text import sealing

if TYPE_CHECKING:
    from understudy.db.orm import IdempotencyKey

Json = dict[str, Any]
# The only field of an encrypted body in the database.
SEALED = "sealed"
_NOUNS = {ids.PREFIXES[noun]: noun for noun in erasures.TABLES}
_ID = re.compile(rf'"((?:{"|".join(_NOUNS)})_[0-9a-hjkmnp-tv-z]{{26}})"')

UNREADABLE = (
    "The stored response cannot be decrypted, because UNDERSTUDY_SECRET_KEY has changed. Restore its "
    "earlier value, or send the request with a new idempotency key."
)

# After this time, a request without a response is assumed to have ended with its process.
TAKE_OVER_AFTER = timedelta(seconds=30)


def begin(
    resources: Resources,
    project_id: UUID,
    key: str,
    request_sha256: bytes,
    *,
    take_over_after: timedelta = TAKE_OVER_AFTER,
) -> StoredResponse | None:
    """Return the stored response for the key, or None if this request is to be processed.

    Parameters
    ----------
    take_over_after : timedelta
        Age at which a request without a response stops blocking other requests with its key.

    Raises
    ------
    InvalidInput
        If the key was used with a different request.
    Conflict
        If the first request is still running.
    """
    with resources.sessions.begin() as session:
        if idempotency.reserve(session, project_id, key, request_sha256):
            return None
        row = idempotency.lock(session, project_id, key)
        if row is None:
            raise _in_progress(1)
        if row.request_sha256 != request_sha256:
            raise InvalidInput(
                "This idempotency key was used with a different request. Use a new key for each request.",
                code="idempotency_mismatch",
            )
        if row.status is not None:
            return _stored_response(resources, row)
        if not idempotency.take_over(session, project_id, key, age=take_over_after):
            age = idempotency.age_of(session, row)
            raise _in_progress(math.ceil((take_over_after - age).total_seconds()))
    return None


def complete(
    resources: Resources, project_id: UUID, key: str, response: StoredResponse, *, is_secret: bool = False
) -> None:
    """Store the response for repeated requests, without its body if a resource in it has been deleted.

    The body of a secret response is encrypted.
    """
    mentions = set(_ID.findall(json.dumps(response.body)))
    mentioned: dict[str, list[UUID]] = {}
    for text in mentions:
        noun = _NOUNS[text.partition("_")[0]]
        mentioned.setdefault(noun, []).append(ids.from_text(noun, text))
    with resources.sessions.begin() as session:
        if not erasures.hold(session, project_id, mentioned):
            response = replace(response, body=None)
        elif is_secret:
            response = replace(response, body=_sealed_body(resources, project_id, response.body))
        idempotency.complete(session, project_id, key, response, mentions)


def abandon(resources: Resources, project_id: UUID, key: str) -> None:
    """Delete the key of a rejected request so that it can be used again, unless the request added a job."""
    with resources.sessions.begin() as session:
        idempotency.delete(session, project_id, key)


def _sealed_body(resources: Resources, project_id: UUID, body: Json | None) -> Json:
    return {SEALED: sealing().seal(resources.secret_key, json.dumps(body), project_id.bytes)}


def _unsealed_body(resources: Resources, row: IdempotencyKey, body: Json) -> Json:
    text = sealing().unseal(resources.secret_key, body[SEALED], row.project_id.bytes, detail=UNREADABLE)
    unsealed: Json = json.loads(text)
    return unsealed


def _stored_response(resources: Resources, row: IdempotencyKey) -> StoredResponse:
    if row.body is None:
        raise NotFound(
            "A resource in the response to the first request with this idempotency key was deleted. Use a new"
            " key to repeat the request."
        )
    assert row.status is not None
    body = _unsealed_body(resources, row, row.body) if set(row.body) == {SEALED} else row.body
    return StoredResponse(row.status, row.headers or {}, body)


def _in_progress(seconds: int) -> Conflict:
    """Return the error for a key while its first request is still running.

    After the given time, the request has a response, or a repetition of the request takes it over.
    """
    error = Conflict(
        "A request with this idempotency key is still running. Repeat it after the time in Retry-After.",
        code="idempotency_in_progress",
    )
    error.retry_after_seconds = max(seconds, 1)
    return error
