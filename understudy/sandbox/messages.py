"""What supervisor, server and child tell each other: JSON, each message with its length before it."""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# JSON of any shape.
Json = dict[str, Any]

LENGTH = struct.Struct("!I")
# A report or a card of 2,000 columns takes some 2 MB; a hostile child must not fill our memory.
MESSAGE_BYTES_MAX = 8 << 20
OUTPUT_BYTES_MAX = 64 << 20

# What the supervisor may ask of the server about a run; closing the connection kills it.
TERMINATE = b"t"
KILL = b"k"


@dataclass(frozen=True)
class SandboxLimits:
    """What a run may use at most.

    Parameters
    ----------
    memory_bytes : int
        Address space, that of the imported libraries (about 500 MB) included.
    cpu_seconds : int
        CPU time of all threads together.
    file_bytes : int
        Size of any one file.
    """

    memory_bytes: int
    cpu_seconds: int
    file_bytes: int


@dataclass(frozen=True)
class SandboxRequest:
    """One run: what the target is given, the folder that it works in, and its limits."""

    payload: Json
    folder: Path
    limits: SandboxLimits


@dataclass(frozen=True)
class Outcome:
    """How a run ended.

    Parameters
    ----------
    ok : bool
        Whether `result` is there; otherwise `error_code`, or neither if the child died without a word.
    error_code, error_detail : str or None
        A key of `errors.CODES` and a sentence without any value of the data.
    exit_signal : int or None
        The signal that ended the child, if one did.
    peak_memory_bytes : int
        Largest resident size; about 100 MB of it are the libraries, shared among all runs.
    cpu_seconds : float
        CPU time of the child and what it waited for.
    """

    ok: bool
    result: Json | None = None
    error_code: str | None = None
    error_detail: str | None = None
    exit_signal: int | None = None
    peak_memory_bytes: int | None = None
    cpu_seconds: float | None = None

    @property
    def is_crash(self) -> bool:
        """Whether the child died without saying why: killed, or its server was."""
        return not self.ok and self.error_code is None


class MessageTooLarge(Exception):
    """More was sent than is read."""


class MessageReader:
    """Takes bytes as they come and gives whole messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._n_bytes = 0

    def feed(self, data: bytes) -> Iterator[Json]:
        """Yield the messages that are complete by now.

        Raises
        ------
        MessageTooLarge
            If one message, or all of them, pass the limit.
        ValueError
            If a message is not a JSON object.
        """
        self._n_bytes += len(data)
        if self._n_bytes > OUTPUT_BYTES_MAX:
            raise MessageTooLarge
        self._buffer += data
        while len(self._buffer) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._buffer)
            if length > MESSAGE_BYTES_MAX:
                raise MessageTooLarge
            if len(self._buffer) < LENGTH.size + length:
                return
            message = json.loads(bytes(self._buffer[LENGTH.size : LENGTH.size + length]))
            del self._buffer[: LENGTH.size + length]
            if not isinstance(message, dict):
                raise ValueError("not an object")
            yield message


def encode(message: Json) -> bytes:
    """Return a message as bytes."""
    body = json.dumps(message, allow_nan=False).encode()
    return LENGTH.pack(len(body)) + body
