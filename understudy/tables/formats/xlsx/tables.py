"""Find the table in a sheet: its header, its columns and the rows that do not belong to it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from understudy.errors import InvalidInput
from understudy.parameters.read_options import CellRange, ReadOptions, cell_range, line_ranges
from understudy.tables.formats.layout import (
    Layout,
    Place,
    Request,
    SheetRow,
    checked_layout,
    find_layout,
    placeholder_names,
)
from understudy.tables.formats.layout.cells import is_note, is_total, n_filled
from understudy.tables.formats.layout.totals import may_be_row
from understudy.tables.formats.xlsx.area import Area
from understudy.tables.formats.xlsx.raw_cells import COLUMNS_MAX, Whole, column_index

_ROWS_MAX = 2**40


@dataclass(frozen=True)
class SheetTable:
    """A table that occupies only part of the sheet.

    Parameters
    ----------
    names : list of str
        Names of the columns, including generated names for the `unnamed` columns.
    unnamed : frozenset of int
        Indices of the columns without a name.
    skipped : list of (int, int or None)
        Ranges of rows that are not read.
    last_row : int
        Number of the last row.
    """

    area: Area
    names: list[str]
    unnamed: frozenset[int]
    warnings: tuple[str, ...] = ()
    skipped: tuple[tuple[int, int | None], ...] = ()
    last_row: int = _ROWS_MAX

    def contains(self, row_numbers: Whole) -> npt.NDArray[np.bool_]:
        """Return whether each row belongs to the table."""
        is_kept = row_numbers <= self.last_row
        for first, last in self.skipped:
            is_kept &= (row_numbers < first) | (row_numbers > (_ROWS_MAX if last is None else last))
        return is_kept

    def without_notes(self, first: int, last: int) -> SheetTable:
        """Return the table without the given rows at its end."""
        warning = (
            f"{Place.row.of(first, last)} below the table {'was' if first == last else 'were'} skipped, "
            "because the text is not a row of the table. Remove these rows, or list them in the option "
            "`skip_rows`, to avoid this message."
        )
        return replace(self, last_row=first - 1, warnings=(*self.warnings, warning))

    def without_rows(self, headers: Sequence[int], totals: Sequence[int]) -> SheetTable:
        """Return the table without repeated headers and rows of totals, or unchanged if it has neither."""
        texts = []
        for rows, one, many in (
            (headers, "repetition of the header was", "repetitions of the header were"),
            (totals, "row of totals was", "rows of totals were"),
        ):
            rows = [row for row in rows if row <= self.last_row]
            if rows:
                texts.append(
                    f"{len(rows):,} {one if len(rows) == 1 else many} skipped (first in row {rows[0]:,})."
                )
        if not texts:
            return self
        ranges = tuple((row, row) for row in [*headers, *totals])
        return replace(self, skipped=(*self.skipped, *ranges), warnings=(*self.warnings, *texts))


def find_table(rows: Sequence[SheetRow], options: ReadOptions) -> SheetTable | None:
    """Detect the table from the first rows of a sheet. Return None for a whole sheet with one header row.

    Raises
    ------
    InvalidInput
        If it is unclear which row is the header (code invalid_header). The message contains the rows and the
        option to set.
    """
    cells = cell_range(options.range) if options.range else None
    skipped = tuple(line_ranges(options.skip_rows))
    rows = _in_range(_without(rows, skipped), cells)
    request = Request(
        options.header_row or _first_row(rows, cells),
        options.join_headers,
        Place.row,
    )
    layout = find_layout(rows, request)
    if layout is not None and request.header_row is None:
        layout = checked_layout(layout, rows, request)
    if layout is None:
        if not skipped:
            return None
        layout = _first_filled(rows)
    first, last = _columns(layout, rows)
    offset = 0
    if cells is not None:
        offset = column_index(cells.first_column) or 0
        first, last = 0, (column_index(cells.last_column) or 0) - offset
    width = last - first + 1
    names = (layout.names(rows) + [""] * width)[first : last + 1]
    unnamed = frozenset(index for index, name in enumerate(names) if not name.strip())
    if layout.is_plain and not unnamed and cells is None and not skipped and not options.header_row:
        return None
    area = Area(layout.last.first, first + offset, width, is_chosen=cells is not None)
    last_row = cells.last_row if cells and cells.last_row else _ROWS_MAX
    made_up = placeholder_names(names) if len(unnamed) < width else names
    return SheetTable(area, made_up, unnamed, tuple(layout.warnings(request)), skipped, last_row)


def _without(rows: Sequence[SheetRow], skipped: Sequence[tuple[int, int | None]]) -> list[SheetRow]:
    return [
        row
        for row in rows
        if not any(first <= row.first and (last is None or row.last <= last) for first, last in skipped)
    ]


def _in_range(rows: Sequence[SheetRow], cells: CellRange | None) -> list[SheetRow]:
    if cells is None:
        return list(rows)
    first, last = column_index(cells.first_column), column_index(cells.last_column)
    if first is None or last is None or last >= COLUMNS_MAX:
        raise InvalidInput(
            "The option `range` contains a column that a sheet cannot have. Use columns A to XFD.",
            code="invalid_parameters",
        )
    inside = [
        SheetRow(row.first, row.last, [*row.cells, *[""] * (last + 1)][first : last + 1])
        for row in rows
        if row.first >= cells.first_row and (cells.last_row is None or row.last <= cells.last_row)
    ]
    if all(row.is_blank for row in inside):
        raise InvalidInput(
            "The option `range` contains only blank cells. Set it to the cells of the table, including the "
            "header.",
            code="empty_file",
        )
    return inside


def _first_row(rows: Sequence[SheetRow], cells: CellRange | None) -> int | None:
    """Return the number of the header row in a selected range."""
    return next(row.first for row in rows if not row.is_blank) if cells else None


def _first_filled(rows: Sequence[SheetRow]) -> Layout:
    header = next((row for row in rows if not row.is_blank), None)
    if header is None:
        raise InvalidInput(
            "The option `skip_rows` leaves no rows on the sheet. Skip fewer rows.",
            code="empty_file",
        )
    return Layout((), (header,), len(header.cells))


def _columns(layout: Layout, rows: Sequence[SheetRow]) -> tuple[int, int]:
    """Return the first and last columns that have a name or have values in most of the first rows."""
    body = [row for row in rows if row.first > layout.last.last and not row.is_blank]
    width = max(len(row.cells) for row in [*layout.headers, *body])
    used = []
    for column in range(width):
        n_values = sum(column < len(row.cells) and bool(row.cells[column].strip()) for row in body)
        is_named = any(column < len(row.cells) and row.cells[column].strip() for row in layout.headers)
        if is_named or (n_values > 1 and 2 * n_values > len(body)):
            used.append(column)
    return used[0], used[-1]


def find_notes(rows: Sequence[SheetRow], width: int) -> tuple[int, int] | None:
    """Return the first and last rows of clear notes at the end of a table, or None if there are none."""
    n = len(rows)
    start = n
    while start > 1 and _may_be_note(rows[start - 1].cells, width):
        start -= 1
    above = [row.cells for row in rows[:start]]
    while start < n and may_be_row(rows[start].cells, above):
        start += 1
    if start == n:
        return None
    labels = {row.cells[0] for row in rows[:start]}
    if any(n_filled(row.cells) == width and row.cells[0] in labels for row in rows[start:]):
        return None
    is_separate = rows[start].first > rows[start - 1].first + 1
    if not is_separate and not all(is_note(row.cells) or is_total(row.cells) for row in rows[start:]):
        return None
    return rows[start].first, rows[-1].first


def _may_be_note(cells: Sequence[str], width: int) -> bool:
    return is_total(cells) or (width > 2 and n_filled(cells) == 1 and bool(cells[0].strip()))
