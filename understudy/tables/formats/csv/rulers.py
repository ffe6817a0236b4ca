"""Remove the ruler lines of tables that are drawn with text, such as Markdown tables."""

from __future__ import annotations

import re
from dataclasses import replace

from understudy.tables.formats.csv.decoding import Text
from understudy.tables.formats.scan import Reading

_RULER = re.compile(r"[-=:|+,;\t ]+")
_RUN = re.compile(r"-{2,}|={2,}")
_LINES_MAX = 30
_START_BYTES = 64 * 1024


def without_rulers(text: Text, reading: Reading) -> Text:
    """Return a copy of a file with blank lines instead of rulers, and without spaces beside vertical bars.

    Only files with a ruler in one of the first lines are copied. Line numbers do not change.
    """
    with text.path.open("rb") as file:
        start = file.read(_START_BYTES).decode("utf-8", errors="ignore").removeprefix("\ufeff")
    ruler = next(filter(_is_ruler, start.splitlines()[:_LINES_MAX]), None)
    if ruler is None:
        return text
    line = ruler.encode()
    has_bars = b"|" in line or b"+" in line
    target = reading.scratch / "without_rulers.csv"
    longest = 0
    with text.path.open("rb") as file, target.open("wb") as copy:
        for raw in file:
            content = raw.rstrip(b"\r\n")
            if content.strip() == line.strip():
                content = b""
            elif has_bars and b"|" in content:
                content = b"|".join(field.strip(b" \t") for field in content.split(b"|"))
            longest = max(longest, len(content))
            copy.write(content + raw[len(raw.rstrip(b"\r\n")) :])
    return replace(text, path=target, longest_line_bytes=min(longest, text.longest_line_bytes))


def _is_ruler(line: str) -> bool:
    """Return whether a line consists of at least two runs of dashes, or of one run with a border."""
    if not _RULER.fullmatch(line):
        return False
    n_runs = len(_RUN.findall(line))
    return n_runs > 1 or (n_runs == 1 and ("|" in line or "+" in line))
