"""Read OpenDocument spreadsheets (.ods): a sheet is copied to a CSV file, which is then read."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TextIO

from understudy.errors import InvalidInput, TooLarge
from understudy.tables.formats.csv import scan_csv
from understudy.tables.formats.csv.dialect import read_dialect
from understudy.tables.formats.scan import GIBIBYTE, MEBIBYTE, Reading, Scan
from understudy.tables.formats.xlsx.archive import Archive, unreadable
from understudy.tables.formats.xlsx.markup import attribute, parse
from understudy.tables.formats.xlsx.workbook import Sheet, merged_warning, select_sheet, sheet_warnings

CONTENT = "content.xml"
_BYTES_MAX = 64 * GIBIBYTE
# Limits of spreadsheet programs. A single element can repeat a cell or row this many times.
_ROWS_MAX, _COLUMNS_MAX = 1_048_576, 16_384
# Size that a copied sheet may always have, and maximum ratio of a larger sheet to the size of the file.
_ALWAYS_ALLOWED_BYTES, _RATIO_MAX = 64 * MEBIBYTE, 200
_TIME = re.compile(r"(-?)P(?:(\d+)D)?T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)([.,]\d+)?S)?")
# Elements whose text is not part of the value of a cell.
_IGNORED = frozenset(
    {
        *("annotation", "tracked-changes", "shapes", "forms", "named-expressions"),
        # Drawings that are anchored to a cell. Their captions contain paragraphs.
        *("frame", "custom-shape", "g", "rect", "line", "polyline", "polygon", "regular-polygon", "path"),
        *("circle", "ellipse", "connector", "caption", "measure", "control", "page-thumbnail", "scene"),
    }
)
_NUMBERS = frozenset({"float", "percentage", "currency"})


def is_opendocument(archive: Archive) -> bool:
    """Return whether an archive contains an OpenDocument file."""
    return "mimetype" in archive and CONTENT in archive


@contextmanager
def scan_opendocument(archive: Archive, size: int, reading: Reading) -> Iterator[Scan]:
    """Open an OpenDocument spreadsheet of the given size in bytes; see `Format`."""
    kind = b"".join(archive.chunks("mimetype", bytes_max=1024)).decode("ascii", errors="replace")
    if not kind.startswith("application/vnd.oasis.opendocument.spreadsheet"):
        raise unreadable("The file is an OpenDocument file but not a spreadsheet. Save the table as .xlsx.")
    if reading.options.range is not None:
        raise InvalidInput(
            "The option `range` does not apply to OpenDocument spreadsheets. Save the file as .xlsx, or set "
            "the option `header_row`.",
            code="invalid_parameters",
        )
    listing = _Listing()
    parse(archive.chunks(CONTENT, bytes_max=_BYTES_MAX), listing)
    sheets = listing.sheets()
    if not sheets:
        raise unreadable("The spreadsheet has no sheet. Copy the table to a new file.")
    sheet = select_sheet(sheets, reading.options.sheet)
    path, layout = _copy_sheet(archive, sheets.index(sheet), size, reading)
    options = reading.options.model_copy(update={"sheet": None, "delimiter": ",", "quote": '"'})
    with scan_csv(path, replace(reading, options=options)) as scan:
        warnings = [*sheet_warnings(sheets, sheet, reading.options.sheet), *scan.warnings]
        if n := _count_merged(path, layout, replace(reading, options=options)):
            warnings.append(merged_warning(n))
        yield replace(scan, schema=scan.schema.remove_metadata(), warnings=warnings)


class _Listing:
    """A handler that lists the sheets and finds those that are hidden."""

    def __init__(self) -> None:
        self._names: list[tuple[str, str]] = []
        self._hidden: set[str] = set()
        self._style = ""
        self._depth = 0

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Handle a style or a sheet."""
        if name == "style":
            self._style = attribute(attributes, "name") or ""
        elif name == "table-properties" and attribute(attributes, "display") == "false":
            self._hidden.add(self._style)
        elif name == "table":
            if self._depth == 0:
                self._names.append(
                    (attribute(attributes, "name") or "", attribute(attributes, "style-name") or "")
                )
            self._depth += 1

    def end(self, name: str) -> None:
        """Leave a sheet."""
        self._depth -= name == "table"

    def text(self, data: str) -> None:
        """Ignore texts."""

    def sheets(self) -> list[Sheet]:
        """Return the sheets in order."""
        return [Sheet(name, "", is_hidden=style in self._hidden) for name, style in self._names]


