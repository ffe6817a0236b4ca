"""Messages between the supervisor, the server and the child: JSON objects, each with a length prefix."""

from __future__ import annotations

import json
import math
import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# `Any` is any JSON value.
Json = dict[str, Any]

LENGTH = struct.Struct("!I")
# Maximum size of one message, and of all messages from a run, so that a hostile child cannot fill the
# worker's memory. A report or model card for 2,000 columns takes about 2 MB.
MESSAGE_BYTES_MAX = 8 << 20
OUTPUT_BYTES_MAX = 64 << 20
# Maximum number of values in a message, and its maximum nesting depth. A value takes up to 100 bytes of the
# worker's memory.
N_VALUES_MAX = 1_000_000
DEPTH_MAX = 100

# Orders that the supervisor sends to the server about a run. Closing the connection kills the run.
TERMINATE = b"t"
KILL = b"k"


@dataclass(frozen=True)
class SandboxLimits:
    """The resource limits of a run.

    Parameters
    ----------
    memory_bytes : int
        Maximum address space, including about 500 MB for the imported libraries.
    cpu_seconds : int
        Maximum CPU time of all threads together.
    file_bytes : int
        Maximum size of each file.
    folder_bytes : int
        Maximum size of all files together, including deleted files that are still open.
    """

    memory_bytes: int
    cpu_seconds: int
    file_bytes: int
    folder_bytes: int


@dataclass(frozen=True)
class SandboxRequest:
    """The request for a run.

    Parameters
    ----------
    payload : dict
        Payload that the target receives.
    folder : Path
        Working directory where the run may create, change and delete files.
    limits : SandboxLimits
        Resource limits.
    inputs : sequence of Path
        Files and folders outside the working directory that the run may read.
    """

    payload: Json
    folder: Path
    limits: SandboxLimits
    inputs: Sequence[Path] = ()


@dataclass(frozen=True)
class Outcome:
    """The outcome of a run.

    Parameters
    ----------
    ok : bool
        Whether the run succeeded and `result` is set. Otherwise `error_code` is set, unless the child died
        without a message.
    error_code, error_detail : str or None
        A key in `errors.CODES`, and a sentence that contains no values from the data.
    has_started : bool
        Whether the child was started. If not, the machine cannot start another process or the server has
        ended, and the job is not the cause.
    exit_signal : int or None
        Signal that ended the child, or None.
    peak_memory_bytes : int
        Peak resident size. It includes about 100 MB of libraries, which all runs share.
    cpu_seconds : float
        CPU time used by the child and by the descendants that it waited for.
    """

    ok: bool
    result: Json | None = None
    error_code: str | None = None
    error_detail: str | None = None
    has_started: bool = True
    exit_signal: int | None = None
    peak_memory_bytes: int | None = None
    cpu_seconds: float | None = None

    @property
    def is_crash(self) -> bool:
        """Whether the child ended without a message, because the child or its server was killed."""
        return not self.ok and self.error_code is None and self.has_started


class MessageReader:
    """A parser that turns a stream of bytes into messages."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._n_bytes = 0

    def feed(self, data: bytes) -> Iterator[Json]:
        """Add bytes and yield the messages that are now complete.

        Raises
        ------
        ValueError
            If a message is not a plain JSON object, if it exceeds a limit, or if all messages together exceed
            one.
        """
        self._n_bytes += len(data)
        if self._n_bytes > OUTPUT_BYTES_MAX:
            raise ValueError("the child sent too many messages")
        self._buffer += data
        while len(self._buffer) >= LENGTH.size:
            (length,) = LENGTH.unpack_from(self._buffer)
            if length > MESSAGE_BYTES_MAX:
                raise ValueError("the message is too large")
            if len(self._buffer) < LENGTH.size + length:
                return
            body = bytes(self._buffer[LENGTH.size : LENGTH.size + length])
            del self._buffer[: LENGTH.size + length]
            yield decode(body)


def decode(body: bytes) -> Json:
    """Return the message in a JSON text. A hostile child may have written it.

    Raises
    ------
    ValueError
        If the text is not a JSON object, or contains something that the database cannot store: a NUL
        character, a lone surrogate, a number that is not finite, or too many or too deeply nested values.
    """
    if sum(map(body.count, (b",", b"[", b"{"))) > N_VALUES_MAX:
        raise ValueError("the message contains too many values")
    try:
        message = json.loads(body)
    except RecursionError:
        raise ValueError("the message is too deeply nested") from None
    if not isinstance(message, dict):
        raise ValueError("the message is not an object")
    _check_values(message)
    return message


def _check_values(message: Json) -> None:
    # `Any` is any JSON value.
    values: list[tuple[Any, int]] = [(message, 1)]
    while values:
        value, depth = values.pop()
        if depth > DEPTH_MAX:
            raise ValueError("the message is too deeply nested")
        if isinstance(value, dict):
            values += [(item, depth + 1) for pair in value.items() for item in pair]
        elif isinstance(value, list):
            values += [(item, depth + 1) for item in value]
        elif isinstance(value, str):
            if "\0" in value:
                raise ValueError("the message contains a NUL character")
            # A lone surrogate raises an exception.
            value.encode()
        elif isinstance(value, float) and not math.isfinite(value):
            raise ValueError("the message contains a number that is not finite")


def encode(message: Json) -> bytes:
    """Return a message as bytes."""
    body = json.dumps(message, allow_nan=False).encode()
    return LENGTH.pack(len(body)) + body
