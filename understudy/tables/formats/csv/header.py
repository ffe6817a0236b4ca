"""Find the delimiter and the header of a CSV file, which may start with lines outside the table."""

from __future__ import annotations

import csv
import io
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from understudy.parameters.read_options import ReadOptions
from understudy.tables.formats.csv.headerless import check_header
from understudy.tables.formats.csv.sampling import Rows, agreement, python_dialect
from understudy.tables.formats.csv.spaces import is_aligned
from understudy.tables.formats.layout import Request, SheetRow, checked_layout, find_layout
from understudy.tables.formats.layout.cells import is_value
from understudy.tables.formats.layout.totals import required_columns

_ROWS_MAX = 100
# Minimum share of sampled rows with as many fields as the first row. If the share is lower, the delimiter is
# reconsidered.
_SAME_MIN = 0.5
# Lines that contain only blank fields are skipped if the sample has more rows than this.
_OTHERS_MIN = 10


@dataclass(frozen=True)
class Beginning:
    """The beginning of a file, without its first `n_lines_before` lines."""

    text: str
    n_lines_before: int
    is_whole: bool


@dataclass(frozen=True)
class Header:
    """The names of the columns, and the lines of the header.

    Parameters
    ----------
    names : tuple of str
        Names of the columns. The name is blank if a column has none.
    n_lines_before, last_line : int
        Number of lines before the last header row, and the number of the line where this row ends.
    first_line : int
        First line of the header, which may have several rows.
    comment : str
        Text that starts a comment below the header, or an empty string.
    totals : frozenset of int, optional
        See `Lines`.
    has_blanks : bool
        Whether some lines consist of spaces.
    """

    delimiter: str
    names: list[str]
    n_lines_before: int
    last_line: int
    first_line: int = 1
    comment: str = ""
    totals: frozenset[int] | None = None
    has_blanks: bool = False
    warnings: tuple[str, ...] = ()


def find_header(
    beginning: Beginning, samples: Mapping[str, Rows], quote: str, options: ReadOptions
) -> Header:
    """Return the header of a file.

    Parameters
    ----------
    samples : mapping of str to rows
        Sampled rows for each possible delimiter, without blank rows.

    Raises
    ------
    InvalidInput
        If it is unclear whether some lines belong to the table (code invalid_header). The message contains
        the lines and the option to set.
    """
    request = Request(options.header_row, options.join_headers)
    if options.header_row == 0:
        return _without_header(beginning, samples)
    first = max(samples, key=lambda candidate: agreement(samples[candidate]))
    chosen = _delimiter(first, samples, is_chosen=options.header_row is not None)
    rows = _numbered_rows(beginning, chosen, quote, options.header_row or 0)
    layout = find_layout(rows, request)
    if layout is not None and options.header_row is None:
        layout = checked_layout(layout, rows, request)
    if layout is None:
        rows = rows if chosen == first else _numbered_rows(beginning, first, quote, 0)
        return _first_row(first, rows, samples, options)
    names = layout.names(rows)
    if options.header_row is None and len(layout.headers) == 1:
        check_header(names, samples[chosen], layout.headers[0].first)
    return Header(
        chosen,
        names,
        layout.last.first - 1,
        layout.last.last,
        layout.headers[0].first,
        _comment_mark(layout.headers[-1].cells, [row.cells for row in layout.above], samples[chosen]),
        *_lines_below(samples[chosen], layout.headers[-1].cells, layout.width),
        warnings=(*layout.warnings(request), *_column_doubts(samples, len(names), options)),
    )


def _without_header(beginning: Beginning, samples: Mapping[str, Rows]) -> Header:
    """Return generated names for the columns of a file that has no header."""
    delimiter = max(samples, key=lambda candidate: _body_agreement(samples[candidate]))
    rows = samples[delimiter]
    width = max(1, _body_agreement(rows)[1])
    n_before = beginning.n_lines_before
    return Header(
        delimiter,
        [f"column_{number}" for number in range(1, width + 1)],
        n_before,
        n_before,
        n_before + 1,
        _comment_mark([""] * width, [], rows) if width > 1 else "",
        *_lines_below(rows, [], width),
    )


