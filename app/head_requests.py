"""Middleware that supports HEAD for every GET operation, with the same headers and without a body."""

from __future__ import annotations

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send


class HeadRequests:
    """Middleware that runs the GET operation for a HEAD request, and discards the body."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "HEAD":
            return await self.app(scope, receive, send)
        get = {**scope, "method": "GET"}
        get["state"]["is_head"] = True

        async def send_head(message: Message) -> None:
            await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

        try:
            await self.app(get, receive, send_head)
        finally:
            # Metrics are labeled with the route.
            scope["route"] = get.get("route")


def is_head(request: Request) -> bool:
    """Return whether only the headers of the response are sent, so the body need not be computed."""
    return bool(request.scope["state"].get("is_head"))
