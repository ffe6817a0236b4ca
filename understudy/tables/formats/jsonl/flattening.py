"""Split nested objects into one value per path of keys, and convert arrays to JSON text."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

_DEPTH_MAX = 32

Keys = tuple[str, ...]


class JsonObject(list[tuple[str, Any]]):
    """The keys and values of an object, in order and including duplicate keys."""

    __slots__ = ()


class Numeral(str):
    """The text of a number that neither a 64-bit integer nor a float can represent exactly."""

    __slots__ = ()


class JsonText(str):
    """An array, as JSON text."""

    __slots__ = ()


class TooDeep(Exception):
    """Raised if objects are nested too deeply."""


def flatten(pairs: JsonObject, keys: Keys = ()) -> Iterator[tuple[Keys, object]]:
    """Yield the values in an object and its nested objects, each with its path of keys.

    Raises
    ------
    TooDeep
        If objects are nested too deeply.
    """
    if len(keys) >= _DEPTH_MAX:
        raise TooDeep
    for key, value in pairs:
        place = (*keys, key)
        if isinstance(value, JsonObject):
            yield from flatten(value, place)
        elif isinstance(value, list):
            yield place, JsonText(json_text(value))
        else:
            yield place, value


def json_text(value: object) -> str:
    """Return the JSON text of a value, with all digits of its numbers."""
    if isinstance(value, JsonObject):
        members = (f"{json.dumps(key, ensure_ascii=False)}: {json_text(member)}" for key, member in value)
        return "{" + ", ".join(members) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(json_text, value)) + "]"
    return str(value) if isinstance(value, Numeral) else json.dumps(value, ensure_ascii=False)
