"""What can be wrong with a row: the errors, which name its place and the remedy."""

from __future__ import annotations

from understudy.errors import InvalidInput


def ragged_rows(place: str, n_found: int | None, n_columns: int) -> InvalidInput:
    """Say that a row has another number of fields than the header."""
    found = "another number of fields" if n_found is None else _fields(n_found)
    return InvalidInput(
        f"{place} has {found} where the header has {_fields(n_columns)}. Give every row as many fields as "
        "the header; a field that holds the delimiter needs quotation marks. Remove lines before the header "
        "that are none of the table.",
        code="ragged_rows",
    )


def long_line(place: str, bytes_max: int) -> InvalidInput:
    """Say that a row is too long."""
    return InvalidInput(
        f"{place} is longer than {bytes_max:,} bytes. Look for a quotation mark that is not closed, or "
        "shorten the text.",
        code="unreadable_file",
    )


def unclosed_quote(place: str) -> InvalidInput:
    """Say that quotation marks do not go together."""
    return InvalidInput(
        f"{place} has a quoted field that is not closed, or text after its closing quotation mark. Close it, "
        "and write a quotation mark within a field twice; or name another one (option `quote`).",
        code="unclosed_quote",
    )


def wrong_encoding(place: str) -> InvalidInput:
    """Say that a row is no text in its encoding."""
    return InvalidInput(
        f"{place} is not valid in the file's encoding. Save the file as UTF-8 and send it again.",
        code="wrong_encoding",
    )


def _fields(n: int) -> str:
    return f"{n:,} field" if n == 1 else f"{n:,} fields"
