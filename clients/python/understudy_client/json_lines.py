"""Parser of JSON Lines."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any


class LineParser:
    """A parser of a byte stream, which may be split at any byte."""

    def __init__(self) -> None:
        self._rest: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[dict[str, Any]]:
        """Yield the objects whose lines a chunk completes."""
        *complete, rest = chunk.split(b"\n")
        for line in complete:
            yield json.loads(b"".join([*self._rest, line]))
            self._rest.clear()
        if rest:
            self._rest.append(rest)
