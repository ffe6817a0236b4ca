"""Split samples of a CSV file into rows, and rank the delimiters by the resulting rows."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from typing import Any

_SAMPLE_ROWS = 100


def python_dialect(delimiter: str, quote: str) -> dict[str, Any]:
    if quote:
        return {"delimiter": delimiter, "quotechar": quote, "doublequote": True}
    return {"delimiter": delimiter, "quoting": csv.QUOTE_NONE, "quotechar": None}


Rows = list[list[str]]


def split_lines(text: str) -> list[str]:
    """Return the lines of a text with their line endings: LF, CRLF and CR, as in the CSV reader.

    `str.splitlines` also splits at form feeds and other characters that are parts of values.
    """
    return list(io.StringIO(text, newline=""))


def sample_rows(places: Sequence[str], delimiter: str, quote: str, *, is_whole: bool) -> Rows:
    """Return the first rows of each sample. The first row of the first sample is the header."""
    first = first_rows(places[0], delimiter, quote, is_whole=is_whole)
    if not first:
        return []
    return first + [row for text in places[1:] for row in first_rows(text, delimiter, quote, is_whole=True)]


def first_rows(text: str, delimiter: str, quote: str, *, is_whole: bool) -> Rows:
    """Return the first rows without blank lines. The last row is omitted if it may be truncated.

    The result ends before the first malformed row. This row is reported later, when the whole file is read.
    """
    reader = csv.reader(io.StringIO(text, newline=""), strict=True, **python_dialect(delimiter, quote))
    rows: Rows = []
    try:
        for row in reader:
            if len(rows) == _SAMPLE_ROWS:
                return rows
            if row:
                rows.append(row)
    except csv.Error:
        return rows
    return rows if is_whole else rows[:-1]


def agreement(rows: Rows) -> tuple[bool, float, int]:
    """Return the rank of a delimiter.

    The rank has three parts: whether the delimiter splits the header, the share of rows with as many fields
    as the header, and the number of fields.
    """
    if not rows:
        return (False, 0.0, 0)
    width = len(rows[0])
    same = sum(len(row) == width for row in rows) / len(rows)
    return (width > 1, same, width)
