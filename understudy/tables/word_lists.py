"""Word lists in data files of the package. Each file is read on first use and then cached.

Each file has one entry per line. Lines that begin with ``#`` are comments.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cached_property
from pathlib import Path


class WordList(Collection[str]):
    """A collection of the entries in a data file, in the order of the file.

    Parameters
    ----------
    path : Path
        Path of the UTF-8 encoded file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def __iter__(self) -> Iterator[str]:
        return iter(self.entries)

    def __len__(self) -> int:
        return len(self.entries)

    def __contains__(self, entry: object) -> bool:
        return entry in self._lookup

    def __repr__(self) -> str:
        return f"WordList({self._path.name!r})"

    @cached_property
    def entries(self) -> tuple[str, ...]:
        """All entries of the file. The first access reads the file."""
        lines = self._path.read_text(encoding="utf-8").splitlines()
        return tuple(line for line in lines if line and not line.startswith("#"))

    @cached_property
    def _lookup(self) -> frozenset[str]:
        return frozenset(self.entries)
