"""Read rows quickly with regular expressions, if the rows have the form that most spreadsheet programs write.

If any byte of a block does not match this form, the XML parser reads the whole block. Therefore, values and
errors are the same as with the parser, which takes several times as long.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from string import ascii_uppercase, digits
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute

from understudy.tables.formats.xlsx.markup import unescape
from understudy.tables.formats.xlsx.raw_cells import (
    BATCH_BYTES,
    BATCH_PLACES,
    BOOLEANS,
    COLUMNS_MAX,
    ROWS_MAX,
    RawCells,
    Whole,
    column_index,
)

# The type is `Any` because the type stubs of these functions do not support types that are known only at run
# time.
pc: Any = pyarrow.compute
Mask = npt.NDArray[np.bool_]
ArrowArray: TypeAlias = "pa.Array[Any]"

# Text that an XML parser does not change, because it contains no control characters or carriage returns.
_TEXT = r"(?:[^<>&\x00-\x08\x0b-\x1f\x{fffe}\x{ffff}]|&(?:lt|gt|quot|apos|amp);)*"
_FORMULA = (
    r'<f(?: t="[A-Za-z]*")?(?: aca="[a-z0-9]*")?(?: ref="[A-Z0-9:]*")?(?: ca="[a-z0-9]*")?(?: si="[0-9]*")?'
    rf"(?: ?/>|>{_TEXT}</f>)"
)
_CELL = (
    r'\A"(?P<reference>[A-Z]{1,3}[1-9][0-9]{0,6})"(?P<attributes>(?: [a-z]+="[A-Za-z0-9]*")*)'
    rf"(?: ?/>|>(?P<formula>(?:{_FORMULA})?)(?P<value>(?:<v ?/>|<v>{_TEXT}</v>)?)"
    rf'(?P<inline>(?:<is><t(?: xml:space="preserve")?>{_TEXT}</t></is>)?)</c>)'
    r"(?P<tail>(?:</row>(?s:.*))?)\z"
)
_CELL_START = "<c r="
_SHARED_TEXT = rf'\A(?:<t ?/>|<t(?: xml:space="preserve")?>(?P<text>{_TEXT})</t>)</si>\z'
_TEXT_START = "<si>"
_CELL_ATTRIBUTE = re.compile(r' ([a-z]+)="([A-Za-z0-9]*)"')
# Attributes that do not affect the value: metadata indices, and whether to show phonetic text.
_IGNORED_ATTRIBUTES = {"cm", "vm", "ph"}
_ROW_END = "</row>"
_ROW_TAG = re.compile(r'<row r="([1-9][0-9]{0,6})"((?: [A-Za-z][A-Za-z0-9:]*="[A-Za-z0-9:. -]*")*)( ?/)?>')
_ROW_ATTRIBUTE = re.compile(r' ([A-Za-z0-9:]+)="')
_INLINE_MARKUP = r"\A<is><t[^<>]*>|</t></is>\z"
# `&amp;` is replaced last because `&amp;lt;` represents the text `&lt;`.
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}
_TYPES = ("n", "s", "b", "e", "d", "str", "inlineStr")
_TEXT_TYPES = ("str", "inlineStr")


class _UnusualForm(Exception):
    """Raised if the block does not have the usual form."""


@dataclass(frozen=True)
class Place:
    """The position of the table, and the last row of the sheet that has been read."""

    first_column: int
    width: int
    last_row: int


@dataclass(frozen=True)
class Block:
    """The nonempty rows of a block.

    Parameters
    ----------
    n_text_bytes : int
        Size of all texts. A shared string counts once for every cell that refers to it.
    n_errors, n_uncached : Counter of int
        Counts by column; see `SheetReader`.
    """

    cells: RawCells
    last_row: int
    n_text_bytes: int
    n_errors: Counter[int]
    n_uncached: Counter[int]


def read_block(block: bytes, place: Place, shared_ends: Sequence[int], text_max: int) -> Block | None:
    """Return the rows of a block that starts with a row, or None if the parser has to read the block.

    Parameters
    ----------
    shared_ends : sequence of int
        End positions of the shared strings; see `SharedStrings`.
    text_max : int
        Maximum length of a text in a cell, in characters.
    """
    try:
        return _read(block, place, np.asarray(shared_ends, np.int64), text_max)
    except (_UnusualForm, UnicodeDecodeError):
        return None


def _read(block: bytes, place: Place, shared_ends: Whole, text_max: int) -> Block:
    pieces: Any = pc.split_pattern(pa.array([block.decode()]), _CELL_START).values
    _require(len(pieces) > 1)
    groups: Any = pc.extract_regex(pieces[1:], _CELL)
    _require(groups.null_count == 0)
    rows, cell_rows = _rows(pieces[0].as_py(), groups.field("tail"), place.last_row)
    columns = _columns(groups.field("reference"), rows[cell_rows])
    _require(bool((np.diff(cell_rows * COLUMNS_MAX + columns) > 0).all()))
    columns -= place.first_column
    cells = _Cells(groups, text_max)
    is_outside = (columns < 0) | (columns >= place.width)
    _require(not (cells.is_present & is_outside).any())
    kept_rows, new_rows = np.unique(cell_rows[cells.is_present], return_inverse=True)
    _require(len(kept_rows) * (place.width + 1) <= 2 * BATCH_PLACES)
    places = np.zeros(len(cell_rows), np.int64)
    places[cells.is_present] = new_rows * place.width + columns[cells.is_present]
    raw, n_text_bytes = cells.raw(places, rows[kept_rows], place.width, shared_ends)
    _require(n_text_bytes <= BATCH_BYTES)
    return Block(
        raw,
        int(rows[-1]),
        n_text_bytes,
        Counter(columns[cells.is_error].tolist()),
        Counter(columns[cells.is_uncached].tolist()),
    )


def _require(condition: bool) -> None:
    if not condition:
        raise _UnusualForm


def _rows(start: str, tails: ArrowArray, last: int) -> tuple[Whole, Whole]:
    """Return the row numbers (rows with cells, then the last row of the block), and each cell's row index."""
    values: Any = tails
    ends = np.flatnonzero(pc.not_equal(values, "").to_numpy(zero_copy_only=False))
    _require(len(ends) > 0 and int(ends[-1]) == len(tails) - 1)
    rows: list[int] = []
    last, is_open = _follow_rows(start, last, is_open=False)
    for tail in values.take(pa.array(ends)).to_pylist():
        _require(is_open)
        rows.append(last)
        last, is_open = _follow_rows(tail, last, is_open=True)
    _require(not is_open and last <= ROWS_MAX)
    # The last entry is the number of the last row of the block, which may have no cells.
    return np.array([*rows, last], np.int64), np.repeat(np.arange(len(ends)), np.diff(ends, prepend=-1))