def _delimiter(first: str, samples: Mapping[str, Rows], *, is_chosen: bool) -> str:
    """Return `first`, or the delimiter that splits the most rows.

    `first` is kept if it splits enough rows into as many fields as the first row.
    """
    splits, same, _ = agreement(samples[first])
    if splits and same >= _SAME_MIN and not is_chosen:
        return first
    best = max(samples, key=lambda candidate: _body_agreement(samples[candidate]))
    return best if _body_agreement(samples[best])[0] > 0 else first


def _body_agreement(rows: Rows) -> tuple[float, int]:
    """Return the share of rows with the most common number of fields, and this number."""
    counts = Counter(len(row) for row in rows if len(row) > 1)
    width, n = max(counts.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    return n / max(1, len(rows)), width


def _numbered_rows(beginning: Beginning, delimiter: str, quote: str, header_row: int) -> list[SheetRow]:
    """Return the first rows with their line numbers. The last row is omitted if it may be truncated."""
    reader = csv.reader(io.StringIO(beginning.text, newline=""), **python_dialect(delimiter, quote))
    rows: list[SheetRow] = []
    before = beginning.n_lines_before
    start = before + 1
    n_rows_max = _ROWS_MAX + header_row
    try:
        for cells in reader:
            rows.append(SheetRow(start, before + reader.line_num, cells))
            start = before + reader.line_num + 1
            if len(rows) == n_rows_max:
                return rows
    except csv.Error:
        return rows
    return rows if beginning.is_whole else rows[:-1]


def _first_row(
    delimiter: str, rows: list[SheetRow], samples: Mapping[str, Rows], options: ReadOptions
) -> Header:
    """Return the first row as the header."""
    row = next(row for row in rows if row.cells)
    warnings = tuple(_column_doubts(samples, len(row.cells), options))
    sample = samples[delimiter]
    if options.header_row is None:
        check_header(row.cells, sample, row.first)
    return Header(
        delimiter,
        list(row.cells),
        row.first - 1,
        row.last,
        row.first,
        _comment_mark(row.cells, [], sample) if len(row.cells) > 1 else "",
        *_lines_below(sample, row.cells, len(row.cells)),
        warnings=warnings,
    )


def _column_doubts(samples: Mapping[str, Rows], width: int, options: ReadOptions) -> list[str]:
    return _doubts(samples) if width == 1 and options.header_row is None else []


def _doubts(samples: Mapping[str, Rows]) -> list[str]:
    """Return a warning if most lines of a single-column table contain a delimiter equally often."""
    for delimiter, rows in samples.items():
        share, width = _body_agreement(rows)
        split = [row for row in rows if len(row) == width]
        is_number = width == 2 and delimiter == "," and all(is_value(cell) for row in split for cell in row)
        if share >= _SAME_MIN and len(split) > 1 and not is_number:
            return [
                f"The file was read as a table of one column, but {len(split):,} of the first {len(rows):,} "
                f"lines contain {delimiter!r}. If the table has several columns, set the option `header_row` "
                "to the line of the header."
            ]
    if is_aligned([row[0] for rows in samples.values() for row in rows if len(row) == 1]):
        return [
            "The file was read as a table of one column, but its lines contain runs of several spaces, as in "
            "columns of fixed width. If the table has several columns, save it as CSV, or set the option "
            "`delimiter` to `whitespace` if no value contains a space."
        ]
    return []


_COMMENT_MARKS = ("#", "//", "%")


def _comment_mark(header: Sequence[str], above: Collection[Sequence[str]], rows: Rows) -> str:
    """Return the comment mark that begins a sampled row with more or fewer fields than the header."""
    skipped = [list(row) for row in above]
    for mark in _COMMENT_MARKS:
        if not header[0].startswith(mark) and any(
            row[0].startswith(mark) and len(row) != len(header) and list(row) not in skipped for row in rows
        ):
            return mark
    return ""


def _lines_below(rows: Rows, header: Sequence[str], width: int) -> tuple[frozenset[int] | None, bool]:
    """Return the columns that all rows except totals fill, and whether some lines contain only spaces."""
    if width < 2:
        return None, False
    has_blanks = any(
        any(row)
        and not any(cell.strip(" \t\x1a") for cell in row)
        and (len(row) == 1 or len(rows) > _OTHERS_MIN)
        for row in rows
    )
    below = rows[rows.index(list(header)) + 1 :] if list(header) in rows else rows
    return required_columns(below, width), has_blanks