def _copy_sheet(archive: Archive, index: int, size: int, reading: Reading) -> tuple[Path, _Layout]:
    """Write the cells of a sheet to a CSV file in which all rows have the same number of fields.

    The result also contains the properties of the sheet.
    """
    path = reading.scratch / "sheet.csv"
    limit = max(_ALWAYS_ALLOWED_BYTES, _RATIO_MAX * size)
    layout = _Layout(has_comma=reading.options.decimal == "," or reading.options.thousands == ".")
    parse(archive.chunks(CONTENT, bytes_max=_BYTES_MAX), _Cells(index, limit, layout))
    if not layout.width:
        raise InvalidInput("The sheet is empty. Set the option `sheet` to another sheet.", code="empty_file")
    with path.open("w", encoding="utf-8", newline="") as file:
        cells = _Cells(index, limit, layout, file)
        parse(archive.chunks(CONTENT, bytes_max=_BYTES_MAX), cells)
    return path, layout


def _count_merged(path: Path, layout: _Layout, reading: Reading) -> int:
    """Return the number of merged areas that extend below the header."""
    if not layout.merged:
        return 0
    try:
        header_row = read_dialect(path, reading.limits, reading.options).header_line
    except InvalidInput:
        # Only without the lines of the option `skip_rows`, the header can be found.
        header_row = 0
    return sum(row > header_row for row in layout.merged)


@dataclass
class _Layout:
    """The properties of a copied sheet.

    Attributes
    ----------
    has_comma : bool
        Whether the options specify that numbers have a decimal comma. Typed numbers always have a point.
    width : int
        Number of columns.
    timestamps : set of int
        Indices of the columns in which a date has a time other than midnight.
    merged : list of int
        Number of the last row of each merged area with a value.
    """

    has_comma: bool
    width: int = 0
    timestamps: set[int] = field(default_factory=set)
    merged: list[int] = field(default_factory=list)


