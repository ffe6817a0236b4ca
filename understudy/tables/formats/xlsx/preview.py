"""Read the first rows of a sheet, including rows that do not belong to the table."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from understudy.tables.formats.layout import SheetRow
from understudy.tables.formats.scan import ReadLimits
from understudy.tables.formats.xlsx.cells import SheetReader
from understudy.tables.formats.xlsx.raw_cells import RawCells
from understudy.tables.formats.xlsx.values import Texts

_ROWS_MAX = 100
_PIECE_BYTES = 16 * 1024
# Maximum size of the part of a sheet that is searched for its first rows.
_BYTES_MAX = 4 * 1024**2


class _Enough(Exception):
    """Raised when the first rows are complete."""


class PreviewReader(SheetReader):
    """A handler that collects the first rows of a sheet, with all their cells.

    Parameters
    ----------
    n_rows : int
        Number of rows to read in addition to the default number.
    """

    def __init__(self, limits: ReadLimits, shared_ends: Sequence[int], n_rows: int = 0) -> None:
        super().__init__(limits, shared_ends)
        self._n_rows = n_rows + _ROWS_MAX

    def rows(self, chunks: Iterator[bytes]) -> RawCells | None:
        """Return the first rows, or None if the sheet is empty."""
        n_bytes = 0
        try:
            for chunk in chunks:
                for start in range(0, len(chunk), _PIECE_BYTES):
                    self._parser.feed(chunk[start : start + _PIECE_BYTES])
                n_bytes += len(chunk)
                if n_bytes > _BYTES_MAX:
                    break
        except _Enough:
            pass
        raw = self._batch.cells()
        if raw.n_rows == 0:
            return None
        places = [raw.number_places, raw.shared_places, raw.text_places, raw.boolean_places]
        width = int(max((part % raw.width).max(initial=0) for part in places)) + 1
        narrow = [part // raw.width * width + part % raw.width for part in places]
        return replace(
            raw,
            width=width,
            number_places=narrow[0],
            shared_places=narrow[1],
            text_places=narrow[2],
            boolean_places=narrow[3],
        )

    def _end_row(self) -> None:
        self._is_in_row = False
        if self._is_filled:
            self._batch.row_numbers.append(self._row)
        if len(self._batch.row_numbers) >= self._n_rows:
            raise _Enough


def sheet_rows(texts: Texts) -> list[SheetRow]:
    """Return the rows with their numbers, and with one blank row for each gap between them."""
    cells = [column.to_pylist() for column in texts.columns]
    rows: list[SheetRow] = []
    last = 0
    for index, number in enumerate(np.asarray(texts.row_numbers).tolist()):
        if rows and number > last + 1:
            rows.append(SheetRow(last + 1, number - 1, [""]))
        rows.append(SheetRow(number, number, [column[index] or "" for column in cells]))
        last = number
    return rows


def last_rows(texts: Texts, n_rows: int) -> list[SheetRow]:
    """Return the last rows of a batch with their numbers."""
    start = max(0, len(texts.row_numbers) - n_rows)
    cells = [column.slice(start).to_pylist() for column in texts.columns]
    return [
        SheetRow(number, number, [column[index] or "" for column in cells])
        for index, number in enumerate(np.asarray(texts.row_numbers)[start:].tolist())
    ]
