"""The base of all bodies, and the types that several of them use.

Ids are text, times RFC 3339 in UTC; a field without a value is left out rather than null.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, JsonValue

from understudy import ids

Timestamp = Annotated[datetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
Json = dict[str, JsonValue]


class Body(BaseModel):
    """Base of what is sent back; a field without a value is left out."""


class Page(Body):
    """Base of a page of a list; `data` holds its items."""

    has_more: Annotated[bool, Field(description="Whether there is more after this page.")]
    next: Annotated[
        str | None, Field(description="Send it as `after` for the next page; absent on the last.")
    ] = None


def without_nulls(json: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON object without those of its members that are null."""
    return {key: value for key, value in json.items() if value is not None}


def id_text(noun: str, value: UUID | None) -> str | None:
    """Return the text of an id that may be missing."""
    return None if value is None else ids.to_text(noun, value)
