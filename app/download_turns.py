"""Middleware that lets downloads begin in turns, so that a burst does not delay other requests.

The start of a download takes about 10 ms of CPU time for authentication, database queries and headers.
Without turns, 200 downloads would occupy all threads at once and slow down each other and all other requests,
because all threads share the interpreter lock.
"""

from __future__ import annotations

import asyncio
import re

from starlette.types import ASGIApp, Receive, Scope, Send

TURNS_MAX = 2
# A turn also ends after this time. A download that has not begun by then is probably waiting for the database
# or the object store.
TURN_SECONDS = 0.5


class DownloadTurns:
    """Middleware that lets downloads begin in turns.

    Parameters
    ----------
    downloads : re.Pattern
        Pattern that matches the method and path of download requests.
    """

    def __init__(self, app: ASGIApp, *, downloads: re.Pattern[str]) -> None:
        self.app = app
        self.downloads = downloads
        self._free = asyncio.Semaphore(TURNS_MAX)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not self.downloads.fullmatch(f"{scope['method']} {scope['path']}"):
            return await self.app(scope, receive, send)
        await self._free.acquire()
        turn = scope["state"]["download_turn"] = _Turn(self._free)
        try:
            await self.app(scope, receive, send)
        finally:
            turn.end()


class _Turn:
    def __init__(self, free: asyncio.Semaphore) -> None:
        self._free = free
        self._has_ended = False
        self._timer = asyncio.get_running_loop().call_later(TURN_SECONDS, self.end)

    def end(self) -> None:
        """Let the next download begin. Further calls have no effect."""
        if not self._has_ended:
            self._has_ended = True
            self._timer.cancel()
            self._free.release()


def end_turn(scope: Scope) -> None:
    """End the turn of a download when its response is ready to be sent."""
    turn: _Turn | None = scope["state"].get("download_turn")
    if turn is not None:
        turn.end()
