"""Middleware that adds the ETag of a resource to JSON responses, and returns 304 for `If-None-Match`."""

from __future__ import annotations

import json

from fastapi import Request
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.conditions import is_unchanged, json_etag, variant_of

# Responses to these methods contain the current representation of the resource at the path.
METHODS = frozenset({"GET", "PATCH"})


class ETags:
    """Middleware that adds an ETag to JSON responses to GET and PATCH, unless the operation has set one."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in METHODS or not scope["path"].startswith("/v1/"):
            return await self.app(scope, receive, send)
        held: list[Message] = []

        async def send_with_etag(message: Message) -> None:
            if message["type"] == "http.response.start" and _needs_etag(message):
                held.append(message)
            elif held and message.get("more_body"):
                # A streamed response has no ETag.
                await send(held.pop())
                await send(message)
            elif held:
                await _send_held(scope, held.pop(), message, send)
            else:
                await send(message)

        await self.app(scope, receive, send_with_etag)


def _needs_etag(start: Message) -> bool:
    headers = MutableHeaders(scope=start)
    is_json = headers.get("content-type", "").startswith("application/json")
    return start["status"] == 200 and is_json and "etag" not in headers


async def _send_held(scope: Scope, start: Message, body: Message, send: Send) -> None:
    """Send a buffered response, or 304 if the caller already has its content."""
    etag = json_etag(json.loads(body["body"]))
    headers = MutableHeaders(scope=start)
    headers["ETag"] = etag
    if scope["method"] == "GET" and is_unchanged(Request(scope), etag):
        headers["ETag"] = variant_of(Request(scope), etag)
        del headers["content-length"]
        del headers["content-type"]
        start, body = {**start, "status": 304}, {**body, "body": b""}
    await send(start)
    await send(body)
