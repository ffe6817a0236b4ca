"""Shutdown of an API process: waits end early, and late requests get an error before the process ends."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from understudy.errors import Unavailable


class Stopping:
    """The shutdown state of a process, and its requests in progress. All methods run in the event loop."""

    def __init__(self) -> None:
        self._began = asyncio.Event()
        self._is_over = False
        self._requests: set[asyncio.Task[object]] = set()

    @property
    def has_begun(self) -> bool:
        """Whether the process has been asked to stop."""
        return self._began.is_set()

    @property
    def is_over(self) -> bool:
        """Whether the grace period of the requests has ended."""
        return self._is_over

    def begin(self) -> None:
        """End the waits of all long polls and event streams."""
        self._began.set()

    def interrupt(self) -> None:
        """Cancel all requests that are still in progress."""
        self.begin()
        self._is_over = True
        for task in self._requests:
            task.cancel("the process stops")

    def enter(self) -> asyncio.Task[object]:
        """Register the current request, and return its task for `leave`."""
        task = asyncio.current_task()
        assert task is not None
        self._requests.add(task)
        return task

    def leave(self, task: asyncio.Task[object]) -> None:
        """Remove a request that has ended."""
        self._requests.discard(task)

    async def sleep(self, seconds: float) -> None:
        """Wait for the given number of seconds, or until the process is asked to stop."""
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._began.wait()


def stopped() -> Unavailable:
    """Return the error for a request that was interrupted because the process stopped."""
    return Unavailable(
        "The server stopped before the request was complete. Send the request again after the time in "
        "Retry-After."
    )
