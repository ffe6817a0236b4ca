"""Markdown tables and text from plain values."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence

# Code spans. Their content is not escaped.
CODE_SPAN = re.compile(r"(`+[^`]+`+)")


def text(value: str) -> str:
    """Return text with `<`, `>` and `&` escaped outside code spans."""
    parts = CODE_SPAN.split(value)
    return "".join(part if index % 2 else html.escape(part, quote=False) for index, part in enumerate(parts))


def code(value: object) -> str:
    """Return a code span."""
    content = str(value)
    fence = "``" if "`" in content else "`"
    padding = " " if "`" in content or content != content.strip() else ""
    return f"{fence}{padding}{content}{padding}{fence}"


def table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table of Markdown cells. Vertical bars are escaped, and line breaks become spaces."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(_cell(cell) for cell in line) + " |" for line in lines) + "\n"


def _cell(value: str) -> str:
    return re.sub(r"\s*\n\s*", " ", value.strip()).replace("|", r"\|")
