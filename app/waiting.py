"""Requests that wait for a job: long polls and event streams, limited in number and in database queries."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, TypeVar

from fastapi import Request
from fastapi.responses import StreamingResponse
from starlette.concurrency import run_in_threadpool
from starlette.types import Receive, Scope, Send

from app.slots import SlotLimits, Slots

if TYPE_CHECKING:
    from understudy.services.api_keys import Caller

WAITING_LIMITS = SlotLimits("waiting requests and event streams", total=256, of_project=128, of_key=64)
# Waiting requests share these reads, so that they delay other requests by at most two queries.
READS_MAX = 2

Result = TypeVar("Result")


class Waiting:
    """The waiting requests of a process, and the reads that they share."""

    def __init__(self) -> None:
        self.slots = Slots(WAITING_LIMITS)
        self._reads = asyncio.Semaphore(READS_MAX)

    async def read(self, read: Callable[..., Result], *arguments: object) -> Result:
        """Run a database query in a thread."""
        async with self._reads:
            return await run_in_threadpool(read, *arguments)


class EventStream(StreamingResponse):
    """A stream of server-sent events that holds a slot for waiting requests."""

    media_type = "text/event-stream"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the events, or raise the error of `Slots.taken` before the response starts."""
        waiting: Waiting = scope["app"].state.waiting
        async with waiting.slots.taken(scope["state"]["caller"]):
            await super().__call__(scope, receive, send)


def waiting_slot(request: Request, caller: Caller) -> AbstractAsyncContextManager[None]:
    """Return the slot of a long poll."""
    waiting: Waiting = request.app.state.waiting
    return waiting.slots.taken(caller)
