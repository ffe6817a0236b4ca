"""Find and parse JSON columns."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from understudy.synthesizers.json_cells.screening import are_structured, may_be_json
from understudy.synthesizers.json_cells.styles import N_TEXTS, Style, detect_style, read_json, read_python
from understudy.transformers.base import ArrowColumn

# Minimum share of strings that are valid JSON.
_VALID_SHARE_MIN = 0.95


class Absent:
    """The type of the value that marks an absent key."""


ABSENT_VALUE = Absent()


@dataclass(frozen=True)
class ParsedColumn:
    """The parsed values of a column, one for each row. Missing and invalid strings have an absent value."""

    values: list[Any]
    style: Style
    n_invalid: int


def parse_column(column: ArrowColumn) -> ParsedColumn | None:
    """Return the values of a column of JSON objects or arrays, or None for other columns."""
    if not may_be_json(column) or not are_structured(column.drop_null(), _VALID_SHARE_MIN):
        return None
    for is_python in (False, True):
        parsed = _parse(column, is_python=is_python)
        if parsed is not None:
            return parsed
    return None


def parse_texts(column: ArrowColumn, style: Style) -> list[Any]:
    """Return the value of each string. Missing and invalid strings have an absent value."""
    read = read_python if style.is_python else read_json
    encoded: Any = column.combine_chunks().dictionary_encode()
    values = [_read(read, text) for text in encoded.dictionary.to_pylist()]
    return [ABSENT_VALUE if index is None else values[index] for index in encoded.indices.to_pylist()]


def _parse(column: ArrowColumn, *, is_python: bool) -> ParsedColumn | None:
    values = parse_texts(column, Style(is_python=is_python))
    is_valid = [value is not ABSENT_VALUE for value in values]
    n_invalid = len(column) - column.null_count - sum(is_valid)
    if n_invalid > (1 - _VALID_SHARE_MIN) * (len(column) - column.null_count):
        return None
    texts: Any = column.combine_chunks().filter(pa.array(is_valid))
    style = detect_style(texts.slice(0, N_TEXTS).to_pylist(), is_python=is_python)
    return ParsedColumn(values, style, n_invalid)


def _read(read: Any, text: str) -> Any:
    try:
        value = read(text)
    except (ValueError, RecursionError):
        return ABSENT_VALUE
    return value if isinstance(value, dict | list) else ABSENT_VALUE
