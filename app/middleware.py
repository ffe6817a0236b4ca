"""What surrounds every request: its id and headers, the limit of its body, and the key that it must bring.

Plain ASGI, since Starlette's `BaseHTTPMiddleware` costs a task and a queue for each request.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import time
from collections.abc import Callable

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers, MutableHeaders
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.error_handlers import internal_error, problem_response
from understudy.errors import InvalidInput, Unauthenticated, UnderstudyError
from understudy.logs import bound, get_logger
from understudy.resources import Resources
from understudy.services import api_keys
from understudy.services.api_keys import Caller

BODY_BYTES_MAX = 1 << 20
# Keys stop working within 5 seconds of their revocation (docs/api.md).
KNOWN_SECONDS = 2.0
KNOWN_KEYS_MAX = 10_000
SANE_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,128}")

logger = get_logger(__name__)


class RequestContext:
    """Gives each request an id, each answer its safety headers, and each bug a 500 that tells nothing."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        request_id = _request_id(scope)
        scope.setdefault("state", {})["request_id"] = request_id
        status = 0
        started = time.perf_counter()

        async def send_with_headers(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                _add_headers(MutableHeaders(scope=message), request_id)
            await send(message)

        with bound(request_id=request_id):
            try:
                await self.app(scope, receive, send_with_headers)
            except Exception:  # the boundary: a bug in one request is told as such, and ends there
                logger.exception("request_failed")
                if status:
                    # The answer has begun: only a broken connection tells the caller that it is not whole.
                    raise
                await internal_error(scope)(scope, receive, send_with_headers)
            finally:
                _log_request(scope, status, time.perf_counter() - started)


class BodyLimit:
    """Refuses bodies over a limit; uploads, which count their own bytes, are let through."""

    def __init__(self, app: ASGIApp, *, uploads: re.Pattern[str]) -> None:
        self.app = app
        self.uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or self.uploads.fullmatch(f"{scope['method']} {scope['path']}"):
            return await self.app(scope, receive, send)
        length = Headers(scope=scope).get("content-length", "0")
        if length.isdecimal() and int(length) > BODY_BYTES_MAX:
            error = InvalidInput(
                f"The body is {length} bytes long; this operation takes {BODY_BYTES_MAX}.",
                code="body_too_large",
            )
            return await problem_response(scope, error)(scope, receive, send)
        n_bytes = 0

        async def receive_counted() -> Message:
            nonlocal n_bytes
            message = await receive()
            n_bytes += len(message.get("body", b""))
            if n_bytes > BODY_BYTES_MAX:
                # FastAPI lets nothing but an HTTPException out of its reading of a body.
                raise HTTPException(413)
            return message

        await self.app(scope, receive_counted, send)


class KnownKeys:
    """Who the keys of the last moments belong to, so that not every request looks at the database for it.

    A key may be used as long after its revocation as it is remembered, and no longer.
    """

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        self.seconds = seconds
        self.clock = clock
        self._callers: dict[bytes, tuple[Caller, float]] = {}

    def find(self, key: str) -> Caller | None:
        """Return the caller with a key, if it was remembered lately."""
        caller, until = self._callers.get(_sha256(key), (None, 0.0))
        return caller if self.clock() < until else None

    def remember(self, key: str, caller: Caller) -> None:
        """Remember a key that was just found valid."""
        if len(self._callers) >= KNOWN_KEYS_MAX:
            self._callers.clear()
        self._callers[_sha256(key)] = caller, self.clock() + self.seconds


class Authentication:
    """Lets nothing under ``/v1`` happen, not even the reading of a body, without a valid key."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self.known_keys = KnownKeys(KNOWN_SECONDS)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not f"{scope['path']}/".startswith("/v1/"):
            return await self.app(scope, receive, send)
        try:
            key = _bearer(Headers(scope=scope))
            scope["state"]["caller"] = self.known_keys.find(key) or await self._look_up(scope, key)
        except UnderstudyError as error:
            return await problem_response(scope, error)(scope, receive, send)
        await self.app(scope, receive, send)

    async def _look_up(self, scope: Scope, key: str) -> Caller:
        resources: Resources = scope["app"].state.resources
        caller = await run_in_threadpool(api_keys.authenticate, resources, key)
        self.known_keys.remember(key, caller)
        return caller


def _sha256(key: str) -> bytes:
    return hashlib.sha256(key.encode("utf-8", "surrogatepass")).digest()


def _bearer(headers: Headers) -> str:
    given = headers.getlist("authorization")
    scheme, _, key = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not key:
        raise Unauthenticated(
            "Send the header `Authorization: Bearer sk_…` with an API key of your project, once."
        )
    return key.strip()


def _request_id(scope: Scope) -> str:
    given = Headers(scope=scope).get("x-request-id", "")
    return given if SANE_REQUEST_ID.fullmatch(given) else f"req_{secrets.token_hex(12)}"


def _add_headers(headers: MutableHeaders, request_id: str) -> None:
    headers["X-Request-ID"] = request_id
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers.setdefault("Cache-Control", "no-store")


def _log_request(scope: Scope, status: int, seconds: float) -> None:
    # The path without its query: a query may hold names that are the caller's own.
    milliseconds = round(1000 * seconds, 1)
    logger.info(
        "request", method=scope["method"], path=scope["path"], status=status, milliseconds=milliseconds
    )
