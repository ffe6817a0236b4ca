"""Remove the ruler lines of tables that are drawn with text, such as Markdown tables."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from understudy.tables.formats.csv.decoding import Text
from understudy.tables.formats.csv.sampling import split_lines
from understudy.tables.formats.scan import Reading

_RULER = re.compile(r"[-=:|+,;\t ]+")
_RUN = re.compile(r"-{2,}|={2,}")
_FULL = re.compile(r"-{10,}|={10,}|_{10,}")
_LINES_MAX = 30
_START_BYTES = 64 * 1024


def without_rulers(text: Text, reading: Reading) -> Text:
    """Return a copy of a file with blank lines instead of rulers, and without spaces beside vertical bars.

    Only files with a ruler in one of the first lines are copied. Line numbers do not change.
    """
    with text.path.open("rb") as file:
        start = file.read(_START_BYTES).decode("utf-8", errors="ignore").removeprefix("\ufeff")
    first_lines = [line.rstrip("\r\n") for line in split_lines(start)[:_LINES_MAX]]
    ruler = next(filter(_is_ruler, first_lines), None) or _full_ruler(first_lines)
    if ruler is None:
        return text
    line = ruler.encode()
    has_bars = b"|" in line or b"+" in line or _has_borders(first_lines)
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


def _full_ruler(lines: Sequence[str]) -> str | None:
    """Return a long run of dashes that occurs more than once between lines with vertical bars, or None."""
    runs = [line for line in lines if _FULL.fullmatch(line.strip())]
    is_repeated = len(runs) > 1 and len({line.strip() for line in runs}) == 1
    return runs[0] if is_repeated and _has_borders(lines) else None


def _has_borders(lines: Sequence[str]) -> bool:
    """Return whether several lines begin and end with a vertical bar."""
    stripped = [line.strip() for line in lines]
    return sum(line.startswith("|") and line.endswith("|") and len(line) > 1 for line in stripped) > 1


def _is_ruler(line: str) -> bool:
    """Return whether a line consists of at least two runs of dashes, or of one run with a border."""
    if not _RULER.fullmatch(line):
        return False
    n_runs = len(_RUN.findall(line))
    return n_runs > 1 or (n_runs == 1 and ("|" in line or "+" in line))
