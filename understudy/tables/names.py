"""Derive table names from file names, and file names from table names."""

from __future__ import annotations

import re

# Maximum length of a table's name, in characters.
NAME_LENGTH_MAX = 255
# Maximum length of a file name's stem, in characters. With a dataset ID and a suffix, the file name does not
# exceed the 255 bytes that file systems allow.
STEM_LENGTH_MAX = 100
# The name of a table that was not read from a file.
DEFAULT_NAME = "table"


def table_name(text: str | None) -> str:
    """Return a valid table name for a text such as a file's stem. The default name is `table`."""
    cleaned = re.sub(r"[\x00-\x1f\x7f]", " ", text or "").strip()
    return cleaned[:NAME_LENGTH_MAX].strip() or DEFAULT_NAME


def file_stem(table: str, position: int) -> str:
    """Return a stem of ASCII letters, digits, `.`, `_` and `-` for the name of a table's file.

    If a name must be changed, the table's position is added as a prefix, so that the files of a dataset have
    unique names. For example, `orders` is not changed, and the second table `Straße` becomes `2-Stra-e`.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", table).strip(".-")[:STEM_LENGTH_MAX]
    return table if safe == table else f"{position}-{safe}".rstrip("-")
