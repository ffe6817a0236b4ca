"""The header `Idempotency-Key`: a repeated POST returns the first response and changes nothing."""

from __future__ import annotations

import hashlib
import json
import re
import time
from collections.abc import Awaitable, Callable, Coroutine
from datetime import timedelta
from functools import partial
from typing import Any

from fastapi import Request, Response
from fastapi.responses import JSONResponse
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from app.left_keys import LeftKeys
from understudy.db.idempotency import StoredResponse
from understudy.errors import InvalidInput, Unavailable
from understudy.services import idempotency

HEADER = "Idempotency-Key"
VISIBLE_ASCII = re.compile(r"[!-~]{1,255}")
KEPT_HEADERS = ("location",)
REPEATABLE = frozenset({"/v1/uploads/{upload_id}/complete"})
# The responses of these operations contain a new API key or the secret of a webhook.
SECRET = frozenset(
    {
        *("/v1/api-keys", "/v1/api-keys/{api_key_id}/rotate", "/v1/projects/{project_id}/api-keys"),
        *("/v1/webhooks", "/v1/webhooks/{webhook_id}/rotate-secret"),
    }
)


class IdempotentRoute(APIRoute):
    """A route that supports `Idempotency-Key` for POST requests with or without a JSON body."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Return the route's handler, preceded by a check of the idempotency key."""
        handler = super().get_route_handler()
        if "POST" not in (self.methods or ()):
            return handler

        async def respond(request: Request) -> Response:
            if HEADER not in request.headers:
                return await handler(request)
            try:
                body = await request.body()
            except ClientDisconnect as error:
                raise InvalidInput(
                    "The connection was closed before the whole body had arrived. Send the request again.",
                    code="incomplete_body",
                ) from error
            return await respond_once(
                request,
                _value_sha256(body),
                lambda: handler(request),
                earlier_sha256=hashlib.sha256(body).digest(),
            )

        return respond


async def respond_once(
    request: Request,
    body_sha256: bytes,
    respond: Callable[[], Awaitable[Response]],
    *,
    earlier_sha256: bytes | None = None,
) -> Response:
    """Return the stored response for the request's key, or compute the response and store it.

    `earlier_sha256` is the digest of the body that the previous version of the service stored.

    Only successful responses are stored. A rejected request changed nothing, so the caller can correct it and
    send it with the same key.

    Raises
    ------
    InvalidInput
        If the key was used with a different request.
    Conflict
        If an earlier request with this key is still running.
    """
    key = request.headers.get(HEADER)
    if key is None:
        return await respond()
    if not VISIBLE_ASCII.fullmatch(key):
        raise InvalidInput(
            f"{HEADER} must consist of 1 to 255 visible ASCII characters.",
            code="invalid_parameters",
            parameter=HEADER,
        )
    resources, project_id = request.app.state.resources, request.state.caller.project_id
    digest = _request_sha256(request, body_sha256)
    left_keys: LeftKeys = request.app.state.left_keys
    began, is_left = time.monotonic(), left_keys.pop(project_id, key)
    after = _take_over_after(request, is_left=is_left)
    begin = partial(idempotency.begin, resources, project_id, key, take_over_after=after)
    try:
        stored = await run_in_threadpool(begin, digest)
    except InvalidInput:
        if earlier_sha256 is None:
            raise
        stored = await run_in_threadpool(begin, _request_sha256(request, earlier_sha256))
    if stored is not None:
        headers = {**stored.headers, "Idempotent-Replayed": "true"}
        return JSONResponse(stored.body, status_code=stored.status, headers=headers)
    try:
        return await _complete(request, key, respond)
    except Unavailable:
        # The key may still be reserved. If the response was stored, a repetition gets it.
        left_keys.add(project_id, key, began)
        raise


async def _complete(request: Request, key: str, respond: Callable[[], Awaitable[Response]]) -> Response:
    """Compute the response and store it, or delete the key if the request is rejected."""
    resources, project_id = request.app.state.resources, request.state.caller.project_id
    try:
        response = await respond()
    except BaseException:
        await run_in_threadpool(idempotency.abandon, resources, project_id, key)
        raise
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    kept = StoredResponse(response.status_code, headers, json.loads(bytes(response.body)))
    complete = partial(idempotency.complete, is_secret=request.scope["route"].path in SECRET)
    await run_in_threadpool(complete, resources, project_id, key, kept)
    return response


def _take_over_after(request: Request, *, is_left: bool) -> timedelta:
    """Return the age at which a request without a response stops blocking other requests with its key.

    The age is zero if the request has ended in this process, or if repeating the operation returns the same
    resources even without a key. Clients can repeat these requests immediately.
    """
    is_repeatable = request.scope["route"].path in REPEATABLE
    return timedelta(0) if is_left or is_repeatable else idempotency.TAKE_OVER_AFTER


def _value_sha256(body: bytes) -> bytes:
    """Return a digest of the JSON value in a body. Whitespace and field order do not affect the digest."""
    try:
        text = json.dumps(json.loads(body), sort_keys=True, separators=(",", ":"))
    except (ValueError, RecursionError):
        # The body is empty, or the operation rejects it later.
        return hashlib.sha256(body).digest()
    return hashlib.sha256(text.encode()).digest()


def _request_sha256(request: Request, body_sha256: bytes) -> bytes:
    place = f"{request.method} {request.url.path}?{request.url.query}\n".encode()
    return hashlib.sha256(place + body_sha256).digest()
