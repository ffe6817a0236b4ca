"""Write workbooks with one sheet. Each cell has an Excel type that represents its value exactly.

Texts have the text type, so Excel never interprets them as formulas.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.errors import InvalidInput, TooLarge
from understudy.progress import Progress, no_progress
from understudy.tables.formats.base import WriteLimits
from understudy.tables.formats.canonical import atomic_path
from understudy.tables.formats.xlsx.cell_markup import CHARACTERS_MAX, MISSING_ROW, cell_markup, check_lengths
from understudy.tables.formats.xlsx.packaging import PARTS, SHEET_PART
from understudy.tables.formats.xlsx.raw_cells import COLUMNS_MAX, ROWS_MAX, column_letters

LIMITS = WriteLimits(rows_max=ROWS_MAX - 1, columns_max=COLUMNS_MAX, characters_max=CHARACTERS_MAX)
# A larger sheet would require a zip extension that some programs do not support.
_SHEET_BYTES_MAX = 2**31 - 1
_LEVEL = 4
_SLICE_CELLS = 65_536
_BLOCK_BYTES = 65_536
_START = (
    b'<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
)
_END = b"</sheetData></worksheet>"
_REMEDY = "Use Parquet or CSV."


def write_xlsx(
    path: Path,
    batches: Iterable[pa.RecordBatch],
    schema: pa.Schema,
    *,
    progress: Progress = no_progress,
    rows_total: int | None = None,
) -> int:
    """Write batches to a file with a deterministic encoding, and return the number of rows.

    The file appears at its path only when it is complete. Memory use does not grow with the number of rows.

    Raises
    ------
    TooLarge
        If the table exceeds a limit of Excel. The code is too_many_rows, too_many_columns, or too_large (for
        a text or a sheet).
    """
    if path.suffix.lower() == ".xlsm":
        raise InvalidInput(
            "Workbooks with macros cannot be written. Use the suffix .xlsx.", code="unknown_format"
        )
    LIMITS.check(rows_total or 0, len(schema))
    n_rows = 0
    with atomic_path(path) as part, _zip(part) as archive:
        for name, content in PARTS.items():
            with archive.open(name, "w") as file:
                file.write(content.encode())
        with archive.open(SHEET_PART, "w") as file:
            sheet = _Blocks(file)
            sheet.write(_START)
            sheet.write(_header(schema))
            for batch in batches:
                LIMITS.check(n_rows + batch.num_rows, len(schema))
                for rows in _rows(batch, n_rows + 2):
                    sheet.write(rows)
                n_rows += batch.num_rows
                fraction = n_rows / rows_total if rows_total else 0.0
                progress("writing", fraction, rows_done=n_rows, rows_total=rows_total)
            sheet.write(_END)
            sheet.flush()
    return n_rows


def _zip(path: Path) -> zipfile.ZipFile:
    # Entries that are opened by name get a fixed date in 1980, so the bytes do not depend on the current
    # time.
    return zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=_LEVEL)


class _Blocks:
    """A writer of equally sized blocks. The compressed bytes therefore do not depend on the batch size."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self._held = bytearray()
        self._n_bytes = 0

    def write(self, data: bytes | memoryview) -> None:
        """Add data, and write all complete blocks."""
        self._n_bytes += len(data)
        if self._n_bytes > _SHEET_BYTES_MAX:
            raise TooLarge(f"The table is too large for a workbook. {_REMEDY}")
        self._held += data
        whole = len(self._held) - len(self._held) % _BLOCK_BYTES
        for start in range(0, whole, _BLOCK_BYTES):
            self._file.write(bytes(self._held[start : start + _BLOCK_BYTES]))
        del self._held[:whole]

    def flush(self) -> None:
        """Write the remaining data."""
        self._file.write(bytes(self._held))
        self._held.clear()


def _header(schema: pa.Schema) -> bytes:
    names = pa.array(schema.names, pa.string())
    cells = zip(range(len(names)), cell_markup(names).to_pylist(), strict=True)
    return f'<row r="1">{"".join(_reference(j, "1") + markup for j, markup in cells)}</row>'.encode()


def _reference(column: int, row: str) -> str:
    return f'<c r="{column_letters(column)}{row}"'


def _rows(batch: pa.RecordBatch, first_row: int) -> Iterator[memoryview]:
    """Yield the rows of a batch in slices."""
    n_rows = max(1, _SLICE_CELLS // max(1, batch.num_columns))
    for start in range(0, batch.num_rows, n_rows):
        yield _row_markup(batch.slice(start, n_rows), first_row + start)


def _row_markup(batch: pa.RecordBatch, first_row: int) -> memoryview:
    numbers = pa.array(np.arange(first_row, first_row + batch.num_rows)).cast(pa.string())
    cells = []
    is_missing = np.ones(batch.num_rows, np.bool_)
    for name, column in zip(batch.schema.names, batch.columns, strict=True):
        check_lengths(name, column)
        cells.append(cell_markup(column))
        is_missing &= cells[-1].is_null().to_numpy(zero_copy_only=False)
    if is_missing.any():
        # Without this cell, the row would be skipped when the file is read.
        cells[0] = pc.if_else(pa.array(is_missing), pa.scalar(MISSING_ROW), cells[0])
    whole = [
        pc.binary_join_element_wise(f'<c r="{column_letters(index)}', numbers, '"', markup, "")
        for index, markup in enumerate(cells)
    ]
    rows: Any = pc.binary_join_element_wise(
        '<row r="', numbers, '">', *whole, "</row>", "", null_handling="replace", null_replacement=""
    )
    return _data_of(rows)


def _data_of(texts: Any) -> memoryview:
    """Return the concatenated bytes of the texts."""
    _, offsets, data = texts.buffers()
    ends = np.frombuffer(offsets, np.int32)
    return memoryview(data)[ends[texts.offset] : ends[texts.offset + len(texts)]]
