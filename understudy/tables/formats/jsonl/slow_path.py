"""Parse JSON line by line. Error messages contain the number of the line."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn

import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.parameters.base import COLUMN_NAME_LENGTH_MAX
from understudy.tables.formats.canonical import check_columns
from understudy.tables.formats.jsonl.columns import STAGED_TYPES, Column, ValueKind
from understudy.tables.formats.jsonl.flattening import JsonObject, JsonText, Keys, Numeral, TooDeep, flatten
from understudy.tables.formats.jsonl.lines import Block
from understudy.tables.formats.scan import ReadLimits

# Maximum number of digits in a number that is stored as a float.
_FLOAT_DIGITS = 17
_INT64 = range(-(2**63), 2**63)
_NESTED_REMEDY = "Remove it, or give each of its values a separate key."

# A parsed JSON value.
Value = object


class _Constant(Exception):
    """Raised if a value is NaN or Infinity, which are not valid JSON."""


def parse_strictly(
    block: Block, columns: dict[str, Column], limits: ReadLimits, *, flattens: bool = True
) -> list[tuple[Column, pa.Array[Any]]]:
    """Return the values of a block by column, and add new keys to the columns.

    Parameters
    ----------
    flattens : bool
        Whether to split nested objects into columns. Otherwise, a nested object is an error.

    Raises
    ------
    InvalidInput
        If a line cannot be stored. The code is unreadable_file, unsupported_column, invalid_header,
        wrong_encoding or too_many_columns. The message contains the line.
    """
    lines: list[int] = []
    values: dict[str, list[Value]] = {name: [] for name in columns}
    for line, pairs in _objects(block):
        for keys, value in _flat(pairs, line) if flattens else _plain(pairs):
            key = ".".join(keys)
            if key not in values:
                _check_key(key, line)
                check_columns(len(values) + 1, limits)
                values[key] = []
                columns[key] = Column(key, keys)
            elif columns[key].keys != keys:
                raise _unreadable(
                    f"Line {line:,} contains the key {key!r}, which is also the name of a nested value. "
                    "Rename one of them."
                )
            _put(values[key], len(lines), value, key, line)
        lines.append(line)
    if lines and not values:
        # Rows without columns cannot be staged.
        raise InvalidInput(
            f"The objects on lines {lines[0]:,} to {lines[-1]:,} have no keys. Remove these lines.",
            code="no_columns",
        )
    staged = []
    for name, column in values.items():
        column.extend([None] * (len(lines) - len(column)))
        known = columns[name]
        staged.append((known, _array(known, column, lines)))
    return staged


def _plain(pairs: JsonObject) -> Iterator[tuple[Keys, Value]]:
    return (((key,), value) for key, value in pairs)


def _flat(pairs: JsonObject, line: int) -> list[tuple[Keys, Value]]:
    try:
        return list(flatten(pairs))
    except (TooDeep, RecursionError):
        raise _nested(f"A value on line {line:,}") from None


def _put(column: list[Value], row: int, value: Value, key: str, line: int) -> None:
    if len(column) > row:
        raise _unreadable(f"Line {line:,} contains the key {key!r} twice. Give each value a different key.")
    column.extend([None] * (row - len(column)))
    column.append(value)


def _check_key(key: str, line: int) -> None:
    length_max = COLUMN_NAME_LENGTH_MAX
    if not key.strip() or len(key) > length_max:
        fault = "an empty key" if len(key) <= length_max else f"a key of more than {length_max:,} characters"
        raise InvalidInput(
            f"Line {line:,} contains {fault}. Give every value a key of 1 to {length_max:,} characters.",
            code="invalid_header",
        )
    if not _is_encodable(key):
        raise _lone_surrogate(line)


def _objects(block: Block) -> Iterator[tuple[int, JsonObject]]:
    for line, data in enumerate(block.data.split(b"\n"), start=block.first_line):
        text = data.decode().strip(" \t\r")
        if text:
            yield line, _object(text, line)


def _object(text: str, line: int) -> JsonObject:
    try:
        decoded = _DECODER.decode(text)
    except _Constant:
        raise _unreadable(
            f"Line {line:,} contains NaN or Infinity, which are not valid JSON. Write null for missing "
            "values."
        ) from None
    except json.JSONDecodeError as error:
        # The cause is suppressed because the decoder's error contains the line.
        raise _unreadable(
            f"Line {line:,} is not valid JSON (character {error.colno:,}). "
            "Write one complete object per line."
        ) from None
    except RecursionError:
        raise _nested(f"A value on line {line:,}") from None
    if not isinstance(decoded, JsonObject):
        raise _unreadable(f"Line {line:,} is not a JSON object. Write one object per line.")
    return decoded


def _array(column: Column, values: list[Value], lines: list[int]) -> pa.Array[Any]:
    """Return an array of values, in a type that can represent all values of the column so far."""
    types = set(map(type, values))
    if JsonText in types or column.has_json:
        _check_arrays(column, values, types, lines)
    kinds = {_kind(value_type) for value_type in types}
    if None in kinds:
        row = next(row for row, value in enumerate(values) if isinstance(value, list))
        raise _nested(f"Column {column.name!r} (line {lines[row]:,})")
    kinds_present = {kind for kind in kinds if kind} - {ValueKind.nothing}
    if ValueKind.integers in kinds_present:
        column.integer_max = max(
            column.integer_max, max(abs(value) for value in values if type(value) is int)
        )
    first = {kind: _first(values, kind, lines) for kind in kinds_present}
    column.add_kinds(dict(sorted(first.items(), key=lambda item: item[1])))
    try:
        return _typed(values, column.kind)
    except UnicodeEncodeError:
        row = next(row for row, value in enumerate(values) if not _is_encodable(value))
        raise _lone_surrogate(lines[row]) from None


def _check_arrays(column: Column, values: list[Value], types: set[type], lines: list[int]) -> None:
    """Check that a column does not mix arrays with other values, because both would be stored as text."""
    others = types - {JsonText, type(None)}
    if others or not (column.has_json or column.kind is ValueKind.nothing):
        row = next(row for row, value in enumerate(values) if _is_odd(value, has_json=column.has_json))
        raise _nested(f"Column {column.name!r} (line {lines[row]:,})")
    column.has_json = True


def _is_odd(value: Value, *, has_json: bool) -> bool:
    """Return whether a value is an array or object among scalars, or a scalar among arrays or objects."""
    return value is not None and isinstance(value, JsonText) != has_json


def _kind(value_type: type) -> ValueKind | None:
    """Return the kind of value for a Python type, or None for an array or object."""
    return _KINDS.get(value_type)


def _first(values: list[Value], kind: ValueKind, lines: list[int]) -> int:
    return next(line for value, line in zip(values, lines, strict=True) if _kind(type(value)) is kind)


_KINDS: dict[type, ValueKind] = {
    type(None): ValueKind.nothing,
    int: ValueKind.integers,
    float: ValueKind.floats,
    Numeral: ValueKind.numerals,
    bool: ValueKind.booleans,
    str: ValueKind.texts,
    JsonText: ValueKind.texts,
}


def _typed(values: list[Any], kind: ValueKind) -> pa.Array[Any]:
    if kind is ValueKind.floats:
        values = [None if value is None else float(value) for value in values]
    if kind in (ValueKind.numerals, ValueKind.mixed):
        values = [None if value is None else _text(value) for value in values]
    return pa.array(values, STAGED_TYPES[kind])


def _text(value: Value) -> str:
    return str(value) if not isinstance(value, bool) else "true" if value else "false"


def _is_encodable(value: Value) -> bool:
    try:
        return not isinstance(value, str) or value.encode() is not None
    except UnicodeEncodeError:
        return False


def _integer(text: str) -> int | Numeral:
    if len(text) < 19:
        return int(text)
    return int(text) if len(text) <= 20 and int(text) in _INT64 else Numeral(text)


def _float(text: str) -> float | Numeral:
    number = float(text)
    if (len(text) > _FLOAT_DIGITS and _n_digits(text) > _FLOAT_DIGITS) or math.isinf(number):
        return Numeral(text)
    return number


def _n_digits(text: str) -> int:
    digits = text.lower().split("e")[0]
    if "." in digits:
        digits = digits.rstrip("0").replace(".", "")
    return len(digits.lstrip("-0"))


def _constant(_: str) -> NoReturn:
    raise _Constant


_DECODER = json.JSONDecoder(
    object_pairs_hook=JsonObject, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


def _nested(what: str) -> InvalidInput:
    return InvalidInput(
        f"{what} contains an array or an object, which is not supported. {_NESTED_REMEDY}",
        code="unsupported_column",
    )


def _lone_surrogate(line: int) -> InvalidInput:
    return InvalidInput(
        f"Line {line:,} contains half of a surrogate pair (\\ud800 to \\udfff), which is not a character. "
        "Write both halves, or the character itself.",
        code="wrong_encoding",
    )


def _unreadable(detail: str) -> InvalidInput:
    return InvalidInput(detail, code="unreadable_file")
