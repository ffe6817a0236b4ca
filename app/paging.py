"""Cursors: the text in `next` and `after`, opaque to callers, and the key of a row behind it."""

from __future__ import annotations

from uuid import UUID

from understudy import ids
from understudy.errors import InvalidInput, NotFound

EVENT_ID_MAX = (1 << 63) - 1


def read_id_cursor(noun: str, after: str | None) -> UUID | None:
    """Return the id behind a cursor of a list of nouns.

    Raises
    ------
    InvalidInput
        If it is none.
    """
    if after is None:
        return None
    try:
        return ids.from_text(noun, after)
    except NotFound:
        raise _invalid_cursor() from None


def write_id_cursor(noun: str, key: UUID | None) -> str | None:
    """Return the cursor of a row of nouns."""
    return None if key is None else ids.to_text(noun, key)


def read_id_filter(noun: str, text: str | None) -> UUID | None:
    """Return the id of a noun that a list is filtered by.

    Raises
    ------
    InvalidInput
        If it is not such an id.
    """
    if text is None:
        return None
    try:
        return ids.from_text(noun, text)
    except NotFound:
        detail = f"{noun}_id is not the id of a {noun}; such an id begins with {ids.PREFIXES[noun]}_."
        raise InvalidInput(detail, code="invalid_parameters") from None


def read_event_cursor(after: str | None) -> int | None:
    """Return the event behind a cursor or a Last-Event-ID.

    Raises
    ------
    InvalidInput
        If it is none.
    """
    if after is None:
        return None
    if not (after.isascii() and after.isdecimal()) or len(after) > 19 or int(after) > EVENT_ID_MAX:
        raise _invalid_cursor()
    return int(after)


def _invalid_cursor() -> InvalidInput:
    return InvalidInput(
        "`after` is not a cursor of this list: send the `next` of the page before, or nothing to begin anew.",
        code="invalid_cursor",
    )
