"""Valid field names in request bodies, and suggestions for misspelled names."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

from fastapi.routing import APIRoute
from pydantic import TypeAdapter

from app.nearest import suggestion


class BodyFields:
    """The fields of the objects in the body of an operation.

    Parameters
    ----------
    route : APIRoute, optional
        The operation. None if the request matches no operation.
    """

    def __init__(self, route: APIRoute | None) -> None:
        self._route = route

    def suggest(self, path: Sequence[int | str], body: Any) -> str:
        """Return a sentence that suggests a valid name for the unknown field at the end of a path."""
        if self._route is None or self._route.body_field is None:
            return ""
        parent = _object_at(path[:-1], body)
        siblings = {name for name in parent if isinstance(name, str)}
        annotation: Any = self._route.body_field.field_info.annotation
        objects = _objects(annotation)
        n_shared_max = max((len(siblings & names) for names in objects), default=0)
        likely = [names for names in objects if len(siblings & names) == n_shared_max]
        return suggestion(str(path[-1]), frozenset().union(*likely) - siblings)


def _object_at(path: Sequence[int | str], body: Any) -> dict[str, Any]:
    """Return the object at a pydantic location, which may also contain union tags."""
    for part in path:
        is_member = isinstance(body, dict) and part in body
        is_element = isinstance(body, list) and isinstance(part, int) and part < len(body)
        body = body[part] if is_member or is_element else body
    return body if isinstance(body, dict) else {}


@lru_cache(maxsize=64)
def _objects(annotation: Any) -> tuple[frozenset[str], ...]:
    """Return the field names of each object in a type."""
    schema = TypeAdapter(annotation).json_schema()
    return tuple(frozenset(names) for names in _properties(schema))


def _properties(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, list):
        for item in node:
            yield from _properties(item)
    if not isinstance(node, dict):
        return
    if isinstance(node.get("properties"), dict):
        yield node["properties"]
    for value in node.values():
        yield from _properties(value)
