"""Recognize a file that starts with a data row instead of a header."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from understudy.errors import InvalidInput
from understudy.tables.formats.csv.sampling import Rows
from understudy.tables.formats.layout.cells import is_value
from understudy.tables.formats.layout.headers import SheetRow, is_typed, is_year

_ROWS_MIN = 3
_ROWS_MAX = 200
# Number of characters examined in each value.
_LENGTH_MAX = 200
# Minimum share of a column's values with the same pattern of letters, digits and punctuation.
_SAME_MIN = 0.5
_NUMBER = re.compile(r"[-+]?[0-9]*[.,]?[0-9]+")


def check_header(names: Sequence[str], rows: Rows, line: int) -> None:
    """Check that the names of the columns do not look like a row of data.

    Parameters
    ----------
    rows : list of rows
        Sampled rows of the table.
    line : int
        Number of the line that contains the names.

    Raises
    ------
    InvalidInput
        If the names look like a row of data (code invalid_header). The message contains the option to set.
    """
    body = [row for row in rows if len(row) == len(names) and row != list(names)][:_ROWS_MAX]
    if len(body) < _ROWS_MIN or not _is_row(names, body):
        return
    raise InvalidInput(
        f"Line {line:,} looks like a row of data, so the file may have no header. Set the option "
        "`header_row` to 0 to name the columns `column_1`, `column_2` and so on, or to "
        f"{line} if the line contains the column names.",
        code="invalid_header",
    )


def _is_row(names: Sequence[str], body: Rows) -> bool:
    columns = [[row[column][:_LENGTH_MAX].strip() for row in body] for column in range(len(names))]
    stripped = [name[:_LENGTH_MAX].strip() for name in names]
    if any(_has_pattern(name, values) for name, values in zip(stripped, columns, strict=True)):
        return True
    rows = [SheetRow(0, 0, row) for row in body]
    is_number = [
        _NUMBER.fullmatch(name) is not None and is_typed(rows, column) for column, name in enumerate(stripped)
    ]
    if all(is_number):
        numbers = [float(name.replace(",", ".")) for name in stripped]
        is_increasing = all(left < right for left, right in pairwise(numbers))
        return len(names) > 1 and not is_increasing
    has_number = any(found and not is_year(name) for found, name in zip(is_number, stripped, strict=True))
    return has_number and any(
        name in values and not is_value(name) and name != ""
        for name, values in zip(stripped, columns, strict=True)
    )


def _has_pattern(name: str, values: Sequence[str]) -> bool:
    """Return whether a name with digits or an @ has the same punctuation as most values of its column."""
    pattern = _pattern(name)
    if _NUMBER.fullmatch(name) or not re.search(r"[0-9@]", name) or not re.search(r"[^a0_\s]", pattern):
        return False
    filled = [value for value in values if value]
    return bool(filled) and sum(_pattern(value) == pattern for value in filled) >= _SAME_MIN * len(filled)


def _pattern(text: str) -> str:
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"[0-9]+", "0", text))
