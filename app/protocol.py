"""uvicorn's HTTP/1.1 protocol with time limits for clients that send or receive too slowly.

uvicorn limits only the pause between two requests. Select this class with
``uvicorn --http app.protocol:TimedProtocol``.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import select
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from understudy.documentation import error_link
from understudy.errors import CODES
from understudy.logs import get_logger

HEADER_SECONDS = 10.0
HEADER_BYTES_MAX = 1 << 17
# The minimum rate and the window are the defaults of Apache's mod_reqtimeout: 500 bytes per second over 20 s.
BODY_WINDOW_SECONDS = 20.0
BODY_RATE_MIN = 500
# A client that does not empty the send buffer in this time has stalled.
SEND_SECONDS = 30.0
# Load balancers and clients usually keep idle connections for up to 60 s. The server keeps them longer, so it
# rarely closes a connection just as a client sends a request.
KEEP_ALIVE_SECONDS = 75
# Pause before an idle connection with unread data is checked again.
UNREAD_SECONDS = 0.1

REFUSALS = {
    "malformed_body": (
        "400 Bad Request",
        "The request is not valid HTTP/1.1. Correct its first line and its headers.",
    ),
    "request_timeout": (
        "408 Request Timeout",
        "The request did not arrive in time, so nothing was stored. Send it again over a faster connection, "
        "and send large files in parts.",
    ),
    "headers_too_large": (
        "431 Request Header Fields Too Large",
        f"The headers and the path have more than {HEADER_BYTES_MAX} bytes. Send fewer or shorter headers.",
    ),
}

logger = get_logger(__name__)


class TimedProtocol(HttpToolsProtocol):
    """A connection that is closed if the client stalls.

    - The headers of a request must arrive within `HEADER_SECONDS`, counted from the start of the connection
      or, for later requests, from their first byte.
    - A body must arrive at `BODY_RATE_MIN` bytes per second or faster while the application reads it.
    - The next request must begin within `KEEP_ALIVE_SECONDS`.
    - A client must read the response: a full send buffer must shrink within `SEND_SECONDS`.
    """

    _timer: asyncio.TimerHandle | None = None
    _send_timer: asyncio.TimerHandle | None = None
    _n_received = 0
    _is_in_headers = True
    _has_begun = False
    _was_paused = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the time limit for the headers of the first request."""
        super().connection_made(transport)
        self.timeout_keep_alive = KEEP_ALIVE_SECONDS
        self._restart(HEADER_SECONDS)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop all time limits."""
        self._stop()
        self._stop_sending_timer()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count the bytes and parse them."""
        if not self._has_begun and not self._is_in_headers:
            # When bytes arrive between two requests, uvicorn ends its own time limit for idle connections.
            self._is_in_headers, self._n_received = True, 0
            self._restart(HEADER_SECONDS)
        self._n_received += len(data)
        super().data_received(data)
        if self._is_in_headers and self._n_received > HEADER_BYTES_MAX and not self.transport.is_closing():
            self._refuse("headers_too_large")

    def on_message_begin(self) -> None:
        """Start the time limit of the headers."""
        super().on_message_begin()
        self._has_begun = True
        if not self._is_in_headers:
            self._is_in_headers, self._n_received = True, 0
            self._restart(HEADER_SECONDS)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep a header, and ignore the trailer fields after a chunked body, which have no limit."""
        if self._is_in_headers:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Start the first window of the body."""
        self._is_in_headers, self._was_paused, self._n_received = False, False, 0
        self._restart(BODY_WINDOW_SECONDS)
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """End the time limits of the request."""
        self._stop()
        self._has_begun = False
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Start the time limit for sending the rest of the response if a part is still unsent."""
        super().on_response_complete()
        if self.transport.get_write_buffer_size():
            self._start_sending_timer()

    def timeout_keep_alive_handler(self) -> None:
        """Close an idle connection, unless it has an unread request.

        A busy event loop may run this timer before it reads the request. Closing the connection would then
        leave the client without a response.
        """
        if not _is_readable(self.transport):
            super().timeout_keep_alive_handler()
            return
        again = self.loop.call_later(UNREAD_SECONDS, self.timeout_keep_alive_handler)
        self.timeout_keep_alive_task = again

    def pause_writing(self) -> None:
        """Start the time limit of the full send buffer."""
        super().pause_writing()
        self._start_sending_timer()

    def resume_writing(self) -> None:
        """End the time limit of the send buffer."""
        self._stop_sending_timer()
        super().resume_writing()

    def send_400_response(self, msg: str) -> None:
        """Refuse a request that is not valid HTTP."""
        self._stop()
        self.transport.write(_refusal("malformed_body", f"req_{secrets.token_hex(12)}"))
        self.transport.close()

    def _restart(self, seconds: float) -> None:
        self._stop()
        self._timer = self.loop.call_later(seconds, self._check)

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self) -> None:
        """Refuse the request unless its body arrived fast enough or the application did not read it."""
        if self._is_in_headers:
            if self.cycle is not None and not self.cycle.response_complete:
                return self._restart(HEADER_SECONDS)  # The previous request is still being processed.
            return self._refuse("request_timeout")
        is_waiting = self.flow.read_paused or self.cycle.waiting_for_100_continue
        is_fast = self._n_received >= BODY_RATE_MIN * BODY_WINDOW_SECONDS
        if not (is_fast or is_waiting or self._was_paused):
            return self._refuse("request_timeout")
        self._was_paused, self._n_received = is_waiting, 0
        self._restart(BODY_WINDOW_SECONDS)

    def _refuse(self, code: str) -> None:
        """Send an error if no other response is in progress, and close the connection."""
        self._stop()
        if self._can_respond():
            request_id = f"req_{secrets.token_hex(12)}"
            logger.info(code, request_id=request_id)
            self.transport.write(_refusal(code, request_id))
        cycle: Any = self.cycle
        if cycle is not None and not cycle.response_complete:
            cycle.disconnected = True
            cycle.message_event.set()
        self.transport.close()
        self._start_sending_timer()

    def _can_respond(self) -> bool:
        if self._is_in_headers:
            # Nothing is sent on a connection before a request has begun.
            return self._has_begun and (self.cycle is None or self.cycle.response_complete)
        return not self.cycle.response_started and not self.pipeline

    def _start_sending_timer(self) -> None:
        self._stop_sending_timer()
        self._send_timer = self.loop.call_later(SEND_SECONDS, self._abort_if_unsent, self.cycle)

    def _stop_sending_timer(self) -> None:
        if self._send_timer is not None:
            self._send_timer.cancel()
            self._send_timer = None

    def _abort_if_unsent(self, cycle: Any) -> None:
        # A later response on the same connection shows that the client has read this one.
        if self.transport.get_write_buffer_size() and cycle is self.cycle:
            self.transport.abort()


def _is_readable(transport: asyncio.Transport) -> bool:
    """Return whether a connection that is not closing has unread data."""
    if transport.is_closing():
        return False
    poll = select.poll()
    poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)
    return bool(poll.poll(0))


def _refusal(code: str, request_id: str) -> bytes:
    status, detail = REFUSALS[code]
    problem = {
        "type": error_link(code),
        "title": CODES[code],
        "status": int(status[:3]),
        "detail": detail,
        "instance": "",
        "code": code,
        "request_id": request_id,
    }
    body = json.dumps(problem).encode()
    head = (
        f"HTTP/1.1 {status}\r\n"
        f"content-type: application/problem+json\r\nx-request-id: {request_id}\r\n"
        f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
    )
    return head.encode() + body
