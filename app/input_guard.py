"""Middleware that rejects text that cannot be stored, and oversized JSON, before anything is validated.

PostgreSQL cannot store NUL characters, and UTF-8 cannot encode lone surrogates. Both are rejected for all
operations, in paths, queries, headers and JSON bodies.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.bodies.problems import ProblemItem
from app.error_handlers import UNSTORABLE, problem_response
from understudy.errors import InvalidInput, TooLarge, UnderstudyError

# The largest valid bodies name a few thousand columns or list some 10,000 values.
MEMBERS_MAX = 20_000
VALUES_MAX = 100_000
DEPTH_MAX = 64
NAME_LENGTH_SHOWN = 64
DETAIL = "contains a NUL character or text that is not valid UTF-8. Remove these characters."

# A JSON text without any of these byte sequences contains neither NUL characters nor surrogates.
_SUSPECT = re.compile(rb"\\u(?:0000|[dD][89a-fA-F])|\x00|\xed[\xa0-\xbf]")

Json = Any  # the value of any JSON text
Path = tuple[str, ...]


@dataclass(frozen=True)
class _Refusal:
    error: UnderstudyError
    item: ProblemItem | None = None


class InputGuard:
    """Middleware that rejects requests with unstorable text or oversized JSON."""

    def __init__(self, app: ASGIApp, *, uploads: re.Pattern[str]) -> None:
        self.app = app
        self.uploads = uploads

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        refusal = _check_head(scope)
        if refusal is None and not self.uploads.fullmatch(f"{scope['method']} {scope['path']}"):
            messages = await _received(receive)
            receive = _replayed(messages, receive)
            body = b"".join(message.get("body", b"") for message in messages)
            if _needs_check(body):
                refusal = await run_in_threadpool(_check_body, body)
        if refusal is not None:
            items = None if refusal.item is None else [refusal.item]
            return await problem_response(scope, refusal.error, items=items)(scope, receive, send)
        await self.app(scope, receive, send)


def shortened(name: str) -> str:
    """Return a name that an error message can contain: storable and at most 64 characters long."""
    name = UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", name)
    return name if len(name) <= NAME_LENGTH_SHOWN else name[: NAME_LENGTH_SHOWN - 1] + "…"


def pointer_to(path: Path) -> str:
    """Return a JSON Pointer (RFC 6901) with shortened names."""
    return "".join("/" + shortened(name).replace("~", "~0").replace("/", "~1") for name in path)


def _check_head(scope: Scope) -> _Refusal | None:
    """Return the refusal of a request with unstorable text in its path, query or headers, or None."""
    if _is_unstorable(scope.get("raw_path") or scope["path"].encode("utf-8", "surrogatepass")):
        return _Refusal(InvalidInput(f"The path {DETAIL}", code="invalid_parameters"))
    for pair in scope["query_string"].split(b"&"):
        if _is_unstorable(pair):
            name = unquote_to_bytes(pair.partition(b"=")[0]).decode("utf-8", "replace")
            return _refused_parameter("The query parameter", name)
    for name, value in scope["headers"]:
        if b"\0" in value:
            return _refused_parameter("The header", name.decode("latin-1"))
    return None


def _is_unstorable(quoted: bytes) -> bool:
    text = unquote_to_bytes(quoted)
    try:
        text.decode()
    except UnicodeDecodeError:
        return True
    return b"\0" in text


def _refused_parameter(noun: str, name: str) -> _Refusal:
    detail = f"{noun} {shortened(name)} {DETAIL}"
    item = ProblemItem(parameter=shortened(name), code="invalid_text", detail=f"The value {DETAIL}")
    return _Refusal(InvalidInput(detail, code="invalid_parameters"), item)


async def _received(receive: Receive) -> list[Message]:
    """Return all ASGI messages that contain the body. Another middleware limits the body size."""
    messages = [await receive()]
    while messages[-1]["type"] == "http.request" and messages[-1].get("more_body", False):
        messages.append(await receive())
    return messages


def _replayed(messages: list[Message], receive: Receive) -> Receive:
    pending = iter(messages)

    async def replay() -> Message:
        return next(pending, None) or await receive()

    return replay


def _needs_check(body: bytes) -> bool:
    """Return whether a body can contain unstorable text, or more parts or levels than allowed."""
    return (
        body.count(b":") > MEMBERS_MAX
        or body.count(b",") > MEMBERS_MAX
        or body.count(b"[") + body.count(b"{") > DEPTH_MAX
        or _SUSPECT.search(body) is not None
    )


def _check_body(body: bytes) -> _Refusal | None:
    """Return the refusal of an oversized or unstorable JSON body. The operation checks other bodies."""
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        return None
    n_members = 0
    for n_values, (path, value) in enumerate(_parts(parsed), 1):
        n_members += isinstance(value, dict | list) + (len(value) if isinstance(value, dict) else 0)
        if n_members > MEMBERS_MAX or n_values > VALUES_MAX:
            return _Refusal(_too_many_parts())
        if len(path) > DEPTH_MAX:
            return _Refusal(_too_deep())
        texts = value if isinstance(value, dict) else [value] if isinstance(value, str) else []
        if any(UNSTORABLE.search(text) for text in texts):
            return _refused_text(path)
    return None


def _parts(parsed: Json) -> Iterator[tuple[Path, Json]]:
    """Yield all values of a JSON text with their paths, a container before its contents."""
    pending: list[tuple[Path, Json]] = [((), parsed)]
    while pending:
        path, value = pending.pop()
        yield path, value
        if isinstance(value, dict):
            pending += [((*path, name), part) for name, part in value.items()]
        elif isinstance(value, list):
            pending += [((*path, str(index)), part) for index, part in enumerate(value)]


def _refused_text(path: Path) -> _Refusal:
    pointer = pointer_to(path)
    item = ProblemItem(
        pointer=pointer, code="invalid_text", detail=f"A name or value at this location {DETAIL}"
    )
    return _Refusal(InvalidInput(f"{pointer or 'The body'} {DETAIL}", code="invalid_parameters"), item)


def _too_many_parts() -> TooLarge:
    return TooLarge(
        f"The body has more than {MEMBERS_MAX:,} fields, objects and arrays, or more than {VALUES_MAX:,} "
        "values. Send fewer of them.",
        code="invalid_parameters",
    )


def _too_deep() -> InvalidInput:
    return InvalidInput(
        f"The body has more than {DEPTH_MAX} levels of objects and arrays. Send a body with fewer levels.",
        code="malformed_body",
    )
