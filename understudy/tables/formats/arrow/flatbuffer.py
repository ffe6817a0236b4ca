"""A minimal FlatBuffers reader for the metadata of Arrow messages. It checks every offset."""

from __future__ import annotations

import struct
from dataclasses import dataclass


class Malformed(Exception):
    """Raised if an offset or a length points outside the buffer."""


@dataclass(frozen=True)
class Table:
    """A FlatBuffers table with numbered, optional fields."""

    data: bytes
    position: int

    @classmethod
    def root(cls, data: bytes) -> Table:
        """Return the root table of a buffer."""
        return cls(data, _unpack("<I", data, 0))

    def number(self, field: int, code: str, default: int = 0) -> int:
        """Return a numeric field; `code` is the type code of the field in the `struct` module."""
        at = self._field(field)
        return default if at is None else _unpack(f"<{code}", self.data, at)

    def table(self, field: int) -> Table | None:
        """Return a nested table."""
        at = self._field(field)
        return None if at is None else Table(self.data, at + _unpack("<I", self.data, at))

    def vector_length(self, field: int) -> int:
        """Return the number of elements in a vector."""
        at = self._vector(field)
        return 0 if at is None else _unpack("<I", self.data, at)

    def structs(self, field: int, layout: str) -> list[tuple[int, ...]]:
        """Return the elements of a struct vector."""
        at = self._vector(field)
        if at is None:
            return []
        size = self.vector_length(field) * struct.calcsize(layout)
        if at + 4 + size > len(self.data):
            raise Malformed
        return list(struct.iter_unpack(layout, self.data[at + 4 : at + 4 + size]))

    def _vector(self, field: int) -> int | None:
        at = self._field(field)
        return None if at is None else at + _unpack("<I", self.data, at)

    def _field(self, field: int) -> int | None:
        vtable = self.position - _unpack("<i", self.data, self.position)
        if 4 + 2 * field + 2 > _unpack("<H", self.data, vtable):
            return None
        offset = _unpack("<H", self.data, vtable + 4 + 2 * field)
        return self.position + offset if offset else None


def _unpack(layout: str, data: bytes, position: int) -> int:
    if position < 0 or position + struct.calcsize(layout) > len(data):
        raise Malformed
    number: int = struct.unpack_from(layout, data, position)[0]
    return number
