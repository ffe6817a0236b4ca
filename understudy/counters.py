"""Counters of faults, shared by a process and the processes that it forks.

`services.metrics` exports the counters. If two processes increment a counter at the same moment, one
increment may be lost. This loss is harmless for counts of faults, and no lock is needed that a killed process
could hold.
"""

from __future__ import annotations

import mmap
import struct

NAMES = ("database_errors", "broker_errors", "lease_losses")
_VALUE = struct.Struct("Q")
_memory = mmap.mmap(-1, _VALUE.size * len(NAMES))


def count(name: str) -> None:
    """Add one to a counter."""
    position = NAMES.index(name) * _VALUE.size
    _VALUE.pack_into(_memory, position, _VALUE.unpack_from(_memory, position)[0] + 1)


def value(name: str) -> int:
    """Return the value of a counter."""
    number: int = _VALUE.unpack_from(_memory, NAMES.index(name) * _VALUE.size)[0]
    return number