def _follow_rows(text: str, last: int, *, is_open: bool) -> tuple[int, bool]:
    """Return the number of the last row that starts in a string of tags, and whether the row is open."""
    position = 0
    while position < len(text):
        if is_open:
            _require(text.startswith(_ROW_END, position))
            position, is_open = position + len(_ROW_END), False
            continue
        tag = _ROW_TAG.match(text, position)
        if tag is None or int(tag[1]) <= last or not _differ(tag[2]):
            raise _UnusualForm
        position, last, is_open = tag.end(), int(tag[1]), not tag[3]
    return last, is_open


@lru_cache(maxsize=1024)
def _differ(attributes: str) -> bool:
    """Return whether the attributes of a row have distinct names."""
    names = ["r", *_ROW_ATTRIBUTE.findall(attributes)]
    return len(set(names)) == len(names)


def _columns(references: ArrowArray, rows: Whole) -> Whole:
    """Return the column of each cell, after checking that the cell reference contains the correct row."""
    numbers = pc.ascii_ltrim(references, ascii_uppercase).cast(pa.int64()).to_numpy()
    _require(bool((numbers == rows).all()))
    letters = pc.ascii_rtrim(references, digits).dictionary_encode()
    indices = [column_index(text) for text in letters.dictionary.to_pylist()]
    _require(all(index is not None and index < COLUMNS_MAX for index in indices))
    columns: Whole = np.array(indices, np.int64)[letters.indices.to_numpy()]
    return columns


