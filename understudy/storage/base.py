"""What a blob store is: bytes under a key, written once and complete, or not there at all."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, Protocol

from understudy.errors import InvalidInput, NotFound

# Keys are made by us, never by a caller; the rule keeps them plain names below the root all the same.
_KEY = re.compile(r"[a-z0-9_]+(?:[.-][a-z0-9_]+)*(?:/[a-z0-9_]+(?:[.-][a-z0-9_]+)*)*")
KEY_LENGTH_MAX = 512


class Store(Protocol):
    """One member of the family.

    `put_file` refuses a key that is taken (`Conflict`) and raises `StorageFull` without space; the reading
    functions raise `NotFound`. When `put_file` returns, the blob survives a crash of the machine.
    """

    def put_file(self, key: str, path: Path) -> None:
        """Move a file into the store under the key; the file is gone from `path` afterwards."""

    def open(self, key: str) -> BinaryIO:
        """Open a blob for reading."""

    def size(self, key: str) -> int:
        """Return the size of a blob in bytes."""

    def local_path(self, key: str, scratch: Path) -> Path:
        """Return a file to read the blob from: its own, or a copy in the folder `scratch`."""

    def delete(self, key: str) -> None:
        """Delete a blob; nothing happens if it is not there."""

    def keys(self, prefix: str) -> Iterator[str]:
        """Yield the keys that begin with the prefix, in any order."""

    def check_writable(self) -> None:
        """Raise `Unavailable` or `StorageFull` if nothing can be stored now."""


def check_key(key: str) -> str:
    """Return the key if it is a relative path of plain names, or raise `InvalidInput`."""
    if len(key) > KEY_LENGTH_MAX or not _KEY.fullmatch(key):
        raise InvalidInput(
            f"{key!r} is no storage key: names of a-z, 0-9, '_', '-' and '.' between slashes would do."
        )
    return key


def missing(key: str) -> NotFound:
    """Return the error for a key without a blob."""
    return NotFound(f"There is no blob {key!r} in the store.")
