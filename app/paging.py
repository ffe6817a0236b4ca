"""Page cursors: conversion between the key of a row and the text in `next` and `after`."""

from __future__ import annotations

from uuid import UUID

from understudy import ids
from understudy.errors import InvalidInput, NotFound

EVENT_ID_MAX = (1 << 63) - 1


def read_id_cursor(noun: str, after: str | None) -> UUID | None:
    """Return the ID in a cursor for a list of resources.

    Raises
    ------
    InvalidInput
        If the text is not a valid cursor.
    """
    if after is None:
        return None
    try:
        return ids.from_text(noun, after)
    except NotFound:
        raise _invalid_cursor() from None


def write_id_cursor(noun: str, key: UUID | None) -> str | None:
    """Return the cursor for the ID of a resource."""
    return None if key is None else ids.to_text(noun, key)


def read_id_filter(noun: str, text: str | None) -> UUID | None:
    """Parse the resource ID in a list filter.

    Raises
    ------
    InvalidInput
        If the text is not an ID of this type of resource.
    """
    if text is None:
        return None
    try:
        return ids.from_text(noun, text)
    except NotFound:
        detail = f"{noun}_id is not the ID of a {noun}. Send an ID that begins with {ids.PREFIXES[noun]}_."
        raise InvalidInput(detail, code="invalid_parameters") from None


def read_event_cursor(after: str | None) -> int | None:
    """Return the event ID in a cursor or a Last-Event-ID header.

    Raises
    ------
    InvalidInput
        If the text is not a valid event ID.
    """
    if after is None:
        return None
    if not (after.isascii() and after.isdecimal()) or len(after) > 19 or int(after) > EVENT_ID_MAX:
        raise _invalid_cursor()
    return int(after)


def _invalid_cursor() -> InvalidInput:
    return InvalidInput(
        "`after` is not a cursor of this list. Send the `next` of the previous page, or omit it to start with"
        " the first page.",
        code="invalid_cursor",
    )
