"""Lines of JSON, one after the other, with all that can be wrong with one, and where."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import Any, NoReturn

import pyarrow as pa

from understudy.errors import InvalidInput
from understudy.tables.formats.canonical import check_columns
from understudy.tables.formats.jsonl.columns import STAGED_TYPES, Column, Holds
from understudy.tables.formats.jsonl.lines import Block
from understudy.tables.formats.scan import ReadLimits

# A float holds any number of so many digits, and gives back the shortest.
_FLOAT_DIGITS = 17
_INT64 = range(-(2**63), 2**63)
_NESTED_REMEDY = "Leave it out, or give each of its values a key of its own."

# What JSON's values are, as they are parsed.
Value = object


class Numeral(str):
    """A number, as it was written, that neither an integer of 64 bits nor a float holds to the digit."""

    __slots__ = ()


class _Object(list[tuple[str, Value]]):
    """The keys and values of an object, in order, whether they are unique or not."""

    __slots__ = ()


class _Constant(Exception):
    """NaN or Infinity, which JSON does not know."""


def parse_strictly(
    block: Block, columns: dict[str, Column], limits: ReadLimits
) -> list[tuple[Column, pa.Array[Any]]]:
    """Return the values of a block by columns, to which new ones are added.

    Raises
    ------
    InvalidInput
        unreadable_file, unsupported_column, invalid_header, wrong_encoding, too_many_columns; with the line.
    """
    lines: list[int] = []
    values: dict[str, list[Value]] = {name: [] for name in columns}
    for line, pairs in _objects(block):
        for key, value in pairs:
            if key not in values:
                _check_key(key, line)
                check_columns(len(values) + 1, limits)
                values[key] = []
            _put(values[key], len(lines), value, key, line)
        lines.append(line)
    if lines and not values:
        # Rows without columns cannot be put aside.
        raise InvalidInput(
            f"Lines {lines[0]:,} to {lines[-1]:,} hold objects without any key. Leave them out.",
            code="no_columns",
        )
    staged = []
    for name, column in values.items():
        column.extend([None] * (len(lines) - len(column)))
        known = columns.setdefault(name, Column(name))
        staged.append((known, _array(known, column, lines)))
    return staged


def _put(column: list[Value], row: int, value: Value, key: str, line: int) -> None:
    if len(column) > row:
        raise _unreadable(f"Line {line:,} has the key {key!r} twice. Give each value a key of its own.")
    column.extend([None] * (row - len(column)))
    column.append(value)


def _check_key(key: str, line: int) -> None:
    if not key.strip() or len(key) > 255:
        fault = "an empty key" if len(key) <= 255 else "a key of more than 255 characters"
        raise InvalidInput(
            f"Line {line:,} has {fault}. Name every value, in at most 255 characters.", code="invalid_header"
        )
    if not _is_encodable(key):
        raise _lone_surrogate(line)


def _objects(block: Block) -> Iterator[tuple[int, _Object]]:
    for line, data in enumerate(block.data.split(b"\n"), start=block.first_line):
        text = data.decode().strip(" \t\r")
        if text:
            yield line, _object(text, line)


def _object(text: str, line: int) -> _Object:
    try:
        found = _DECODER.decode(text)
    except _Constant:
        raise _unreadable(
            f"Line {line:,} holds NaN or Infinity, which JSON does not know. Write null for what is missing."
        ) from None
    except json.JSONDecodeError as error:
        # Without its cause: the decoder's error carries the line.
        raise _unreadable(
            f"Line {line:,} is not JSON from character {error.colno:,} on. "
            "Write one whole object in each line."
        ) from None
    except RecursionError:
        raise _nested(f"A value in line {line:,}") from None
    if not isinstance(found, _Object):
        raise _unreadable(f"Line {line:,} is not a JSON object. Write one object in each line.")
    return found


def _array(column: Column, values: list[Value], lines: list[int]) -> pa.Array[Any]:
    """Return values in the type that holds all that the column has had."""
    kinds = {_kind(value_type) for value_type in set(map(type, values))}
    if None in kinds:
        row = next(row for row, value in enumerate(values) if isinstance(value, list))
        raise _nested(f"Column {column.name!r}, line {lines[row]:,},")
    met = {kind for kind in kinds if kind} - {Holds.nothing}
    if Holds.integers in met:
        column.integer_max = max(
            column.integer_max, max(abs(value) for value in values if type(value) is int)
        )
    first = {kind: _first(values, kind, lines) for kind in met}
    column.meet(dict(sorted(first.items(), key=lambda item: item[1])))
    try:
        return _typed(values, column.holds)
    except UnicodeEncodeError:
        row = next(row for row, value in enumerate(values) if not _is_encodable(value))
        raise _lone_surrogate(lines[row]) from None


def _kind(value_type: type) -> Holds | None:
    """Return what values of a type of Python's are; None if they are nested."""
    return _KINDS.get(value_type)


def _first(values: list[Value], kind: Holds, lines: list[int]) -> int:
    return next(line for value, line in zip(values, lines, strict=True) if _kind(type(value)) is kind)


_KINDS: dict[type, Holds] = {
    type(None): Holds.nothing,
    int: Holds.integers,
    float: Holds.floats,
    Numeral: Holds.numerals,
    bool: Holds.booleans,
    str: Holds.texts,
}


def _typed(values: list[Any], holds: Holds) -> pa.Array[Any]:
    if holds is Holds.floats:
        values = [None if value is None else float(value) for value in values]
    if holds in (Holds.numerals, Holds.mixed):
        values = [None if value is None else _text(value) for value in values]
    return pa.array(values, STAGED_TYPES[holds])


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
    object_pairs_hook=_Object, parse_int=_integer, parse_float=_float, parse_constant=_constant
)


def _nested(what: str) -> InvalidInput:
    return InvalidInput(
        f"{what} holds an array or an object, which cannot be synthesized. {_NESTED_REMEDY}",
        code="unsupported_column",
    )


def _lone_surrogate(line: int) -> InvalidInput:
    return InvalidInput(
        f"Line {line:,} holds half of a surrogate pair (\\ud800 to \\udfff), which is no character. "
        "Write both halves, or the character itself.",
        code="wrong_encoding",
    )


def _unreadable(detail: str) -> InvalidInput:
    return InvalidInput(detail, code="unreadable_file")