class _Cells:
    """A handler that writes the rows of one sheet, padded with blank cells to the same length.

    Without a file, the handler only determines the layout.
    """

    def __init__(self, index: int, bytes_max: int, layout: _Layout, file: TextIO | None = None) -> None:
        self._layout = layout
        self._wanted = index
        self._writer = None if file is None else csv.writer(file, lineterminator="\n")
        self._bytes_left, self._bytes_max = bytes_max, bytes_max
        self._n_tables = self._n_ignored = self._depth = 0
        self._n_blank_rows = self._n_rows = 0
        self._row: list[str] = []
        self._blank_cells, self._repeats = 0, 1
        self._attributes: dict[str, str] | None = None
        self._text: io.StringIO | None = None

    @property
    def _is_active(self) -> bool:
        return self._depth == 1 and self._n_tables == self._wanted + 1 and not self._n_ignored

    def start(self, name: str, attributes: dict[str, str]) -> None:
        """Handle the start of a sheet, row, cell or paragraph."""
        if name == "table":
            self._n_tables += self._depth == 0
            self._depth += 1
        elif name in _IGNORED:
            self._n_ignored += 1
        elif not self._is_active:
            return
        elif name == "table-row":
            self._row, self._blank_cells = [], 0
            self._repeats = _count(attributes, "number-rows-repeated", _ROWS_MAX)
        elif name in ("table-cell", "covered-table-cell"):
            self._attributes, self._text = attributes, None
        elif self._attributes is not None:
            self._start_text(name, attributes)

    def _start_text(self, name: str, attributes: dict[str, str]) -> None:
        if name == "p":
            if self._text is None:
                self._text = io.StringIO()
            else:
                self._add("\n")
        elif name in ("s", "tab", "line-break"):
            mark = {"s": " ", "tab": "\t", "line-break": "\n"}[name]
            self._add(mark * (_count(attributes, "c", _COLUMNS_MAX) if name == "s" else 1))

    def text(self, data: str) -> None:
        """Add text to the paragraph of a cell."""
        if self._attributes is not None and self._is_active:
            self._add(data)

    def _add(self, data: str) -> None:
        if self._text is not None:
            # A single cell can exceed the limit, so the text is counted before the cell ends.
            self._spend(len(data))
            self._text.write(data)

    def end(self, name: str) -> None:
        """Handle the end of a sheet, row or cell."""
        if name == "table":
            self._depth -= 1
        elif name in _IGNORED:
            self._n_ignored -= 1
        elif self._is_active and name in ("table-cell", "covered-table-cell"):
            self._end_cell(is_covered=name == "covered-table-cell")
        elif self._is_active and name == "table-row":
            self._end_row()

    def _end_cell(self, *, is_covered: bool) -> None:
        attributes, self._attributes = self._attributes or {}, None
        n = _count(attributes, "number-columns-repeated", _COLUMNS_MAX)
        text = "" if self._text is None else self._text.getvalue()
        kind = _kind_of(attributes)
        value = "" if is_covered else _value_of(kind, attributes, text)
        if kind in _NUMBERS and self._layout.has_comma:
            value = value.replace(".", ",")
        if not value:
            self._blank_cells += n
            return
        # The number of blank cells is limited only if a value follows.
        column = len(self._row) + self._blank_cells
        if column + n > _COLUMNS_MAX:
            raise unreadable(f"The sheet has more than {_COLUMNS_MAX:,} columns. Save the table as CSV.")
        self._spend(n * len(value))
        self._row += [""] * self._blank_cells
        self._row += [self._date(value, column + i) for i in range(n)] if kind == "date" else [value] * n
        self._blank_cells = 0
        n_rows = _count(attributes, "number-rows-spanned", _ROWS_MAX)
        is_merged = n_rows > 1 or _count(attributes, "number-columns-spanned", _COLUMNS_MAX) > 1
        if is_merged and self._writer is None:
            self._layout.merged.append(self._n_rows + self._n_blank_rows + n_rows)

    def _date(self, value: str, column: int) -> str:
        """Return a date without a time, unless another cell of the column has a time other than midnight."""
        day, _, clock = value.partition("T")
        if clock.strip("0:."):
            self._layout.timestamps.add(column)
            return value
        return f"{day}T00:00:00" if column in self._layout.timestamps else day

    def _end_row(self) -> None:
        if not self._row:
            self._n_blank_rows += self._repeats
            return
        self._n_rows += self._n_blank_rows + self._repeats
        if self._n_rows > _ROWS_MAX:
            raise unreadable(f"The sheet has more than {_ROWS_MAX:,} rows. Save the table as CSV.")
        self._layout.width = max(self._layout.width, len(self._row))
        self._spend(self._repeats * (sum(map(len, self._row)) + self._layout.width))
        if self._writer is not None:
            padded = [*self._row, *[""] * (self._layout.width - len(self._row))]
            self._writer.writerows([[]] * self._n_blank_rows)
            self._writer.writerows([padded] * self._repeats)
        self._n_blank_rows = 0

    def _spend(self, n: int) -> None:
        self._bytes_left -= n
        if self._bytes_left < 0:
            raise TooLarge(
                f"The sheet is larger than {self._bytes_max:,} bytes, because cells or rows are repeated. "
                "Upload fewer rows, or upload the table as Parquet or CSV."
            )


def _count(attributes: dict[str, str], name: str, maximum: int) -> int:
    """Return the number of repetitions in an attribute, which is 1 by default."""
    text = attribute(attributes, name)
    if text is None:
        return 1
    if not (text.isascii() and text.isdigit()) or not 0 < int(text[:9]) <= maximum:
        raise unreadable(
            "The sheet repeats a cell or row an invalid number of times. Open the file in a spreadsheet "
            "program and save it again."
        )
    return int(text[:9])


def _kind_of(attributes: dict[str, str]) -> str:
    kinds = [value for key, value in attributes.items() if key.rpartition(":")[2] == "value-type"]
    return "error" if "error" in kinds else next(iter(kinds), "")


def _value_of(kind: str, attributes: dict[str, str], text: str) -> str:
    """Return the value of a cell as text. Error values become empty text."""
    if kind == "error":
        return ""
    if kind in _NUMBERS:
        return attribute(attributes, "value") or ""
    if kind == "date":
        return attribute(attributes, "date-value") or ""
    if kind == "boolean":
        return attribute(attributes, "boolean-value") or ""
    if kind == "time":
        return _clock(attribute(attributes, "time-value") or "")
    return attribute(attributes, "string-value") or text


def _clock(duration: str) -> str:
    """Return a duration such as `PT13H05M00S` as `13:05:00`."""
    match = _TIME.fullmatch(duration)
    if match is None:
        return duration
    days, hours, minutes, seconds = (int(match[i] or 0) for i in range(2, 6))
    fraction = (match[6] or "").replace(",", ".").rstrip("0").rstrip(".")
    return f"{match[1]}{24 * days + hours:02d}:{minutes:02d}:{seconds:02d}{fraction}"
