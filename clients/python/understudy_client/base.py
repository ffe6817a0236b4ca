"""Base class of the objects in responses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ConfigDict, PrivateAttr


class Model(BaseModel):
    """An object in a response. Fields that a newer service adds are attributes too.

    If a field has the name of a method of this class, such as `schema`, the attribute ends in an underscore.
    """

    model_config = ConfigDict(
        extra="allow",
        defer_build=True,
        # A response can contain a new API key, and errors end up in logs.
        hide_input_in_errors=True,
        protected_namespaces=(),
        serialize_by_alias=True,
    )

    _etag: str | None = PrivateAttr(default=None)

    @property
    def etag(self) -> str | None:
        """Version of the resource for `if_match`, if the response contained it."""
        return self._etag


def tag_of(field: str, *known: str) -> Callable[[Any], str]:
    """Return a function that reads the tag of a union's member, and returns "" for an unknown tag."""

    # `Any` is a JSON object or an instance of a model.
    def read(member: Any) -> str:
        tag = member.get(field) if isinstance(member, dict) else getattr(member, field, None)
        return tag if tag in known else ""

    return read