class _Cells:
    """The cells of a block.

    Parameters
    ----------
    groups : StructArray
        Groups that the pattern `_CELL` captures.

    Attributes
    ----------
    is_present, is_error, is_uncached : array of bool
        Masks of the cells that are present, that contain an error value, and that contain a formula without
        a stored result.
    """

    def __init__(self, groups: Any, text_max: int) -> None:
        value, inline = groups.field("value"), groups.field("inline")
        self._value, self._inline = value, inline
        self._text_max = text_max
        for texts in (value, inline):
            _require((pc.max(pc.utf8_length(texts)).as_py() or 0) <= text_max)
        types, self._styles = _attributes(groups.field("attributes"))
        has_value, has_inline = _is_filled(value), _is_filled(inline)
        is_text = np.isin(types, [_TYPES.index(name) for name in _TEXT_TYPES])
        _require(not (has_inline & (has_value | (types != _TYPES.index("inlineStr")))).any())
        has_characters = pc.greater(pc.binary_length(value), len("<v></v>")).to_numpy(zero_copy_only=False)
        is_filled = has_characters | (is_text & has_value) | has_inline
        self.is_error = is_filled & (types == _TYPES.index("e"))
        self.is_uncached = ~is_filled & _is_filled(groups.field("formula"))
        self.is_present = is_filled | self.is_uncached
        self._types = np.where(is_filled, types, -1)

    def _where(self, *types: str) -> Whole:
        return np.flatnonzero(np.isin(self._types, [_TYPES.index(name) for name in types]))

    def _texts(self, where: Whole) -> Any:
        return pc.utf8_slice_codeunits(self._value.take(pa.array(where)), len("<v>"), -len("</v>"))

    def raw(self, places: Whole, rows: Whole, width: int, shared_ends: Whole) -> tuple[RawCells, int]:
        """Return the cells at their positions, and the size of their texts in bytes."""
        number, shared, boolean = self._where("n"), self._where("s"), self._where("b")
        indices = self._shared(shared, len(shared_ends) - 1)
        text, texts = self._plain_texts()
        n_bytes = int((shared_ends[indices + 1] - shared_ends[indices]).sum())
        n_bytes += pc.sum(pc.utf8_length(texts)).as_py() or 0
        raw = RawCells(
            width,
            rows,
            places[number],
            _unescaped(self._texts(number)),
            self._styles.take(pa.array(number)),
            places[shared],
            indices,
            places[text],
            texts,
            places[boolean],
            self._booleans(boolean),
        )
        return raw, n_bytes

    def _shared(self, where: Whole, n_texts: int) -> Whole:
        texts = self._texts(where)
        _require(pc.all(pc.match_substring_regex(texts, r"\A[0-9]{1,9}\z")).as_py() is not False)
        indices: Whole = texts.cast(pa.int64()).to_numpy(zero_copy_only=False)
        _require(bool((indices < n_texts).all()))
        return indices

    def _plain_texts(self) -> tuple[Whole, ArrowArray]:
        where = self._where("d", "str", "inlineStr")
        inline = pc.replace_substring_regex(self._inline.take(pa.array(where)), _INLINE_MARKUP, "")
        has_inline = pc.not_equal(self._inline.take(pa.array(where)), "")
        return where, _with_characters(_unescaped(pc.if_else(has_inline, inline, self._texts(where))))

    def _booleans(self, where: Whole) -> ArrowArray:
        known = pa.array(list(BOOLEANS))
        index = pc.index_in(self._texts(where), known)
        _require(index.null_count == 0)
        booleans: ArrowArray = pa.array(list(BOOLEANS.values())).take(index)
        return booleans


def _is_filled(texts: Any) -> Mask:
    is_filled: Mask = pc.not_equal(texts, "").to_numpy(zero_copy_only=False)
    return is_filled


def _attributes(attributes: Any) -> tuple[Whole, Any]:
    """Return the type of each cell, as an index into `_TYPES`, and its style."""
    encoded = attributes.dictionary_encode()
    pairs_by_text = [_CELL_ATTRIBUTE.findall(text) for text in encoded.dictionary.to_pylist()]
    by_name = [dict(pairs) for pairs in pairs_by_text]
    for pairs, values in zip(pairs_by_text, by_name, strict=True):
        _require(len(pairs) == len(values) and set(values) <= _IGNORED_ATTRIBUTES | {"s", "t"})
        _require(values.get("t", "n") in _TYPES)
    types = np.array([_TYPES.index(values.get("t", "n")) for values in by_name], np.int64)
    styles: Any = pa.array([values.get("s", "0") for values in by_name], pa.string())
    return types[encoded.indices.to_numpy()], styles.take(encoded.indices)


def read_texts(block: bytes, bytes_max: int) -> ArrowArray | None:
    """Return the shared strings of a block, or None if the parser is required."""
    try:
        pieces: Any = pc.split_pattern(pa.array([block.decode()]), _TEXT_START).values
        groups: Any = pc.extract_regex(pieces[1:], _SHARED_TEXT)
        _require(pieces[0].as_py() == "" and len(groups) > 0 and groups.null_count == 0)
        texts: ArrowArray = _with_characters(_unescaped(groups.field("text")))
        _require(pc.max(pc.binary_length(texts)).as_py() <= bytes_max)
        return texts
    except (_UnusualForm, UnicodeDecodeError):
        return None


def _unescaped(texts: Any) -> Any:
    """Replace XML entities with their characters."""
    if pc.any(pc.match_substring(texts, "&")).as_py():
        for entity, character in _ENTITIES.items():
            texts = pc.replace_substring(texts, entity, character)
    return texts


def _with_characters(texts: Any) -> Any:
    """Replace escapes of the form `_xHHHH_` with their characters."""
    has_escape = pc.match_substring_regex(texts, "_x[0-9A-Fa-f]{4}_")
    if not pc.any(has_escape).as_py():
        return texts
    changed = [unescape(text) for text in texts.filter(has_escape).to_pylist()]
    return pc.replace_with_mask(texts, has_escape, pa.array(changed, pa.string()))
