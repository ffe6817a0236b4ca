"""Slots for expensive or long requests, limited in number for a process, a project and an API key."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING
from uuid import UUID

from understudy.errors import TooManyRequests, Unavailable

if TYPE_CHECKING:
    from understudy.services.api_keys import Caller

RETRY_AFTER_SECONDS = 5


@dataclass(frozen=True)
class SlotLimits:
    """The maximum numbers of slots, and the time that a request waits for one.

    A key has fewer slots than a project, and a project fewer than the process, so that no caller can occupy
    all of them.

    Parameters
    ----------
    noun : str
        Name of the requests in error messages, in the plural.
    """

    noun: str
    total: int
    of_project: int
    of_key: int
    wait_seconds: float = 0.0


class Slots:
    """The slots of a process. All its methods run in the event loop."""

    def __init__(self, limits: SlotLimits) -> None:
        self.limits = limits
        self._of_key: Counter[UUID] = Counter()
        self._of_project: Counter[UUID] = Counter()
        # Requests that wait for a slot, in their order.
        self._waiting: list[tuple[Caller, asyncio.Future[None]]] = []

    @asynccontextmanager
    async def taken(self, caller: Caller) -> AsyncIterator[None]:
        """Hold a slot until the block ends.

        Raises
        ------
        TooManyRequests
            If the API key or its project still holds all its slots after the wait.
        Unavailable
            If the process still has no free slot after the wait.
        """
        if self._holder_of_all(caller) is None:
            self._count(caller, 1)
        else:
            try:
                async with asyncio.timeout(self.limits.wait_seconds):
                    await self._wait(caller)
            except TimeoutError:
                raise self._refusal(caller) from None
        try:
            yield
        finally:
            self._release(caller)

    async def _wait(self, caller: Caller) -> None:
        """Wait until another request hands over its slot."""
        waiter = asyncio.get_running_loop().create_future()
        self._waiting.append((caller, waiter))
        try:
            await waiter
        except asyncio.CancelledError:
            if waiter.cancelled():
                self._waiting.remove((caller, waiter))
            else:
                # The slot was handed over at the moment of the cancellation.
                self._release(caller)
            raise

    def _release(self, caller: Caller) -> None:
        """Release a slot, and hand it over to the first request that may take it."""
        self._count(caller, -1)
        for waiting, waiter in self._waiting:
            if not waiter.done() and self._holder_of_all(waiting) is None:
                self._waiting.remove((waiting, waiter))
                self._count(waiting, 1)
                waiter.set_result(None)
                return

    def _count(self, caller: Caller, change: int) -> None:
        for count, holder in ((self._of_key, caller.key_id), (self._of_project, caller.project_id)):
            count[holder] += change
            if not count[holder]:
                del count[holder]

    def _holder_of_all(self, caller: Caller) -> tuple[str, int] | None:
        """Return the kind of holder whose slots are all in use, and its limit, or None if a slot is free."""
        limits = self.limits
        if self._of_key[caller.key_id] >= limits.of_key:
            return "API key", limits.of_key
        if self._of_project[caller.project_id] >= limits.of_project:
            return "project", limits.of_project
        return ("server", limits.total) if self._of_key.total() >= limits.total else None

    def _refusal(self, caller: Caller) -> TooManyRequests | Unavailable:
        # A slot may have been released at the very end of the wait.
        noun = self.limits.noun
        holder, n_slots = self._holder_of_all(caller) or ("server", self.limits.total)
        if holder != "server":
            return TooManyRequests(
                f"This {holder} has {n_slots} open {noun}, which is the maximum. Finish or close one, then "
                "send the request again.",
                retry_after_seconds=RETRY_AFTER_SECONDS,
            )
        return Unavailable(
            f"This server has {n_slots} open {noun}, which is the maximum. Send the request again "
            "after the time in Retry-After."
        )
