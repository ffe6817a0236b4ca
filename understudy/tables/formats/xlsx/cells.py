"""Read the cells of a sheet as a stream, in batches of rows.

The declared dimension of the sheet is ignored. The cells determine the rows and columns.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from string import ascii_uppercase

from understudy.errors import InvalidInput, TooLarge
from understudy.tables.formats.canonical import check_columns
from understudy.tables.formats.scan import MEBIBYTE, ReadLimits
from understudy.tables.formats.xlsx.archive import unreadable
from understudy.tables.formats.xlsx.area import Area
from understudy.tables.formats.xlsx.blocks import DATA_TAG, ROW_END, cut_blocks, last_row, may_skip_parser
from understudy.tables.formats.xlsx.fast_path import Block, Place, read_block
from understudy.tables.formats.xlsx.markup import Depth, Parser, unescape
from understudy.tables.formats.xlsx.raw_cells import (
    BATCH_BYTES,
    BATCH_PLACES,
    BOOLEANS,
    COLUMNS_MAX,
    ROWS_MAX,
    CellBuffer,
    RawCells,
    column_index,
    column_letters,
)
from understudy.tables.formats.xlsx.shared_strings import text_too_long

_ROW_BYTES_MAX = 64 * MEBIBYTE
# Many cells can share a long string. Therefore, the total size of their texts is limited to a multiple of the
# sheet size. A total below the first limit is always allowed.
_ALWAYS_ALLOWED_BYTES = 128 * MEBIBYTE
_REPETITION_MAX = 100
# Memory overhead of each row in a batch, expressed as a number of cells.
_ROW_COST = 1
# Rows are children of `sheetData`, which is a child of the root element.
_DATA_DEPTH = 2


class SheetReader:
    """A handler for the XML elements of a sheet. The first row that is not empty is the header.

    Parameters
    ----------
    area : Area, optional
        Area of the table, if it is not the whole sheet.
    first_column, width : int
        Position of the header. The width is 0 until the header has been read.
    n_errors, n_uncached : Counter of int
        Number of cells with an error value, and number of cells with a formula but no stored result, by table
        column.
    n_merged : int
        Number of merged areas.
    """

    def __init__(self, limits: ReadLimits, shared_ends: Sequence[int], area: Area | None = None) -> None:
        self._area = area
        self.first_column = self.width = 0
        self.n_errors: Counter[int] = Counter()
        self.n_uncached: Counter[int] = Counter()
        self.n_merged = 0
        self._is_sheet: bool | None = None
        self._prefix, self._cell_name, self._value_name = "", "c", "v"
        self._depth = Depth()
        self._text_max = limits.cell_bytes_max
        self._limits = limits
        self._shared_ends = shared_ends
        self._n_bytes_before = 0
        self._parser = Parser(self._start, self._end, self._text)
        self._may_skip, self._is_between_rows, self._is_in_data = True, False, False
        self._ready: list[RawCells] = []
        self._batch = CellBuffer(COLUMNS_MAX)
        self._n_bytes = 0
        self._row = self._header_row = 0
        self._row_text = "0"
        self._column = -1
        self._base = 0
        self._columns: dict[str, int] = {}
        self._is_in_row = self._is_filled = False
        self._is_in_cell = self._is_collecting = False
        self._has_formula = self._has_value = False
        self._n_phonetic = 0
        self._type = self._style = ""
        self._pieces: list[str] = []
        self._n_characters = 0

    def batches(self, chunks: Iterator[bytes]) -> Iterator[tuple[RawCells, int]]:
        """Yield the header and then the rows in batches, each with the number of bytes read so far."""
        n_bytes = 0
        for block in cut_blocks(chunks, (DATA_TAG, ROW_END), ROW_END):
            n_bytes += len(block)
            self._read(block, is_first=n_bytes == len(block))
            # This limit is checked before the batches are used, because the cells of one block can refer to
            # gigabytes of text.
            self._check_repetition(n_bytes)
            for batch in self._ready:
                yield batch, n_bytes
            self._ready = []
        self._parser.close()
        if not self._is_sheet:
            raise unreadable("The selected sheet is not a worksheet. Set the option `sheet` to a worksheet.")
        if self._batch.row_numbers:
            yield self._batch.cells(), n_bytes

    def _read(self, block: bytes, *, is_first: bool) -> None:
        if self._is_between_rows and self.width:
            place = Place(self.first_column, self.width, self._row)
            if rows := read_block(block, place, self._shared_ends, self._text_max):
                self._add_block(rows)
                return
        self._parser.feed(block)
        self._may_skip = self._may_skip and may_skip_parser(block, is_first=is_first)
        self._is_between_rows = self._may_skip and self._ends_between_rows(block)

    def _ends_between_rows(self, block: bytes) -> bool:
        """Return whether the parser has handled the whole block and the next element is a row."""
        if self._is_in_row or self._depth.n != _DATA_DEPTH or not self._is_in_data or self._prefix:
            return False
        return block.endswith(DATA_TAG) or last_row(block) == self._row

    def _add_block(self, block: Block) -> None:
        if self._batch.row_numbers:
            self._next_batch()
        self._ready.append(block.cells)
        self._n_bytes_before += block.n_text_bytes
        self._row, self._row_text = block.last_row, str(block.last_row)
        self.n_errors += block.n_errors
        self.n_uncached += block.n_uncached

    def _check_repetition(self, n_bytes: int) -> None:
        if self._n_bytes_before > max(_ALWAYS_ALLOWED_BYTES, _REPETITION_MAX * n_bytes):
            raise TooLarge(
                "The cells of the sheet repeat long texts so often that the table is more than "
                f"{_REPETITION_MAX} times as large as the sheet. Upload the table as Parquet or CSV."
            )

    # The following methods are called for each element, about five times per cell. Cells and values are never
    # nested. Therefore, only the depth of other elements is counted.

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        if name == self._cell_name:
            self._start_cell(attributes)
        elif name == self._value_name:
            if self._is_collecting:
                raise self._misplaced()
            self._is_collecting = self._has_value = self._is_in_cell
        else:
            self._start_other(name.removeprefix(self._prefix), attributes)

    def _text(self, data: str) -> None:
        if self._is_collecting:
            self._pieces.append(data)
            self._n_characters += len(data)
            if self._n_characters > self._text_max:
                raise text_too_long(self._text_max)

    def _end(self, name: str) -> None:
        if name == self._cell_name:
            self._end_cell()
        elif name == self._value_name:
            self._is_collecting = False
        else:
            self._end_other(name.removeprefix(self._prefix))

    def _start_other(self, name: str, attributes: dict[str, str]) -> None:
        self._depth.down()
        if self._is_sheet is None:
            self._open_root(name)
        if name == "row":
            self._start_row(attributes)
        elif name == "t":
            if self._is_in_cell and not self._n_phonetic:
                self._is_collecting = self._has_value = True
        elif name == "f":
            self._has_formula = True
        elif name == "rPh":
            self._n_phonetic += 1
        elif name == "mergeCell":
            self.n_merged += self._is_below_header(attributes.get("ref", ""))
        elif name == "sheetData":
            self._is_in_data = True

    def _end_other(self, name: str) -> None:
        self._depth.up()
        if name == "row":
            self._end_row()
        elif name == "t":
            self._is_collecting = False
        elif name == "rPh":
            self._n_phonetic -= 1
        elif name == "sheetData":
            self._is_in_data = False

    def _is_below_header(self, reference: str) -> bool:
        """Return whether merged cells extend below the header."""
        last = _whole(reference.rpartition(":")[2].lstrip(ascii_uppercase))
        return last is None or last > self._header_row

    def _open_root(self, name: str) -> None:
        self._prefix = name[: name.find(":") + 1]
        self._cell_name, self._value_name = f"{self._prefix}c", f"{self._prefix}v"
        self._is_sheet = name == f"{self._prefix}worksheet"

    def _start_row(self, attributes: dict[str, str]) -> None:
        text = attributes.get("r")
        number = self._row + 1 if text is None else _whole(text)
        if self._is_in_row or number is None or number <= self._row:
            raise unreadable(
                f"The rows of the sheet are out of order after row {self._row:,}. Open the workbook in a "
                f"spreadsheet program and save it again."
            )
        if number > ROWS_MAX:
            raise TooLarge(
                f"The sheet has more than the maximum of {ROWS_MAX:,} rows. Save the table as CSV.",
                code="too_many_rows",
            )
        self._row, self._row_text = number, str(number)
        self._column = -1
        self._is_in_row, self._is_filled = True, False
        self._base = len(self._batch.row_numbers) * self._batch.width - self.first_column

    def _end_row(self) -> None:
        self._is_in_row = False
        if not self._is_filled:
            return
        self._batch.row_numbers.append(self._row)
        if not self.width:
            self._take_header()
            self._next_batch()
        elif (
            self._n_bytes >= BATCH_BYTES
            or len(self._batch.row_numbers) * (self.width + _ROW_COST) >= BATCH_PLACES
        ):
            self._next_batch()

    def _take_header(self) -> None:
        batch = self._batch
        columns = [place for places in batch.all_places for place in places]
        self.first_column = self._area.first_column if self._area else min(columns)
        width = self._area.width if self._area else max(columns) + 1 - self.first_column
        check_columns(width, self._limits)
        for places in batch.all_places:
            places[:] = [place - self.first_column for place in places]
        self.width = batch.width = width
        self._header_row = self._row

    @property
    def area(self) -> Area:
        """The area of the table, after the header has been read."""
        return Area(self._header_row, self.first_column, self.width)

    def _next_batch(self) -> None:
        self._ready.append(self._batch.cells())
        self._n_bytes_before += self._n_bytes
        self._batch = CellBuffer(self.width)
        self._n_bytes = 0

    def _start_cell(self, attributes: dict[str, str]) -> None:
        if self._is_in_cell or not self._is_in_row:
            raise self._misplaced()
        reference = attributes.get("r")
        column = self._column + 1
        if reference is not None:
            letters = reference.removesuffix(self._row_text)
            known = self._columns.get(letters, -1)
            is_known = known >= 0 and len(letters) < len(reference)
            column = known if is_known else self._column_of(letters, reference)
        if column <= self._column:
            raise unreadable(
                f"The cells of row {self._row:,} are out of order. Open the workbook in a "
                f"spreadsheet program and save it again."
            )
        if column >= COLUMNS_MAX:
            raise TooLarge(
                f"Row {self._row:,} has more than the maximum of {COLUMNS_MAX:,} columns. Remove columns "
                "that you do not need.",
                code="too_many_columns",
            )
        self._column = column
        self._type = attributes.get("t", "n")
        self._style = attributes.get("s", "0")
        self._pieces = []
        self._n_characters = 0
        self._is_in_cell = True
        self._has_formula = self._has_value = False

    def _column_of(self, letters: str, reference: str) -> int:
        column = column_index(letters)
        if column is None or letters == reference:
            raise unreadable(
                f"Row {self._row:,} has a cell with an invalid reference. Open the workbook in a "
                f"spreadsheet program and save it again."
            )
        self._columns[letters] = column
        return column

    def _misplaced(self) -> InvalidInput:
        return unreadable(
            f"The sheet has a misplaced cell after row {self._row:,}. Open the workbook in a "
            f"spreadsheet program and save it again."
        )

    def _end_cell(self) -> None:
        self._is_in_cell = self._is_collecting = False
        if self._area is not None and self._area.ignores(self._row, self._column):
            return
        text = "".join(self._pieces)
        type_ = self._type
        if not text and not (self._has_value and type_ in ("str", "inlineStr")):
            if self._has_formula:
                self._count(self.n_uncached)
            return
        if type_ == "e":
            self._count(self.n_errors)
            return
        self._is_filled = True
        batch = self._batch
        if type_ == "n":
            batch.number_places.append(self._place())
            batch.numbers.append(text)
            batch.styles.append(self._style)
        elif type_ == "s":
            batch.shared_places.append(self._place())
            batch.shared.append(self._shared_index(text))
        else:
            self._add_rare(type_, text)

    def _shared_index(self, text: str) -> int:
        ends = self._shared_ends
        index = _whole(text)
        if index is None or index >= len(ends) - 1:
            raise unreadable(
                f"Cell {self._where()} refers to a shared string that does not exist. Open the workbook in "
                f"a spreadsheet program and save it again."
            )
        self._count_bytes(ends[index + 1] - ends[index])
        return index

    def _count_bytes(self, n_bytes: int) -> None:
        self._n_bytes += n_bytes
        if self._n_bytes > _ROW_BYTES_MAX:
            raise TooLarge(
                f"Row {self._row:,} contains more than {_ROW_BYTES_MAX:,} bytes of text. Shorten the text."
            )

    def _add_rare(self, type_: str, text: str) -> None:
        if type_ in ("str", "inlineStr", "d"):
            self._batch.text_places.append(self._place())
            self._batch.texts.append(unescape(text))
            self._count_bytes(len(text))
        elif type_ == "b" and text in BOOLEANS:
            self._batch.boolean_places.append(self._place())
            self._batch.booleans.append(BOOLEANS[text])
        else:
            raise unreadable(
                f"The value of cell {self._where()} does not match its declared type. Open the workbook in "
                f"a spreadsheet program and save it again."
            )

    def _count(self, counter: Counter[int]) -> None:
        # Cells above the header do not belong to the table. A row below the header is a row of the table even
        # if it contains only ignored cells.
        if self.width:
            counter[self._place() - self._base - self.first_column] += 1
            self._is_filled = True

    def _where(self) -> str:
        return f"{column_letters(self._column)}{self._row}"

    def _place(self) -> int:
        column = self._column - self.first_column
        if self.width and not 0 <= column < self.width:
            raise InvalidInput(
                f"Cell {self._where()} has a value, but its column has no name in the header (the first row "
                "that is not empty). Name the column, remove the cell, or set the option `range` to the "
                "cells of the table.",
                code="ragged_rows",
            )
        return self._base + self._column


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 10 else None
