"""Responses that send an iterator of bytes. They always close the iterator when the download ends.

Starlette's `StreamingResponse` runs the iterator in threads but never closes it. If the client disconnects,
files and buffers then remain until garbage collection finds the generator.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, nullcontext
from threading import Event, Lock
from typing import Protocol

import anyio
from anyio.to_thread import run_sync
from fastapi import Response
from starlette.types import Receive, Scope, Send

from app.download_turns import end_turn
from app.slots import SlotLimits, Slots
from app.stopping import stopped
from understudy.errors import UnderstudyError
from understudy.logs import get_logger

PIECE_BYTES = 1 << 16
# A client that reads less than one piece in this time has stalled. One piece in 30 s is about 2 KiB/s.
STALL_SECONDS = 30.0
# A conversion uses about 30 MB of memory for a table of 12 columns.
CONVERSION_LIMITS = SlotLimits("downloads with conversion", total=4, of_project=2, of_key=1, wait_seconds=10)
# Before a large file is sent in parts, its whole content is read and compared with its digest.
CHECK_LIMITS = SlotLimits(
    "downloads that are being checked", total=3, of_project=2, of_key=1, wait_seconds=10
)
# Each live sampler is a separate process.
LIVE_LIMITS = SlotLimits("responses with live rows", total=4, of_project=3, of_key=2)
# Downloads have their own threads, so they do not occupy the threads of other requests. Each busy thread
# delays all others because the threads share the interpreter lock.
COMPUTING_MAX = 2
READING_MAX = 4

logger = get_logger(__name__)


class Chunks(Protocol):
    """An iterator of bytes that can be closed."""

    def __iter__(self) -> Iterator[bytes]: ...
    def __next__(self) -> bytes: ...
    def close(self) -> object: ...


class CheckedChunks(Chunks, Protocol):
    """The chunks of a file that must be compared with its digest before the first chunk is sent."""

    def is_checked(self) -> bool:
        """Return whether the file has been compared recently."""

    def check(self) -> None:
        """Compare the file with its digest, and raise an error if they differ."""


class DownloadSlots:
    """The slots and threads for downloads in a process."""

    def __init__(self) -> None:
        self.conversions = Slots(CONVERSION_LIMITS)
        self.checks = Slots(CHECK_LIMITS)
        self.live_rows = Slots(LIVE_LIMITS)
        self.live_threads = anyio.CapacityLimiter(LIVE_LIMITS.total)
        self.conversion_threads = anyio.CapacityLimiter(COMPUTING_MAX)
        self.check_threads = anyio.CapacityLimiter(CHECK_LIMITS.total)
        self.reading_threads = anyio.CapacityLimiter(READING_MAX)


class Download(Response):
    """A response with the bytes of an iterator.

    Parameters
    ----------
    open_chunks : callable (has_left) -> Chunks
        Function that opens the iterator. It runs in a thread, and an error that it raises becomes the
        response. `has_left` is set when the client has disconnected.
    """

    def __init__(
        self,
        open_chunks: Callable[[Event], Chunks],
        status_code: int = 200,
        headers: dict[str, str] | None = None,
        media_type: str | None = None,
    ) -> None:
        self.status_code = status_code
        self.media_type = media_type
        self.background = None
        self.init_headers(headers)
        self._open_chunks = open_chunks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response until it is complete, or until the client disconnects or stalls."""
        end_turn(scope)
        source = _Source(self._open_chunks, self._threads(scope))
        with anyio.CancelScope() as delivery:
            listener = asyncio.create_task(_listen(receive, source.has_left, delivery))
            try:
                async with self._slot(scope):
                    try:
                        await self._prepare(source, scope)
                        # The first chunk is read before the response starts. After that, an error could only
                        # close the connection.
                        first = await source.read()
                        await self._deliver(source, first, send)
                    finally:
                        await source.close()
            finally:
                listener.cancel()

    def _threads(self, scope: Scope) -> anyio.CapacityLimiter:
        return _slots(scope).reading_threads

    def _slot(self, scope: Scope) -> AbstractAsyncContextManager[None]:
        return nullcontext()

    async def _prepare(self, source: _Source, scope: Scope) -> None:
        """Complete the steps that must precede the first chunk."""

    async def _deliver(self, source: _Source, chunk: bytes | None, send: Send) -> None:
        await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
        while chunk is not None:
            for start in range(0, len(chunk), PIECE_BYTES):
                with anyio.move_on_after(STALL_SECONDS) as patience:
                    piece = chunk[start : start + PIECE_BYTES]
                    await send({"type": "http.response.body", "body": piece, "more_body": True})
                if patience.cancelled_caught:
                    # The response is incomplete, so the server closes the connection.
                    logger.warning("download_stalled", seconds=STALL_SECONDS)
                    return
            chunk = await source.read()
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class ConvertedDownload(Download):
    """A download that is converted while it is sent. The number of conversions is limited."""

    def _threads(self, scope: Scope) -> anyio.CapacityLimiter:
        return _slots(scope).conversion_threads

    def _slot(self, scope: Scope) -> AbstractAsyncContextManager[None]:
        return _slots(scope).conversions.taken(scope["state"]["caller"])


