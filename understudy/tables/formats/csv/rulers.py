"""Remove the rulers of tables that are drawn with text, as by database clients and in Markdown."""

from __future__ import annotations

import re
from dataclasses import replace

from understudy.tables.formats.csv.decoding import Text
from understudy.tables.formats.scan import Reading

# A ruler has at least two runs of dashes, or one run with a border.
_RUN = r":?-{2,}:?|={2,}"
_RULER = re.compile(
    rf"^[ \t]*(?:[|+][ \t]*(?:{_RUN})|(?:{_RUN})[ \t]*[|+,;\t ])"
    rf"(?:[ \t]*[|+,;\t ]?[ \t]*(?:{_RUN}))*[ \t]*[|+]?[ \t]*(?=\r?$)",
    re.MULTILINE,
)
_LINES_MAX = 30
_START_BYTES = 64 * 1024


def without_rulers(text: Text, reading: Reading) -> Text:
    """Return a copy of a file in which rulers are blank, and without spaces beside vertical bars.

    Only files with a ruler in one of the first lines are copied. Line numbers do not change.
    """
    with text.path.open("rb") as file:
        start = file.read(_START_BYTES).decode("utf-8", errors="ignore").removeprefix("\ufeff")
    ruler = _RULER.search("".join(start.splitlines(keepends=True)[:_LINES_MAX]))
    if ruler is None:
        return text
    line = ruler[0].encode()
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
