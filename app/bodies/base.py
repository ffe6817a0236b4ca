"""Base classes of the bodies, and types that several bodies share.

IDs are strings. Times are in UTC, in the format of RFC 3339. Response fields without a value are omitted.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import AfterValidator, BaseModel, Field, JsonValue, WithJsonSchema

from understudy import ids

Timestamp = Annotated[datetime, AfterValidator(lambda moment: moment.astimezone(UTC))]
Json = dict[str, JsonValue]


def known_values(*values: str) -> WithJsonSchema:
    """Return the schema of a string with a list of known values. Later versions may send other values."""
    return WithJsonSchema({"type": "string", "examples": [values[0]], "x-extensible-enum": list(values)})


class Body(BaseModel):
    """Base class of response bodies. Fields without a value are omitted."""


class Page(Body):
    """Base class for a page of a list. The field `data` contains the items."""

    has_more: Annotated[bool, Field(description="Whether more items follow this page.")]
    next: Annotated[
        str | None,
        Field(description="Cursor of the next page. Send it as `after`. Absent on the last page."),
    ] = None


def without_nulls(json: dict[str, Any]) -> dict[str, Any]:
    """Return a JSON object without its null members."""
    return {key: value for key, value in json.items() if value is not None}


def id_text(noun: str, value: UUID | None) -> str | None:
    """Return an ID as text, or None if there is no ID."""
    return None if value is None else ids.to_text(noun, value)
