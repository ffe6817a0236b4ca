"""Slots for expensive or long requests, limited in number for a process and for each API key."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from uuid import UUID

from understudy.errors import TooManyRequests, Unavailable

RETRY_AFTER_SECONDS = 5


@dataclass(frozen=True)
class SlotLimits:
    """The maximum numbers of slots, and the time that a request waits for one.

    Parameters
    ----------
    noun : str
        Name of the requests in error messages, in the plural.
    """

    noun: str
    total: int
    of_key: int
    wait_seconds: float = 0.0


class Slots:
    """The slots of a process. All its methods run in the event loop."""

    def __init__(self, limits: SlotLimits) -> None:
        self.limits = limits
        self._n_taken: Counter[UUID] = Counter()
        self._released = asyncio.Event()

    @asynccontextmanager
    async def taken(self, key_id: UUID) -> AsyncIterator[None]:
        """Hold a slot until the block ends.

        Raises
        ------
        TooManyRequests
            If the API key still holds all its slots after the wait.
        Unavailable
            If the process still has no free slot after the wait.
        """
        try:
            async with asyncio.timeout(self.limits.wait_seconds):
                await self._take(key_id)
        except TimeoutError:
            raise self._refusal(key_id) from None
        try:
            yield
        finally:
            self._release(key_id)

    async def _take(self, key_id: UUID) -> None:
        while self._n_taken[key_id] >= self.limits.of_key or self._n_taken.total() >= self.limits.total:
            await self._released.wait()
        self._n_taken[key_id] += 1

    def _release(self, key_id: UUID) -> None:
        self._n_taken[key_id] -= 1
        if not self._n_taken[key_id]:
            del self._n_taken[key_id]
        released, self._released = self._released, asyncio.Event()
        released.set()

    def _refusal(self, key_id: UUID) -> TooManyRequests | Unavailable:
        noun, of_key = self.limits.noun, self.limits.of_key
        if self._n_taken[key_id] >= of_key:
            return TooManyRequests(
                f"This API key has {of_key} open {noun}, which is the maximum. Finish or close one, then "
                "send the request again.",
                retry_after_seconds=RETRY_AFTER_SECONDS,
            )
        return Unavailable(
            f"This server has {self.limits.total} open {noun}, which is the maximum. Send the request again "
            "after the time in Retry-After."
        )
