"""Excel workbooks. One sheet is read as a stream. Written workbooks have one sheet without formulas.

`archive` unpacks the parts, and `workbook` selects the sheet. `fast_path` reads cells in the usual form,
while `cells` and `markup` read all other cells with an XML parser. `values` and `dates` interpret the cells,
and `columns` detects types.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from understudy.errors import InvalidInput
from understudy.parameters.read_options import ReadOptions, cell_range
from understudy.tables.formats.base import Format
from understudy.tables.formats.canonical import batch_rows, check_rows, row_groups
from understudy.tables.formats.csv.column_types import ColumnType, trimmed_values
from understudy.tables.formats.csv.messages import describe, schema_of
from understudy.tables.formats.csv.resolution import clues_of, resolve
from understudy.tables.formats.layout import SheetRow, blank_warnings, renaming_warnings, unique_names
from understudy.tables.formats.layout.sums import find_sum_row
from understudy.tables.formats.scan import GIBIBYTE, MEBIBYTE, Reading, Scan
from understudy.tables.formats.xlsx.archive import Archive, open_archive
from understudy.tables.formats.xlsx.cells import SheetReader
from understudy.tables.formats.xlsx.columns import ColumnCounts, cast_texts
from understudy.tables.formats.xlsx.dates import Kinds
from understudy.tables.formats.xlsx.opendocument import is_opendocument, scan_opendocument
from understudy.tables.formats.xlsx.other_rows import Body, OtherRows, check_beside, describe_body
from understudy.tables.formats.xlsx.preview import PreviewReader, last_rows, sheet_rows
from understudy.tables.formats.xlsx.raw_cells import RawCells, select_rows
from understudy.tables.formats.xlsx.shared_strings import SharedStrings, read_shared_strings
from understudy.tables.formats.xlsx.styles import read_styles
from understudy.tables.formats.xlsx.tables import SheetTable, find_notes, find_table
from understudy.tables.formats.xlsx.values import CellReader, Texts
from understudy.tables.formats.xlsx.workbook import Workbook, merged_warning, read_workbook
from understudy.tables.formats.xlsx.writing import LIMITS, write_xlsx
from understudy.tables.inference import check_names
from understudy.tables.notations.parsing import AnyNotation

_SHEET_BYTES_MAX = 64 * GIBIBYTE
# A whole row group is in memory when it is written and when it is read.
_GROUP_VALUES_MAX = 500_000
_GROUP_BYTES_MAX = 16 * MEBIBYTE
# Number of rows at the end of a sheet that are examined for notes below the table.
_TAIL_ROWS = 30


@contextmanager
def scan_xlsx(path: Path, reading: Reading) -> Iterator[Scan]:
    """Open a workbook; see `Format`."""
    reading.progress("checking", 0.0)
    with open_archive(path) as archive:
        if is_opendocument(archive):
            with scan_opendocument(archive, path.stat().st_size, reading) as scan:
                yield scan
            return
        workbook = read_workbook(archive, reading.options.sheet)
        sheet = _stage_table(archive, workbook, reading)
    if sheet.counts.n_rows == 0:
        raise InvalidInput("The sheet has a header but no rows. Add at least one row.", code="no_rows")
    yield _typed(sheet, workbook, reading.options)


@dataclass(frozen=True)
class _Staged:
    """The rows of a sheet, staged in a file of text columns, with the column names and value counts.

    The column names may differ from `cell_names`, which contains the original names in the sheet.
    """

    path: Path
    names: list[str]
    counts: ColumnCounts
    reader: SheetReader
    table: SheetTable | None
    tail: list[SheetRow]
    other_rows: OtherRows
    cell_names: list[str]


@dataclass(frozen=True)
class _Parts:
    """The parts of a workbook other than its sheets."""

    workbook: Workbook
    shared: SharedStrings
    styles: Kinds

    def cell_reader(self, first_column: int) -> CellReader:
        """Return a reader for the cells of a table that begins in the given column."""
        is_1904 = self.workbook.is_1904
        return CellReader(self.styles, self.shared, is_1904=is_1904, first_column=first_column)


def _stage_table(archive: Archive, workbook: Workbook, reading: Reading) -> _Staged:
    """Find the table in the sheet and stage its rows. If notes follow the rows, stage the table again."""
    shared = read_shared_strings(archive, workbook.strings_part, reading)
    parts = _Parts(workbook, shared, read_styles(archive, workbook.styles_part))
    options = reading.options
    if options.header_row == 0:
        raise InvalidInput(
            "The option `header_row` cannot be 0 for a workbook. Insert a row with the column names.",
            code="invalid_parameters",
        )
    preview = PreviewReader(reading.limits, shared.ends, options.header_row or _first_row(options))
    first_rows = preview.rows(archive.chunks(workbook.sheet_part, bytes_max=_SHEET_BYTES_MAX))
    rows = [] if first_rows is None else sheet_rows(parts.cell_reader(0).texts(first_rows))
    table = find_table(rows, options) if rows else None
    sheet = _stage(archive, parts, reading, table, rows)
    notes = find_notes(sheet.tail, len(sheet.names))
    notes = _with_sum_row(sheet, notes)
    table = table or SheetTable(sheet.reader.area, sheet.cell_names, frozenset())
    kept = table.without_notes(*notes) if notes else table
    kept = kept.without_rows(sheet.other_rows.headers, sheet.other_rows.totals)
    sheet.other_rows.check(kept.last_row)
    if kept is not table:
        sheet = _stage(archive, parts, reading, kept, rows)
    if kept.unnamed and not options.range:
        check_beside(kept.unnamed, sheet.other_rows.last_rows.tolist(), kept.area.first_column)
    return sheet


def _with_sum_row(sheet: _Staged, notes: tuple[int, int] | None) -> tuple[int, int] | None:
    """Return the first and last rows of the notes, including a row of sums above them."""
    rows = [row for row in sheet.tail if notes is None or row.first < notes[0]]
    sum_row = find_sum_row([row.cells for row in rows])
    if sum_row is None:
        return notes
    n_above = sheet.counts.n_rows - len(sheet.tail) + len(rows) - 1
    if not sum_row.is_confirmed(_first_texts(sheet.path, sum_row.columns, n_above)):
        return notes
    return rows[-1].first, notes[1] if notes else rows[-1].last


def _first_texts(path: Path, columns: Sequence[int], n_rows: int) -> Iterator[list[pa.Array[Any]]]:
    """Yield batches of the texts in some columns, down to the given number of rows."""
    with pq.ParquetFile(path) as file:
        for index in range(file.num_row_groups):
            texts = file.read_row_group(index, columns=[f"c{n}" for n in columns], use_threads=False)
            kept = texts.slice(0, n_rows).combine_chunks()
            n_rows -= kept.num_rows
            yield [kept.column(f"c{n}").combine_chunks() for n in columns]


def _first_row(options: ReadOptions) -> int:
    return cell_range(options.range).first_row if options.range else 0


def _stage(
    archive: Archive,
    parts: _Parts,
    reading: Reading,
    table: SheetTable | None,
    first_rows: Sequence[SheetRow],
) -> _Staged:
    workbook = parts.workbook
    sheet = SheetReader(reading.limits, parts.shared.ends, table.area if table else None)
    chunks = archive.chunks(workbook.sheet_part, bytes_max=_SHEET_BYTES_MAX)
    batches = sheet.batches(chunks)
    header = next(batches, None)
    if header is None:
        raise InvalidInput("The sheet is empty. Set the option `sheet` to another sheet.", code="empty_file")
    cells = parts.cell_reader(sheet.first_column)
    cell_names = (
        table.names if table else [column[0].as_py() or "" for column in cells.texts(header[0]).columns]
    )
    names = unique_names(cell_names) if all(map(str.strip, cell_names)) else cell_names
    check_names(names)
    other_rows = OtherRows(
        *_body(first_rows, cell_names, sheet), has_unnamed=table is not None and len(table.unnamed) > 0
    )
    rows = _Rows(batches, cells, table, other_rows)
    counts = ColumnCounts(len(names))
    schema = pa.schema([pa.field(f"c{index}", pa.string()) for index in range(len(names))])
    path = reading.scratch / "staged.parquet"
    size = archive.declared_bytes(workbook.sheet_part)
    with pq.ParquetWriter(path, schema, compression="snappy", write_statistics=False) as writer:
        for group in row_groups(
            _texts(rows, counts, reading, size),
            schema,
            rows_max=batch_rows(len(names), _GROUP_VALUES_MAX),
            bytes_max=_GROUP_BYTES_MAX,
        ):
            writer.write_table(group)
    return _Staged(path, names, counts, sheet, table, rows.tail, other_rows, cell_names)


def _body(first_rows: Sequence[SheetRow], names: Sequence[str], sheet: SheetReader) -> tuple[Body, int]:
    """Return a description of the first rows of the table, and the number of the header row."""
    first, width = sheet.first_column, len(names)
    header_row = sheet.area.first_row if sheet.area else 0
    below = [
        ([*row.cells, *[""] * (first + width)])[first : first + width]
        for row in first_rows
        if row.first > header_row
    ]
    return describe_body(below, names), header_row


class _Rows:
    """An iterator over rows as text, with the number of bytes read so far. It also stores the last rows."""

    def __init__(
        self,
        batches: Iterator[tuple[RawCells, int]],
        cells: CellReader,
        table: SheetTable | None,
        other_rows: OtherRows,
    ) -> None:
        self.tail: list[SheetRow] = []
        self._batches = batches
        self._cells = cells
        self._table = table
        self._other_rows = other_rows

    def __iter__(self) -> Iterator[tuple[Texts, int]]:
        for raw, n_bytes in self._batches:
            kept = select_rows(raw, self._table.contains(raw.row_numbers)) if self._table else raw
            if kept.n_rows:
                texts = self._cells.texts(kept)
                self._other_rows.add(texts)
                self.tail = [*self.tail, *last_rows(texts, _TAIL_ROWS)][-_TAIL_ROWS:]
                yield texts, n_bytes


def _texts(rows: _Rows, counts: ColumnCounts, reading: Reading, size: int) -> Iterator[pa.RecordBatch]:
    for texts, n_bytes in rows:
        check_rows(counts.n_rows + len(texts.row_numbers), reading.limits)
        counts.add(texts)
        yield pa.record_batch(texts.columns, names=[f"c{index}" for index in range(len(texts.columns))])
        reading.progress("parsing", min(1.0, n_bytes / size), rows_done=counts.n_rows)


def _typed(sheet: _Staged, workbook: Workbook, options: ReadOptions) -> Scan:
    unnamed = sheet.table.unnamed if sheet.table else frozenset()
    columns = [
        column
        for column in range(len(sheet.names))
        if column not in unnamed or sheet.counts.n_values[:, column].sum() > 0
    ]
    named = {column: (sheet.names[column], _type_of(sheet, column, options)) for column in columns}
    schema = schema_of(list(named.values()))
    notations = {column: type_.notation for column, (_, type_) in named.items()}
    return Scan(
        schema,
        sheet.counts.n_rows,
        _batches(sheet.path, schema, notations),
        notes={name: note for name, type_ in named.values() if (note := describe(name, type_).note)},
        warnings=[
            *workbook.warnings,
            *(sheet.table.warnings if sheet.table else ()),
            *renaming_warnings(sheet.cell_names, sheet.names),
            *blank_warnings(sheet.names, unnamed, columns, 0),
            *_warnings(sheet, named),
        ],
    )


def _type_of(sheet: _Staged, column: int, options: ReadOptions) -> ColumnType:
    """Return the type of a column. Plain numbers in text cells are read as numbers, as in CSV files."""
    name = sheet.names[column]
    if sheet.counts.has_long_numeral(column):
        return sheet.counts.decide(column)
    texts = partial(_trimmed, sheet.path, column)
    return resolve(sheet.counts.decide(column), texts, clues_of(name, options), name)


def _trimmed(path: Path, column: int) -> Iterator[pa.Array[Any]]:
    with pq.ParquetFile(path) as file:
        for index in range(file.num_row_groups):
            texts = file.read_row_group(index, columns=[f"c{column}"], use_threads=False)
            yield from trimmed_values(texts.column(0).chunks, ("",))


def _batches(
    path: Path, schema: pa.Schema, notations: Mapping[int, AnyNotation | None]
) -> Iterator[pa.RecordBatch]:
    """Yield all rows, but only the columns that have an entry in `notations`."""
    with pq.ParquetFile(path) as file:
        for index in range(file.num_row_groups):
            texts = file.read_row_group(index, use_threads=False).combine_chunks()
            for batch in texts.to_batches():
                typed = [
                    cast_texts(batch.column(column), type_, notation)
                    for (column, notation), type_ in zip(notations.items(), schema.types, strict=True)
                ]
                yield pa.record_batch(typed, schema=schema)


def _warnings(sheet: _Staged, named: Mapping[int, tuple[str, ColumnType]]) -> Iterator[str]:
    for column, (name, type_) in named.items():
        yield from describe(name, type_).warnings
        for n, one, many in (
            (
                sheet.reader.n_errors[column],
                "error value (such as #N/A) was",
                "error values (such as #N/A) were",
            ),
            (
                sheet.reader.n_uncached[column],
                "formula without a stored result was",
                "formulas without a stored result were",
            ),
            (sheet.counts.n_impossible[column], "nonexistent date was", "nonexistent dates were"),
        ):
            if n > 0:
                yield (
                    f"Column {name!r}: 1 {one} replaced with a missing value."
                    if n == 1
                    else f"Column {name!r}: {n:,} {many} replaced with missing values."
                )
    if n := sheet.reader.n_merged:
        yield merged_warning(n)


XLSX = Format(
    name="xlsx",
    summary="Excel workbooks (.xlsx, or .xlsm without its macros), and OpenDocument spreadsheets (.ods), "
    "which can only be read; the first visible sheet or a named sheet",
    suffixes=(".xlsx", ".xlsm", ".ods"),
    media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    scan=scan_xlsx,
    write=write_xlsx,
    options=frozenset(
        (
            *("sheet", "range", "header_row", "skip_rows", "join_headers"),
            *("decimal", "thousands", "date_order", "coerce"),
        )
    ),
    write_limits=LIMITS,
)
