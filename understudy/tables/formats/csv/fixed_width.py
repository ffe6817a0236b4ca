"""Read columns of fixed width: cut each line below a ruler, or at the blanks that all lines share."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from understudy.tables.formats.csv.decoding import Text
from understudy.tables.formats.csv.spaces import is_aligned, is_split_by_spaces
from understudy.tables.formats.layout.cells import is_value
from understudy.tables.formats.scan import Reading

_RULER = re.compile(r"\s*(?:-+|=+)(?: +(?:-+|=+))+\s*")
_RUN = re.compile(r"-+|=+")
_LINES_MAX = 200
_START_BYTES = 64 * 1024
# Minimum number of lines that must share blanks if there is no ruler, and minimum number of columns.
_LINES_MIN, _COLUMNS_MIN = 12, 2
# Minimum share of the first lines below a ruler that must have blanks between its runs.
_CUT_MIN = 0.9
_OTHER_DELIMITERS = re.compile(r"[;|\t]")

Cut = Callable[[str], Sequence[str] | None]


def with_cut_columns(text: Text, reading: Reading) -> Text:
    """Return a copy of a file with tabs between its columns if they have a fixed width.

    Lines with text between the columns, such as titles and notes, are unchanged. Line numbers do not change.
    """
    if reading.options.delimiter is not None or reading.options.header_row == 0:
        return text
    lines = _first_lines(text)
    ruler = next((number for number, line in enumerate(lines[:30]) if _RULER.fullmatch(line)), None)
    starts = _starts_below_ruler(lines, ruler) if ruler else _starts_of_blanks(text, lines)
    if not starts or (not ruler and is_split_by_spaces(text)):
        return text
    target = reading.scratch / "cut_columns.csv"
    with text.path.open("rb") as file, target.open("wb") as copy:
        for raw in file:
            line = raw.rstrip(b"\r\n")
            copy.write(_written(line.decode(), starts, is_ruled=ruler is not None) + raw[len(line) :])
    place = f"the ruler in line {ruler + 1:,}" if ruler else "the blanks that all lines share"
    warning = (
        f"The columns have a fixed width and were separated at {place}. Set the option `delimiter` to read "
        "the lines differently."
    )
    return replace(text, path=target, warnings=(*text.warnings, warning))


def _first_lines(text: Text) -> list[str]:
    with text.path.open("rb") as file:
        start = file.read(_START_BYTES)
    content = start.decode("utf-8", errors="ignore").removeprefix("\ufeff")
    lines = [line.removesuffix("\r") for line in content.split("\n")]
    if any("\r" in line for line in lines):
        # The lines end with a carriage return only, and would be copied as one line.
        return []
    return (lines if len(start) < _START_BYTES else lines[:-1])[:_LINES_MAX]


def _starts_below_ruler(lines: Sequence[str], ruler: int) -> list[int]:
    """Return the positions where the columns below a ruler begin, or [] if it does not fit the lines."""
    starts = [match.start() for match in _RUN.finditer(lines[ruler])]
    body = [line for line in lines[ruler + 1 :] if line.strip()]
    names = _cells(lines[ruler - 1], starts)
    if names is None or not all(names) or not body or any("\t" in line for line in body):
        return []
    return starts if sum(_cells(line, starts) is not None for line in body) >= _CUT_MIN * len(body) else []


def _starts_of_blanks(text: Text, lines: Sequence[str]) -> list[int]:
    """Return the positions where the columns begin, or [] if not all lines have blanks between them."""
    filled = [line for line in lines if line.strip()]
    if len(filled) < _LINES_MIN or any(map(_OTHER_DELIMITERS.search, filled)) or not is_aligned(filled[1:]):
        return []
    width = max(map(len, filled))
    is_blank = [all(line[i : i + 1] in ("", " ") for line in filled) for i in range(width)]
    starts = [i for i in range(width) if not is_blank[i] and (i == 0 or is_blank[i - 1])]
    names = _cells(filled[0], starts)
    if names is None or len(starts) < _COLUMNS_MIN or not all(names) or any(map(is_value, names)):
        return []
    if _are_split_by_commas(filled) or any(name.startswith(",") or name.endswith(",") for name in names):
        return []
    rows = [cells for line in filled[1:] if (cells := _cells(line, starts))]
    has_values = any(all(is_value(row[i]) or not row[i] for row in rows) for i in range(len(starts)))
    return starts if has_values and _all_fit(text, starts) else []


def _are_split_by_commas(lines: Sequence[str]) -> bool:
    """Return whether all lines contain the same number of commas, at least one."""
    counts = {line.count(",") for line in lines}
    return len(counts) == 1 and 0 not in counts


def _all_fit(text: Text, starts: Sequence[int]) -> bool:
    with text.path.open("rb") as file:
        return all(_cells(line.decode().rstrip("\r\n"), starts) is not None for line in file)


def _cells(line: str, starts: Sequence[int]) -> list[str] | None:
    """Return the cells of a line, or None if text crosses the boundary between two columns."""
    if any(line[start - 1 : start].strip() for start in starts[1:]):
        return None
    ends = [*starts[1:], len(line)]
    return [
        line[0 if i == 0 else start : max(end, start)].strip()
        for i, (start, end) in enumerate(zip(starts, ends, strict=True))
    ]


def _written(line: str, starts: Sequence[int], *, is_ruled: bool) -> bytes:
    if not line.strip() or (is_ruled and _RULER.fullmatch(line)):
        return b""
    cells = _cells(line, starts)
    return (line if cells is None else "\t".join(cells)).encode()
