"""Names of tables that are made from names of files."""

from __future__ import annotations

import re

NAME_LENGTH_MAX = 255
# The name of a table that comes from no file.
DEFAULT_NAME = "table"


def table_name(text: str | None) -> str:
    """Return a text, such as the stem of a file's name, as a table's name; `table` if nothing is left."""
    cleaned = re.sub(r"[\x00-\x1f\x7f]", " ", text or "").strip()
    return cleaned[:NAME_LENGTH_MAX].strip() or DEFAULT_NAME
