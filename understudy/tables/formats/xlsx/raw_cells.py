"""The unparsed content of the cells in a batch of rows, with the positions of the cells."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa

ROWS_MAX = 1_048_576
COLUMNS_MAX = 16_384
# Maximum number of cells in a batch. A cell occupies about 100 bytes of memory while it is read.
BATCH_PLACES = 65_536
BATCH_BYTES = 4 * 1024**2
BOOLEANS = {"0": "false", "1": "true", "false": "false", "true": "true"}
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"

Whole = npt.NDArray[np.int64]


@dataclass(frozen=True)
class RawCells:
    """A batch of rows with the unparsed content of its cells.

    The place of a cell is ``row * width + column``. Rows are counted from the start of the batch.

    Parameters
    ----------
    row_numbers : array of int
        Number of each row in the sheet.
    numbers, styles, texts, booleans : array of string
        Content at each place: unparsed numbers, indices of their styles, texts, and `true` or `false`.
    shared : array of int
        Index of the shared string at each place. All indices are valid.
    """

    width: int
    row_numbers: Whole
    number_places: Whole
    numbers: pa.Array[Any]
    styles: pa.Array[Any]
    shared_places: Whole
    shared: Whole
    text_places: Whole
    texts: pa.Array[Any]
    boolean_places: Whole
    booleans: pa.Array[Any]

    @property
    def n_rows(self) -> int:
        """The number of rows in the batch."""
        return len(self.row_numbers)


def select_rows(raw: RawCells, is_kept: npt.NDArray[np.bool_]) -> RawCells:
    """Return the given rows of a batch."""
    if is_kept.all():
        return raw
    new_rows = np.cumsum(is_kept) - 1

    def choose(places: Whole) -> tuple[Whole, npt.NDArray[np.bool_]]:
        rows, columns = np.divmod(places, raw.width)
        chosen = is_kept[rows]
        return new_rows[rows[chosen]] * raw.width + columns[chosen], chosen

    number_places, is_number = choose(raw.number_places)
    shared_places, is_shared = choose(raw.shared_places)
    text_places, is_text = choose(raw.text_places)
    boolean_places, is_boolean = choose(raw.boolean_places)
    return RawCells(
        raw.width,
        raw.row_numbers[is_kept],
        number_places,
        raw.numbers.filter(pa.array(is_number)),
        raw.styles.filter(pa.array(is_number)),
        shared_places,
        raw.shared[is_shared],
        text_places,
        raw.texts.filter(pa.array(is_text)),
        boolean_places,
        raw.booleans.filter(pa.array(is_boolean)),
    )


@dataclass
class CellBuffer:
    """A buffer for cells that are read individually; see `RawCells`."""

    width: int
    row_numbers: list[int] = field(default_factory=list)
    number_places: list[int] = field(default_factory=list)
    numbers: list[str] = field(default_factory=list)
    styles: list[str] = field(default_factory=list)
    shared_places: list[int] = field(default_factory=list)
    shared: list[int] = field(default_factory=list)
    text_places: list[int] = field(default_factory=list)
    texts: list[str] = field(default_factory=list)
    boolean_places: list[int] = field(default_factory=list)
    booleans: list[str] = field(default_factory=list)

    @property
    def all_places(self) -> tuple[list[int], ...]:
        """The lists of positions, one for each kind of content."""
        return self.number_places, self.shared_places, self.text_places, self.boolean_places

    def cells(self) -> RawCells:
        """Return the cells as arrays."""
        return RawCells(
            self.width,
            _whole(self.row_numbers),
            _whole(self.number_places),
            pa.array(self.numbers, pa.string()),
            pa.array(self.styles, pa.string()),
            _whole(self.shared_places),
            _whole(self.shared),
            _whole(self.text_places),
            pa.array(self.texts, pa.string()),
            _whole(self.boolean_places),
            pa.array(self.booleans, pa.string()),
        )


def _whole(numbers: list[int]) -> Whole:
    return np.array(numbers, np.int64)


def column_letters(index: int) -> str:
    """Return the letters of the column with the given index, which is 0 for A."""
    letters = ""
    index += 1
    while index > 0:
        index, rest = divmod(index - 1, 26)
        letters = _LETTERS[rest] + letters
    return letters


def column_index(letters: str) -> int | None:
    """Return the index of a column, or None if the letters are not a valid column."""
    if not 0 < len(letters) <= 5 or not set(letters) <= set(_LETTERS):
        return None
    index = 0
    for letter in letters:
        index = 26 * index + _LETTERS.index(letter) + 1
    return index - 1
