"""The word that a worker stops, from its main process to the pool processes that it forked."""

from __future__ import annotations

import mmap
import struct
import time

DEADLINE = struct.Struct("d")


class Drain:
    """A moment, in memory that forked processes share, after which running jobs are handed back."""

    def __init__(self) -> None:
        self._memory = mmap.mmap(-1, DEADLINE.size)

    def begin(self, seconds: float) -> None:
        """Let running jobs go on for so long, and let no other begin."""
        # The monotonic clock is the same in all processes of a machine.
        DEADLINE.pack_into(self._memory, 0, time.monotonic() + seconds)

    @property
    def has_begun(self) -> bool:
        """Whether the worker stops."""
        return self._deadline() > 0

    def is_over(self) -> bool:
        """Tell whether jobs that still run must be handed back."""
        return self.has_begun and time.monotonic() >= self._deadline()

    def _deadline(self) -> float:
        deadline: float = DEADLINE.unpack_from(self._memory, 0)[0]
        return deadline
