"""Names of tables that are made from names of files, and the other way round."""

from __future__ import annotations

import re

NAME_LENGTH_MAX = 255
# With the id of a dataset and a suffix it fits into the 255 bytes that file systems allow.
STEM_LENGTH_MAX = 100
# The name of a table that comes from no file.
DEFAULT_NAME = "table"


def table_name(text: str | None) -> str:
    """Return a text, such as the stem of a file's name, as a table's name; `table` if nothing is left."""
    cleaned = re.sub(r"[\x00-\x1f\x7f]", " ", text or "").strip()
    return cleaned[:NAME_LENGTH_MAX].strip() or DEFAULT_NAME


def file_stem(table: str, position: int) -> str:
    """Return a table's name as a part of a file's name, of ASCII letters, digits, `.`, `_` and `-`.

    A name that has to be changed for that comes after the table's position, so that the tables of a dataset
    have different files: `orders`, but `2-Stra-e`.
    """
    safe = re.sub(r"[^A-Za-z0-9._-]+", "-", table).strip(".-")[:STEM_LENGTH_MAX]
    return table if safe == table else f"{position}-{safe}".rstrip("-")
