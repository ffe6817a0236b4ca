"""Idempotency keys: the same request twice is one effect and one answer.

`begin` marks the request as running, `complete` keeps its answer. `jobs.remember` ties the job that a request
adds to the key, in the transaction that adds it: after a crash in between, a repetition of the request finds
that job instead of adding another.
"""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from understudy.db import idempotency
from understudy.db.idempotency import StoredAnswer
from understudy.errors import Conflict, InvalidInput
from understudy.resources import Resources

# After that time a request without an answer is taken to have died with its process.
TAKE_OVER_AFTER = timedelta(seconds=30)


def begin(resources: Resources, project_id: UUID, key: str, request_sha256: bytes) -> StoredAnswer | None:
    """Return the answer that was given under the key, or None if this request is the one to be answered.

    Raises
    ------
    InvalidInput
        If the key was used with another request.
    Conflict
        If the first request is still running.
    """
    with resources.sessions.begin() as session:
        if idempotency.reserve(session, project_id, key, request_sha256):
            return None
        row = idempotency.lock(session, project_id, key)
        if row is None:
            raise _in_progress()
        if row.request_sha256 != request_sha256:
            raise InvalidInput(
                "This idempotency key was used with another request; choose a new one for each request.",
                code="idempotency_mismatch",
            )
        if row.status is not None:
            return StoredAnswer(row.status, row.headers or {}, row.body)
        if not idempotency.take_over(session, project_id, key, age=TAKE_OVER_AFTER):
            raise _in_progress()
    return None


def complete(resources: Resources, project_id: UUID, key: str, answer: StoredAnswer) -> None:
    """Keep the answer for repetitions of the request."""
    with resources.sessions.begin() as session:
        idempotency.complete(session, project_id, key, answer)


def abandon(resources: Resources, project_id: UUID, key: str) -> None:
    """Forget a request that was refused, unless it has added a job: the key may be used again."""
    with resources.sessions.begin() as session:
        idempotency.delete(session, project_id, key)


def _in_progress() -> Conflict:
    return Conflict(
        "A request with this idempotency key is still running; repeat it in a moment.",
        code="idempotency_in_progress",
    )
