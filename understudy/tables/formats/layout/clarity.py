"""Decide whether the rows above a header clearly do not belong to the table."""

from __future__ import annotations

from collections.abc import Sequence

from understudy.errors import InvalidInput
from understudy.tables.formats.layout.cells import is_value, n_filled
from understudy.tables.formats.layout.headers import Layout, Request, SheetRow, is_typed, is_year

# Minimum share of the rows below a header that must have the table's width if other rows precede the header.
_SAME_MIN = 0.7
_COMMENT_MARKS = ("#", "//", "%", "--", "!")


def checked_layout(layout: Layout, rows: Sequence[SheetRow], request: Request) -> Layout | None:
    """Return the layout if it is clear, or None if the first row is the header.

    Raises
    ------
    InvalidInput
        If it is unclear whether some rows belong to the table (code invalid_header). The message contains the
        rows and the option to set.
    """
    if layout.doubt:
        raise InvalidInput(layout.doubt, code="invalid_header")
    is_clear = _is_clear(layout, rows)
    if is_clear is None or is_clear:
        return layout if is_clear else None
    if len(layout.above) == 1 and len(layout.above[0].cells) == 1:
        return None
    first, last = layout.above[0].first, layout.headers[0].first - 1
    word = request.place.value
    raise InvalidInput(
        f"{request.place.of(first, last)} {'has' if first == last else 'have'} fewer fields than the "
        f"{word}s that follow, so it is unclear whether the header is on {word} {first:,} or {last + 1:,}. "
        f"Set the option `header_row` to the {word} of the header.",
        code="invalid_header",
    )


def _is_clear(layout: Layout, rows: Sequence[SheetRow]) -> bool | None:
    """Return whether the rows above the header cannot belong to the table, or None if no row is a header.

    These rows cannot belong to the table if a blank row separates them from the header, or if all of them are
    comments. They also cannot belong to the table if the header has words above a column of numbers, dates or
    booleans.
    """
    header = layout.headers[0]
    if not layout.above:
        is_first = not any(row.first < header.first for row in rows)
        return True if is_first or not _has_values(layout, rows) else None
    is_separate = any(row.is_blank and layout.above[-1].last < row.first < header.first for row in rows)
    is_comment = all(row.cells[0].lstrip().startswith(_COMMENT_MARKS) for row in layout.above)
    if _has_values(layout, rows):
        return None
    if not _is_consistent(layout, rows):
        return None
    if is_separate or is_comment:
        return True
    if any(_may_be_header(row, layout) for row in layout.above):
        return None
    return _has_typed_column(layout, rows)


def _may_be_header(row: SheetRow, layout: Layout) -> bool:
    """Return whether a row above the header could name all columns, and has no cells beyond them."""
    n = n_filled(row.cells)
    return n_filled(layout.headers[0].cells) <= n and n_filled(row.cells[layout.width :]) == 0


def _is_consistent(layout: Layout, rows: Sequence[SheetRow]) -> bool:
    """Return whether most rows below the header have the width of the table."""
    below = [row for row in rows if row.first > layout.last.last and not row.is_blank]
    n_same = sum(len(row.cells) == layout.width for row in below)
    return n_same > 1 and n_same >= _SAME_MIN * len(below)


def _has_typed_column(layout: Layout, rows: Sequence[SheetRow]) -> bool:
    """Return whether any column with a name made of words contains numbers, dates or booleans."""
    body = layout.body(rows)
    names = layout.headers[-1].cells
    return len(body) > 1 and any(
        not is_value(name) and is_typed(body, column)
        for column, name in enumerate(names[: layout.width])
        if name.strip()
    )


def _has_values(layout: Layout, rows: Sequence[SheetRow]) -> bool:
    """Return whether the cells of the header row have the types of their columns, as in a data row."""
    body = layout.body(rows)
    return any(
        is_value(name) and not is_year(name) and (not body or is_typed(body, column))
        for column, name in enumerate(layout.headers[-1].cells[: layout.width])
    )
