"""Excel workbooks: one sheet is read as a stream, and one sheet is written, without formulas.

`archive` unpacks the parts, and `workbook` selects the sheet. `fast_path` reads cells in their usual form,
and `cells` and `markup` read all others with an XML parser. `values` and `dates` interpret the cells, and
`columns` detects types.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from understudy.errors import InvalidInput
from understudy.tables.formats.base import Format
from understudy.tables.formats.canonical import batch_rows, check_rows, row_groups
from understudy.tables.formats.csv.column_types import ColumnType
from understudy.tables.formats.scan import GIBIBYTE, MEBIBYTE, Reading, Scan
from understudy.tables.formats.xlsx.archive import Archive, open_archive
from understudy.tables.formats.xlsx.cells import SheetReader
from understudy.tables.formats.xlsx.columns import ColumnCounts, cast_texts
from understudy.tables.formats.xlsx.raw_cells import RawCells
from understudy.tables.formats.xlsx.shared_strings import read_shared_strings
from understudy.tables.formats.xlsx.styles import read_styles
from understudy.tables.formats.xlsx.values import CellReader
from understudy.tables.formats.xlsx.workbook import Workbook, read_workbook
from understudy.tables.formats.xlsx.writing import LIMITS, write_xlsx
from understudy.tables.inference import check_names

_SHEET_BYTES_MAX = 64 * GIBIBYTE
# A whole row group is in memory when it is written and when it is read.
_GROUP_VALUES_MAX = 500_000
_GROUP_BYTES_MAX = 16 * MEBIBYTE


@contextmanager
def scan_xlsx(path: Path, reading: Reading) -> Iterator[Scan]:
    """Open a workbook; see `Format`."""
    reading.progress("checking", 0.0)
    with open_archive(path) as archive:
        workbook = read_workbook(archive, reading.options.sheet)
        sheet = _stage(archive, workbook, reading)
    if sheet.counts.n_rows == 0:
        raise InvalidInput("The sheet has a header but no rows. Add at least one row.", code="no_rows")
    yield _typed(sheet, workbook)


@dataclass(frozen=True)
class _Staged:
    """The rows of a sheet in a file of text columns, with the column names and the counts of values."""

    path: Path
    names: list[str]
    counts: ColumnCounts
    reader: SheetReader


def _stage(archive: Archive, workbook: Workbook, reading: Reading) -> _Staged:
    shared = read_shared_strings(archive, workbook.strings_part, reading)
    styles = read_styles(archive, workbook.styles_part)
    sheet = SheetReader(reading.limits, shared.ends)
    chunks = archive.chunks(workbook.sheet_part, bytes_max=_SHEET_BYTES_MAX)
    batches = sheet.batches(chunks)
    header = next(batches, None)
    if header is None:
        raise InvalidInput("The sheet is empty. Set the option `sheet` to another sheet.", code="empty_file")
    cells = CellReader(styles, shared, is_1904=workbook.is_1904, first_column=sheet.first_column)
    names = [column[0].as_py() or "" for column in cells.texts(header[0]).columns]
    check_names(names)
    counts = ColumnCounts(len(names))
    schema = pa.schema([pa.field(f"c{index}", pa.string()) for index in range(len(names))])
    path = reading.scratch / "staged.parquet"
    size = archive.declared_bytes(workbook.sheet_part)
    with pq.ParquetWriter(path, schema, compression="snappy", write_statistics=False) as writer:
        for group in row_groups(
            _texts(batches, cells, counts, reading, size),
            schema,
            rows_max=batch_rows(len(names), _GROUP_VALUES_MAX),
            bytes_max=_GROUP_BYTES_MAX,
        ):
            writer.write_table(group)
    return _Staged(path, names, counts, sheet)


def _texts(
    batches: Iterator[tuple[RawCells, int]],
    cells: CellReader,
    counts: ColumnCounts,
    reading: Reading,
    size: int,
) -> Iterator[pa.RecordBatch]:
    for raw, n_bytes in batches:
        texts = cells.texts(raw)
        check_rows(counts.n_rows + raw.n_rows, reading.limits)
        counts.add(texts)
        yield pa.record_batch(texts.columns, names=[f"c{index}" for index in range(raw.width)])
        reading.progress("parsing", min(1.0, n_bytes / size), rows_done=counts.n_rows)


def _typed(sheet: _Staged, workbook: Workbook) -> Scan:
    types = [sheet.counts.decide(column) for column in range(len(sheet.names))]
    named = list(zip(sheet.names, types, strict=True))
    schema = pa.schema([pa.field(name, t.arrow_type, nullable=not t.is_complete) for name, t in named])
    return Scan(
        schema,
        sheet.counts.n_rows,
        _batches(sheet.path, schema),
        notes={name: type_.note for name, type_ in named if type_.note},
        warnings=[*workbook.warnings, *_warnings(sheet, named)],
    )


def _batches(path: Path, schema: pa.Schema) -> Iterator[pa.RecordBatch]:
    with pq.ParquetFile(path) as file:
        for index in range(file.num_row_groups):
            texts = file.read_row_group(index, use_threads=False).combine_chunks()
            for batch in texts.to_batches():
                columns = zip(batch.columns, schema.types, strict=True)
                yield pa.record_batch([cast_texts(*column) for column in columns], schema=schema)


def _warnings(sheet: _Staged, named: list[tuple[str, ColumnType]]) -> Iterator[str]:
    for column, (name, type_) in enumerate(named):
        if type_.is_doubtful:
            yield f"Column {name!r} is text: {type_.note}."
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
        yield (
            f"The sheet has {n:,} merged area{'s' if n > 1 else ''}. Only the first cell of each area has a "
            "value, and the other cells are missing values."
        )


XLSX = Format(
    name="xlsx",
    summary="Excel workbooks (.xlsx, or .xlsm without its macros); the first visible sheet or a named sheet",
    suffixes=(".xlsx", ".xlsm"),
    media_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    scan=scan_xlsx,
    write=write_xlsx,
    options=frozenset({"sheet"}),
    write_limits=LIMITS,
)
