"""Convert cells to the texts that a CSV file would contain, and determine the kind of each value.

All values are converted to text, because even the last row of a column may contain another kind of value.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables.formats.xlsx.archive import unreadable
from understudy.tables.formats.xlsx.dates import Kinds, Placed, Whole, date_texts
from understudy.tables.formats.xlsx.raw_cells import RawCells, column_letters
from understudy.tables.formats.xlsx.shared_strings import SharedStrings
from understudy.tables.formats.xlsx.styles import Kind

_NUMBER = r"\A[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?\z"
# Above this limit, a float cannot represent every whole number.
_EXACT_MAX = 2.0**53


@dataclass(frozen=True)
class Texts:
    """Rows as text columns, with null for empty cells.

    Parameters
    ----------
    places : mapping of Kind to array of int
        Positions of the values of each kind; see `RawCells`.
    impossible : array of int
        Positions of numbers that have a date format but represent a date that does not exist.
    row_numbers : array of int
        Number of each row in the sheet.
    """

    columns: list[pa.Array[Any]]
    places: dict[Kind, Whole]
    impossible: Whole
    row_numbers: Whole


class CellReader:
    """A converter from unparsed cells to text.

    Parameters
    ----------
    styles : array of int
        Kind of value for each cell style.
    """

    def __init__(self, styles: Kinds, shared: SharedStrings, *, is_1904: bool, first_column: int) -> None:
        self._styles = styles
        self._shared = shared
        self._is_1904 = is_1904
        self._first_column = first_column

    def texts(self, raw: RawCells) -> Texts:
        """Convert a batch of rows."""
        numbers = self._numbers(raw)
        kinds = self._kinds(raw)
        placed, kinds = date_texts(numbers, kinds, is_1904=self._is_1904)
        plain = np.flatnonzero(kinds == Kind.number)
        is_shown = np.zeros(len(numbers), np.bool_)
        values: list[Placed] = []
        for where, texts in [(plain, number_texts(numbers[plain])), *placed]:
            values.append((raw.number_places[where], texts))
            is_shown[where] = True
        values += [
            (raw.shared_places, self._shared.take(raw.shared)),
            (raw.text_places, raw.texts),
            (raw.boolean_places, raw.booleans),
        ]
        places = {kind: raw.number_places[is_shown & (kinds == kind)] for kind in list(Kind)[:5]}
        text_places = np.sort(np.concatenate([raw.shared_places, raw.text_places]))
        places |= {Kind.boolean: raw.boolean_places, Kind.text: text_places}
        return Texts(
            _columns(values, raw.width, raw.n_rows),
            places,
            raw.number_places[~is_shown],
            raw.row_numbers,
        )

    def _numbers(self, raw: RawCells) -> npt.NDArray[np.float64]:
        texts: Any = raw.numbers
        is_number = pc.match_substring_regex(texts, _NUMBER)
        if pc.all(is_number).as_py() is False:
            where = self._where(raw, is_number.index(False).as_py())
            raise unreadable(
                f"Cell {where} is declared as a number but does not contain one. Open the workbook in a "
                f"spreadsheet program and save it again."
            )
        return texts.cast(pa.float64()).to_numpy(zero_copy_only=False)  # type: ignore[no-any-return]

    def _kinds(self, raw: RawCells) -> Kinds:
        # Most cells in a batch use only a few styles.
        encoded: Any = raw.styles.dictionary_encode()
        indices = np.array([self._style(text) for text in encoded.dictionary.to_pylist()], np.int64)
        styles = indices[encoded.indices.to_numpy()] if len(indices) else np.zeros(0, np.int64)
        is_known = styles < len(self._styles)
        if not is_known.all():
            where = self._where(raw, int(np.argmin(is_known)))
            raise unreadable(
                f"Cell {where} has a style that does not exist. Open the workbook in a "
                f"spreadsheet program and save it again."
            )
        kinds: Kinds = self._styles[styles]
        return kinds

    def _style(self, text: str) -> int:
        is_number = text.isascii() and text.isdecimal() and len(text) < 9
        return int(text) if is_number else len(self._styles)

    def _where(self, raw: RawCells, index: int) -> str:
        row, column = divmod(raw.number_places[index], raw.width)
        return f"{column_letters(column + self._first_column)}{raw.row_numbers[row]}"


def number_texts(numbers: npt.NDArray[np.float64]) -> pa.Array[Any]:
    """Return the shortest text that represents the same number, without a decimal point for whole numbers."""
    is_whole = (np.abs(numbers) < _EXACT_MAX) & (np.floor(numbers) == numbers)
    if is_whole.all():
        return pa.array(numbers.astype(np.int64)).cast(pa.string())
    shown: Any = pa.array(numbers).cast(pa.string())
    # Large numbers are written with a decimal point, so that they are not read as exact whole numbers.
    is_bare = pc.and_(pc.invert(pc.match_substring_regex(shown, r"[.ein]")), pa.array(~is_whole))
    if pc.any(is_bare).as_py():
        shown = pc.if_else(is_bare, pc.binary_join_element_wise(shown, ".0", ""), shown)
    whole = pa.array(np.where(is_whole, numbers, 0).astype(np.int64)).cast(pa.string())
    texts: pa.Array[Any] = pc.if_else(pa.array(is_whole), whole, shown)
    return texts


def _columns(values: list[Placed], width: int, n_rows: int) -> list[pa.Array[Any]]:
    flat: Any = pa.concat_arrays([texts for _, texts in values])
    indices = np.full(width * n_rows, -1, np.int64)
    indices[np.concatenate([where for where, _ in values])] = np.arange(len(flat))
    table = indices.reshape(n_rows, width)
    return [flat.take(pa.array(column, mask=column < 0)) for column in np.ascontiguousarray(table.T)]
