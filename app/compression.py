"""Middleware that compresses JSON and text responses with gzip if the caller asks for it.

Downloads are not compressed: Parquet files already are, and byte ranges refer to the stored bytes. Event
streams are not compressed, because each event must arrive immediately.
"""

from __future__ import annotations

import zlib

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.accept import quality_of
from app.conditions import COMPRESSED

SIZE_BYTES_MIN = 1_000
LEVEL = 5
# With these window bits, zlib writes the gzip format.
GZIP_WINDOW_BITS = 31
MEDIA_TYPES = ("application/json", "application/problem+json", "text/html", "text/plain")


class Compression:
    """Middleware that compresses responses that have a compressible type and are sent in one piece."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_gzip_accepted(scope):
            return await self.app(scope, receive, send)
        held: list[Message] = []

        async def send_compressed(message: Message) -> None:
            if message["type"] == "http.response.start" and _is_compressible(message):
                held.append(message)
            elif held:
                start = held.pop()
                if not message.get("more_body"):
                    start, message = _compressed(start, message)
                await send(start)
                await send(message)
            else:
                await send(message)

        await self.app(scope, receive, send_compressed)


def _is_gzip_accepted(scope: Scope) -> bool:
    return quality_of(Headers(scope=scope).get("accept-encoding", ""), "gzip") > 0


def _is_compressible(start: Message) -> bool:
    headers = Headers(raw=start["headers"])
    media_type = headers.get("content-type", "").partition(";")[0]
    is_short = int(headers.get("content-length", "0")) < SIZE_BYTES_MIN
    return media_type in MEDIA_TYPES and not is_short and "content-encoding" not in headers


def _compressed(start: Message, body: Message) -> tuple[Message, Message]:
    compressor = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP_WINDOW_BITS)
    content = compressor.compress(body["body"]) + compressor.flush()
    start = {**start, "headers": list(start["headers"])}
    headers = MutableHeaders(scope=start)
    headers["Content-Encoding"] = "gzip"
    headers["Content-Length"] = str(len(content))
    headers.add_vary_header("Accept-Encoding")
    if headers.get("etag", "").endswith('"'):
        # A strong ETag must differ between the compressed and the plain representation.
        headers["ETag"] = headers["etag"].removesuffix('"') + COMPRESSED
    return start, {**body, "body": content}
