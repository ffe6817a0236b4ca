"""Shared state that signals to the pool processes of a worker that the worker is stopping."""

from __future__ import annotations

import mmap
import struct
import time

DEADLINE = struct.Struct("d")


class Drain:
    """A deadline in shared memory after which running jobs are requeued."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, DEADLINE.size)

    def begin(self, seconds: float) -> None:
        """Give running jobs the specified number of seconds to end, and start no new jobs."""
        # The monotonic clock is the same in all processes of a machine.
        DEADLINE.pack_into(self._memory, 0, time.monotonic() + seconds)

    @property
    def has_begun(self) -> bool:
        """Whether the worker is stopping."""
        return self._deadline() > 0

    def is_over(self) -> bool:
        """Return whether the deadline has passed, so that running jobs must be requeued."""
        return self.has_begun and time.monotonic() >= self._deadline()

    def _deadline(self) -> float:
        deadline: float = DEADLINE.unpack_from(self._memory, 0)[0]
        return deadline