class CheckedDownload(Download):
    """A download of a large file that is checked before the response starts.

    The number of checks is limited. A file that has been checked recently needs no slot.
    """

    def __init__(
        self,
        open_chunks: Callable[[Event], CheckedChunks],
        status_code: int = 200,
        headers: dict[str, str] | None = None,
        media_type: str | None = None,
    ) -> None:
        super().__init__(self._open, status_code, headers, media_type)
        self._open_checked = open_chunks
        self._is_checked = False

    def _open(self, has_left: Event) -> Chunks:
        self._chunks = self._open_checked(has_left)
        self._is_checked = self._chunks.is_checked()
        return self._chunks

    async def _prepare(self, source: _Source, scope: Scope) -> None:
        await source.open()
        if not self._is_checked:
            slots = _slots(scope)
            async with slots.checks.taken(scope["state"]["caller"]):
                await run_sync(self._chunks.check, limiter=slots.check_threads)


class LiveDownload(Download):
    """A response with live rows. The number of samplers is limited."""

    def _threads(self, scope: Scope) -> anyio.CapacityLimiter:
        return _slots(scope).live_threads

    def _slot(self, scope: Scope) -> AbstractAsyncContextManager[None]:
        return _slots(scope).live_rows.taken(scope["state"]["caller"])

    async def _deliver(self, source: _Source, chunk: bytes | None, send: Send) -> None:
        try:
            await super()._deliver(source, chunk, send)
        except UnderstudyError as error:
            # The response is incomplete, so the server closes the connection.
            logger.warning("live_rows_aborted", code=error.code)


def _slots(scope: Scope) -> DownloadSlots:
    slots: DownloadSlots = scope["app"].state.download_slots
    return slots


class _Source:
    """The chunks of one response, which are opened, read and closed in threads.

    When the process stops, a request is cancelled without waiting for its thread. The lock then keeps the
    chunks from being closed while they are opened or read.
    """

    def __init__(self, open_chunks: Callable[[Event], Chunks], threads: anyio.CapacityLimiter) -> None:
        self.has_left = Event()
        self._open_chunks = open_chunks
        self._threads = threads
        self._chunks: Chunks | None = None
        self._lock = Lock()
        self._is_closed = False

    async def open(self) -> None:
        await run_sync(self._open, limiter=self._threads)

    async def read(self) -> bytes | None:
        return await run_sync(self._read, limiter=self._threads)

    async def close(self) -> None:
        self.has_left.set()
        with anyio.CancelScope(shield=True):
            await run_sync(self._close)

    def _open(self) -> None:
        with self._lock:
            self._opened()

    def _read(self) -> bytes | None:
        with self._lock:
            return next(self._opened(), None)

    def _opened(self) -> Chunks:
        if self._is_closed:
            raise stopped()
        if self._chunks is None:
            self._chunks = self._open_chunks(self.has_left)
        return self._chunks

    def _close(self) -> None:
        with self._lock:
            self._is_closed = True
            if self._chunks is not None:
                self._chunks.close()


async def _listen(receive: Receive, has_left: Event, delivery: anyio.CancelScope) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
    has_left.set()
    delivery.cancel()
