"""ASGI middleware: request IDs and response headers, the limit on the body size, and authentication.

The classes do not use Starlette's `BaseHTTPMiddleware`, which creates a task and a queue for each request.
"""

from __future__ import annotations

import asyncio
import re
import secrets
import time

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.error_handlers import internal_error, problem_response
from app.http_metrics import observe_request
from app.stopping import Stopping, stopped
from understudy.errors import InvalidInput, Unauthenticated, UnderstudyError
from understudy.logs import bound, get_logger
from understudy.resources import Resources
from understudy.services import api_keys
from understudy.tracing import request_span

BODY_BYTES_MAX = 1 << 20
SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

logger = get_logger(__name__)


class RequestContext:
    """Middleware that adds a request ID and security headers, and handles requests that fail unexpectedly.

    The response is 500 after an unexpected error, and 503 if the process was stopped.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        stopping: Stopping = scope["app"].state.stopping
        status = 0
        started = time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(MutableHeaders(scope=message), request_id, is_last=stopping.has_begun)
            await send(message)

        task = stopping.enter()
        with bound(request_id=request_id), request_span(_trace_context(scope), scope["method"]) as span:
            span.set("understudy.request_id", request_id)
            try:
                await self.app(scope, receive, send_with_headers)
            except asyncio.CancelledError:
                if not stopping.is_over or status:
                    # Only a closed connection shows the caller that a started response is incomplete.
                    raise
                task.uncancel()
                await problem_response(scope, stopped())(scope, receive, send_with_headers)
            except Exception:  # An unexpected exception affects only the request that caused it.
                logger.exception("request_failed")
                if status:
                    # The response has started. Only a closed connection shows the caller that the response is
                    # incomplete.
                    raise
                await internal_error(scope)(scope, receive, send_with_headers)
            finally:
                stopping.leave(task)
                seconds = time.perf_counter() - started
                route = observe_request(scope, status, seconds)
                span.rename(f"{scope['method']} {route}")
                span.set("http.response.status_code", status)
                _log_request(scope, status, seconds)


class _BodyTooLarge(Exception):
    """Raised when a body of unknown length exceeds the limit while it is read."""


class BodyLimit:
    """Middleware that rejects bodies over a limit, except uploads, which enforce their own limit."""

    def __init__(self, app: ASGIApp, *, uploads: re.Pattern[str]) -> None:
        self.app = app
        self.uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self.uploads.fullmatch(f"{scope['method']} {scope['path']}"):
            return await self.app(scope, receive, send)
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdecimal() and int(length) > BODY_BYTES_MAX:
            error = _too_large(f"The body has {length} bytes")
            return await problem_response(scope, error)(scope, receive, send)
        n_bytes = 0

        async def receive_counted() -> Message:
            nonlocal n_bytes
            message = await receive()
            n_bytes += len(message.get("body", b""))
            if n_bytes > BODY_BYTES_MAX:
                raise _BodyTooLarge
            return message

        try:
            # `InputGuard` reads the whole body before the operation starts.
            await self.app(scope, receive_counted, send)
        except _BodyTooLarge:
            error = _too_large("The body is too large")
            await problem_response(scope, error)(scope, receive, send)


class Authentication:
    """Middleware that requires a valid API key under ``/v1``, before the body is read.

    Every request looks up the key in the database by primary key because a cache would accept revoked keys.
    """

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not f"{scope['path']}/".startswith("/v1/"):
            return await self.app(scope, receive, send)
        try:
            key = _bearer(Headers(scope=scope))
            resources: Resources = scope["app"].state.resources
            scope["state"]["caller"] = await run_in_threadpool(api_keys.authenticate, resources, key)
        except UnderstudyError as error:
            return await problem_response(scope, error)(scope, receive, send)
        await self.app(scope, receive, send)


def _too_large(fault: str) -> InvalidInput:
    detail = f"{fault}, but this operation accepts at most {BODY_BYTES_MAX} bytes. Send a smaller body."
    return InvalidInput(detail, code="body_too_large")


def _bearer(headers: Headers) -> str:
    given = headers.getlist("authorization")
    scheme, _, key = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not key:
        raise Unauthenticated(
            "The request has no valid Authorization header. Send `Authorization: Bearer sk_…` exactly once,"
            " with an API key of your project."
        )
    return key.strip()


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if SANE_REQUEST_ID.fullmatch(given) else f"req_{secrets.token_hex(12)}"


def _trace_context(scope: Scope) -> str | None:
    return Headers(scope=scope).get("traceparent")


def _add_headers(headers: MutableHeaders, request_id: str, *, is_last: bool) -> None:
    if is_last:
        # The next request needs a new connection, which another process accepts.
        headers["Connection"] = "close"
    headers["X-Request-ID"] = request_id
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers.setdefault("Cache-Control", "no-store")


def _log_request(scope: Scope, status: int, seconds: float) -> None:
    # The path is logged without its query, which may contain names chosen by the caller.
    milliseconds = round(1000 * seconds, 1)
    logger.info(
        "request", method=scope["method"], path=scope["path"], status=status, milliseconds=milliseconds
    )
