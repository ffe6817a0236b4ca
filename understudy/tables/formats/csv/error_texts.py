"""Errors for rows that cannot be read. Each message contains the position and a remedy."""

from __future__ import annotations

from understudy.errors import InvalidInput


def ragged_rows(place: str, n_fields: int | None, n_columns: int) -> InvalidInput:
    """Return the error for a row with more or fewer fields than the header."""
    fields = "a different number of fields" if n_fields is None else _fields(n_fields)
    return InvalidInput(
        f"{place} has {fields}, but the header has {_fields(n_columns)}. Correct the row or quote its "
        "fields, set the option `bad_rows` to `skip`, or exclude lines that do not belong to the table with "
        "the option `header_row` or `skip_rows`.",
        code="ragged_rows",
    )


def long_line(place: str, bytes_max: int) -> InvalidInput:
    """Return the error for a row that is too long."""
    return InvalidInput(
        f"{place} is longer than {bytes_max:,} bytes. Check for an unclosed quotation mark, or shorten the "
        "text.",
        code="unreadable_file",
    )


def unclosed_quote(place: str) -> InvalidInput:
    """Return the error for a row with unbalanced quotation marks."""
    return InvalidInput(
        f"{place} has a quoted field that is not closed, or text after a closing quotation mark. Close the "
        "field and double the quotation marks within it, or set the option `quote` to another character.",
        code="unclosed_quote",
    )


def wrong_encoding(place: str) -> InvalidInput:
    """Return the error for a row that is not valid in its encoding."""
    return InvalidInput(
        f"{place} is not valid in the file's encoding. Save the file as UTF-8 and upload it again.",
        code="wrong_encoding",
    )


def _fields(n: int) -> str:
    return f"{n:,} field" if n == 1 else f"{n:,} fields"
