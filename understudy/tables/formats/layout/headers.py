"""Find the header rows of a table, and the rows near the header that do not belong to the table."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum

from understudy.errors import InvalidInput
from understudy.tables.formats.layout.cells import is_missing, is_unit, is_value, n_filled
from understudy.tables.formats.layout.naming import join_rows

# Maximum number of rows that are searched for a header, and of rows below the header that determine types.
_HEADER_ROWS_MAX = 50
_BODY_ROWS_MAX = 30
_JOINED_MAX = 3
# A column has typed cells if at least this share of its cells are numbers, dates or booleans.
_TYPED_MIN = 0.9
# Width and type of a column in an RDB file: text, number or date. A duration such as 10s looks the same.
_WIDTH = re.compile(r"\d{1,3}[snd]", re.IGNORECASE)


@dataclass(frozen=True)
class SheetRow:
    """A row of a file: its cells, and the numbers of its first and last lines, counted from 1."""

    first: int
    last: int
    cells: Sequence[str]

    @property
    def is_blank(self) -> bool:
        """Whether all cells are blank."""
        return n_filled(self.cells) == 0


class Place(Enum):
    """The word that messages use for the position of a row."""

    line = "line"
    row = "row"

    def of(self, first: int, last: int) -> str:
        """Return the position of one or more rows, capitalized for the beginning of a sentence."""
        word = self.value.capitalize()
        return f"{word} {first:,}" if first == last else f"{word}s {first:,} to {last:,}"


@dataclass(frozen=True)
class Request:
    """The options that select the header."""

    header_row: int | None = None
    join_headers: bool | None = None
    place: Place = Place.line


@dataclass(frozen=True)
class Layout:
    """The rows of a header.

    Parameters
    ----------
    above : tuple of SheetRow
        Rows above the header that contain text and do not belong to the table.
    headers : tuple of SheetRow
        One or more header rows. Their cells are joined.
    units : SheetRow, optional
        Row with units below the header.
    width : int
        Number of fields in most rows below the header.
    doubt : str, optional
        Reason why the layout is unclear, with the position and the option that resolves the problem.
    """

    above: tuple[SheetRow, ...]
    headers: tuple[SheetRow, ...]
    width: int
    units: SheetRow | None = None
    doubt: str | None = None

    @property
    def last(self) -> SheetRow:
        """The last row before the first row of data."""
        return self.units or self.headers[-1]

    def names(self, rows: Sequence[SheetRow]) -> list[str]:
        """Return the names of all columns from the first rows of the file. A name may be blank."""
        names = join_rows([row.cells for row in self.headers])
        n_absent = self.width - len(names)
        if n_absent == 1 and len(names) > 1 and have_row_names(self.body(rows)):
            return ["", *names]
        is_longer = n_absent < 0 and n_filled(names[self.width :]) == 0
        return names[: self.width] if is_longer else [*names, *[""] * n_absent]

    def body(self, rows: Sequence[SheetRow]) -> list[SheetRow]:
        """Return the first rows below the header that have the width of the table."""
        return _same_width([row for row in rows if row.first > self.last.last], self.width)

    @property
    def is_plain(self) -> bool:
        """Whether the table starts with one header row."""
        return not self.above and len(self.headers) == 1 and self.units is None

    def warnings(self, request: Request) -> list[str]:
        """Return the messages about skipped and joined rows, without the content of these rows."""
        place = request.place
        texts = []
        if self.above and request.header_row is None:
            texts.append(
                f"{place.of(self.above[0].first, self.headers[0].first - 1)} above the header "
                f"{_were(self.above[0].first, self.headers[0].first - 1)} skipped, and {place.value} "
                f"{self.headers[0].first:,} was read as the header. Set the option `header_row` to "
                "change this."
            )
        if len(self.headers) > 1 and request.join_headers is None:
            texts.append(
                f"{place.of(self.headers[0].first, self.headers[-1].last)} were read as header rows and "
                "joined. Set the option `join_headers` to false to read the second header row as data."
            )
        if self.units:
            first, last = self.units.first, self.units.last
            texts.append(
                f"{place.of(first, last)}, directly below the header, "
                f"{'contains' if first == last else 'contain'} units or labels and {_were(first, last)} "
                "skipped. Set the option `join_headers` to true to add them to the column names, or to false "
                "to read them as data."
            )
        return texts


def _were(first: int, last: int) -> str:
    return "was" if first == last else "were"


def find_layout(rows: Sequence[SheetRow], request: Request) -> Layout | None:
    """Detect the layout of a table from its first rows. Return None if no row can be the header.

    Parameters
    ----------
    rows : sequence of SheetRow
        First rows of the file, including blank rows.

    Raises
    ------
    InvalidInput
        If the selected header is not among these rows (code invalid_header).
    """
    filled = [row for row in rows if not row.is_blank]
    width = _body_width(filled)
    index = _chosen(rows, request) if request.header_row else _first_header(rows, width)
    if index is None:
        return None
    start = (
        index if request.header_row or request.join_headers is False else _first_joined(rows, index, width)
    )
    return _below(rows, start, index, width, request)


def _body_width(rows: Sequence[SheetRow]) -> int:
    """Return the most frequent number of cells, or the larger number if two are equally frequent."""
    counts = Counter(len(row.cells) for row in rows)
    wide = {width: n for width, n in counts.items() if width > 1}
    if not wide:
        return 1
    width = max(wide, key=lambda candidate: (wide[candidate], candidate))
    return width if 2 * wide[width] >= counts[1] or wide[width] > 1 else 1


def _chosen(rows: Sequence[SheetRow], request: Request) -> int:
    assert request.header_row is not None
    for index, row in enumerate(rows):
        if row.first <= request.header_row <= row.last and not row.is_blank:
            return index
    place = request.place
    raise InvalidInput(
        f"{place.of(request.header_row, request.header_row)} cannot be the header, because it is blank "
        f"or not among the first {len(rows):,} rows of the file. Set the option `header_row` to the "
        f"{place.value} that contains the column names.",
        code="invalid_header",
    )


def _first_header(rows: Sequence[SheetRow], width: int) -> int | None:
    """Return the first row that has as many cells as the table and names at least half of its columns."""
    for index, row in enumerate(rows[:_HEADER_ROWS_MAX]):
        following = rows[index + 1 : index + 1 + _BODY_ROWS_MAX]
        if row.is_blank or not _fits(row, following, width):
            continue
        n_active = _n_active(following, width)
        n_named = n_filled(row.cells)
        if n_named < n_active and any(map(_is_detail, row.cells)):
            continue
        if n_named >= max(min(2, width), (min(n_active, width) + 1) // 2):
            return index
    return None


def _fits(row: SheetRow, following: Sequence[SheetRow], width: int) -> bool:
    """Return whether a row can name all columns except row numbers and blank columns at the end."""
    n = len(row.cells)
    if n == width or n < 2:
        return n == width
    if n > width:
        return width > 1 and n_filled(row.cells[width:]) == 0
    body = _same_width(following, width)
    return bool(body) and (
        all(n_filled(line.cells[n:]) == 0 for line in body)
        or (n == width - 1 and not any(map(_is_detail, row.cells)) and have_row_names(body))
    )


def have_row_names(rows: Sequence[SheetRow]) -> bool:
    """Return whether the first column contains row names or row numbers, as R's `write.table` writes them.

    Without row numbers, at least one other column must have typed cells. The first row must have values in
    these columns, because it could otherwise be the header. If the last cell of every row is blank, each row
    merely ends with a delimiter. If a second cell begins with a space, the delimiter before it is part of a
    text value.
    """
    first = [row.cells[0].strip() for row in rows]
    if len(rows) <= 2 or all(not row.cells[-1].strip() for row in rows):
        return False
    if any(first == [str(number) for number in range(start, start + len(rows))] for start in (0, 1)):
        return True
    if not all(first) or len(set(first)) < len(first) or any(row.cells[1].startswith(" ") for row in rows):
        return False
    typed = [column for column in range(1, len(rows[0].cells)) if is_typed(rows, column)]
    start = [rows[0].cells[column] for column in typed]
    return bool(typed) and all(is_value(cell) or is_missing(cell) for cell in start)


def _n_active(rows: Sequence[SheetRow], width: int) -> int:
    """Return the number of columns that contain a value in at least one row."""
    active: set[int] = set()
    for row in rows:
        if len(row.cells) == width:
            active.update(column for column, cell in enumerate(row.cells) if cell.strip())
    return len(active)


def _first_joined(rows: Sequence[SheetRow], index: int, width: int) -> int:
    """Return the first of the rows that are directly above the header and name groups of columns."""
    start = index
    while start > 0 and index - start + 1 < _JOINED_MAX and _is_group_row(rows[start - 1], width):
        start -= 1
    return start


def _is_group_row(row: SheetRow, width: int) -> bool:
    named = [column for column, cell in enumerate(row.cells) if cell.strip()]
    texts = [row.cells[column].strip() for column in named]
    return (
        len(row.cells) == width
        and width > 2
        and any(column > 0 for column in named)
        and not any(_is_detail(text) or text.startswith("#") for text in texts)
    )


def _is_detail(cell: str) -> bool:
    """Return whether a cell is a label that ends with a colon, or a value that is not a year."""
    return cell.rstrip().endswith(":") or (is_value(cell) and not is_year(cell))


def _below(rows: Sequence[SheetRow], start: int, index: int, width: int, request: Request) -> Layout:
    above = tuple(row for row in rows[:start] if not row.is_blank)
    headers = [row for row in rows[start : index + 1] if not row.is_blank]
    following = [row for row in rows[index + 1 :] if not row.is_blank]
    units: SheetRow | None = None
    doubt: str | None = None
    if request.join_headers:
        if len(headers) == 1 and following:
            headers.append(following[0])
    elif request.join_headers is None:
        while following and len(headers) < _JOINED_MAX and units is None:
            kind = _kind(headers[-1], following[0], _same_width(following[1:], width))
            if len(headers) > 1 and kind is _Kind.data and _is_blank_or_label(following, width):
                kind = _Kind.header
            if kind is _Kind.header:
                headers.append(following.pop(0))
                continue
            if kind is _Kind.doubtful and len(headers) == 1:
                doubt = _doubtful_header(headers[0], following[0], request.place)
            units = following[0] if kind is _Kind.units else None
            break
    return Layout(above, tuple(headers), width, units, doubt)


def _same_width(rows: Sequence[SheetRow], width: int) -> list[SheetRow]:
    return [row for row in rows if len(row.cells) == width][:_BODY_ROWS_MAX]


class _Kind(Enum):
    """The kind of the row below a header row."""

    data = "data"
    header = "header"
    units = "units"
    doubtful = "doubtful"


def _kind(header: SheetRow, row: SheetRow, body: Sequence[SheetRow]) -> _Kind:
    """Return the kind of the row below a header, based on the rows that follow."""
    if len(body) < 2 or len(row.cells) != len(body[0].cells) or len(header.cells) < len(row.cells):
        return _Kind.data
    if len(row.cells) > 1 and all(map(_is_width, row.cells)) and not _have_widths(body):
        return _Kind.units
    typed = [column for column in range(len(row.cells)) if is_typed(body, column)]
    if any(is_value(row.cells[column]) for column in typed):
        return _Kind.data
    n_misfits = sum(not is_missing(row.cells[column]) for column in typed)
    texts = [cell for cell in row.cells if not is_missing(cell)]
    if not texts:
        return _Kind.data
    if n_misfits and all(map(is_unit, texts)):
        return _Kind.units
    if [cell.strip() for cell in row.cells] == [cell.strip() for cell in header.cells[: len(row.cells)]]:
        return _Kind.units
    return _second_header(header, row, body, typed, n_misfits)


def _is_width(cell: str) -> bool:
    return _WIDTH.fullmatch(cell.strip()) is not None


def _have_widths(body: Sequence[SheetRow]) -> bool:
    """Return whether every column has a value such as `5s`. Single columns may contain codes of this form."""
    columns = zip(*(row.cells for row in body), strict=True)
    return all(any(map(_is_width, cells)) for cells in columns)


def _is_blank_or_label(rows: Sequence[SheetRow], width: int) -> bool:
    """Return whether the first row is blank in every column that most of the other rows fill."""
    row, body = rows[0], _same_width(rows[1:], width)
    if len(body) < 2 or len(row.cells) != width:
        return False
    typed = [row.cells[column] for column in range(width) if is_typed(body, column)]
    return any(cell.strip() for cell in typed) and not any(
        is_value(cell) or (cell.strip() and is_missing(cell)) for cell in typed
    )


def _second_header(
    header: SheetRow, row: SheetRow, body: Sequence[SheetRow], typed: Sequence[int], n_misfits: int
) -> _Kind:
    unnamed = [
        column
        for column in range(1, len(row.cells))
        if not header.cells[column].strip() and any(line.cells[column].strip() for line in body)
    ]
    if not unnamed:
        return _Kind.header if n_misfits > 1 and n_misfits == len(typed) else _Kind.data
    if not all(row.cells[column].strip() for column in unnamed):
        return _Kind.data
    is_gap = any(
        not row.cells[column].strip() and all(line.cells[column].strip() for line in body)
        for column in range(len(row.cells))
    )
    return _Kind.header if n_misfits or is_gap else _Kind.doubtful


def is_typed(body: Sequence[SheetRow], column: int) -> bool:
    """Return whether most cells of a column are numbers, dates, times or booleans."""
    cells = [cell for row in body if not is_missing(cell := row.cells[column])]
    return len(cells) > 1 and sum(map(is_value, cells)) >= _TYPED_MIN * len(cells)


def _doubtful_header(header: SheetRow, row: SheetRow, place: Place) -> str:
    return (
        f"{place.of(row.first, row.last)} may be a second header row, because the header in {place.value} "
        f"{header.first:,} has columns without a name. Set the option `join_headers` to true to join both "
        "rows, or to false to read it as data."
    )


def is_year(name: str) -> bool:
    """Return whether a cell contains a year, which can also be the name of a column."""
    text = name.strip()
    return len(text) == 4 and text.isdecimal() and 1800 <= int(text) <= 2200
