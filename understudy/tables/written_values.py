"""Read the values of conditions, which a caller writes in the notation of the column or in plain form."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, time
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables import notations
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.casting import typed_value
from understudy.tables.notation import BooleanNotation, DateNotation, NumberNotation, tokens
from understudy.tables.schema import Column

# A date with a day that cannot be mistaken for the month.
_EXAMPLE = datetime.fromisoformat("2024-12-31T23:59:00")
_NUMBER, _WHOLE = 1234.5, 12
_TRUTHS = {"true": True, "false": False}
_DAY_SECONDS = 86_400


def read_value(column: Column, value: bool | int | float | str, *, is_upper: bool = False) -> pa.Array[Any]:
    """Return an array of the column's type that contains only this value.

    Text is read in the notation of the column first, then in plain form: an RFC 3339 date, or a number with
    a decimal point.

    Parameters
    ----------
    is_upper : bool
        Whether the value is an upper bound. A day without a time of day then includes the whole day.

    Raises
    ------
    ValueError
        If the value does not fit the type. The message does not contain the value.
    """
    type_ = parse_arrow_type(column.arrow_type)
    if not isinstance(value, str) or pa.types.is_string(type_) or pa.types.is_large_string(type_):
        return typed_value(value, type_)
    text = value.strip()
    for notation in _notations(column, type_):
        parsed = _parse(text, notation, type_)
        if parsed is not None:
            return parsed
    if is_day(column, text):
        return _day(column, text, type_, is_upper=is_upper)
    if pa.types.is_boolean(type_):
        if text.lower() not in _TRUTHS:
            raise ValueError(f"a value does not fit {type_}")
        return pa.array([_TRUTHS[text.lower()]])
    return typed_value(text, type_)


def is_day(column: Column, text: str) -> bool:
    """Return whether a column contains timestamps and a text is a date without a time of day."""
    type_ = parse_arrow_type(column.arrow_type)
    return pa.types.is_timestamp(type_) and _date(column, text.strip()) is not None


def write_example(column: Column) -> str:
    """Return an example value in the notation of the column. It is not a value of the table."""
    type_ = parse_arrow_type(column.arrow_type)
    notation = column.notation
    if notation is not None and notations.is_applicable(notation, type_):
        if isinstance(notation, BooleanNotation):
            return f"{notation.true} or {notation.false}"
        return str(notations.write(_example(type_), notation)[0].as_py())
    if pa.types.is_boolean(type_):
        return "true or false"
    if pa.types.is_time(type_):
        return _EXAMPLE.time().isoformat()
    if pa.types.is_timestamp(type_):
        return _EXAMPLE.isoformat() + ("" if type_.tz is None else "Z")
    return str(_example(type_)[0].as_py())


def _example(type_: pa.DataType) -> pa.Array[Any]:
    if pa.types.is_date(type_):
        return pa.array([_EXAMPLE.date()], type_)
    if pa.types.is_timestamp(type_):
        return pa.array([_EXAMPLE]).cast(pa.timestamp(type_.unit)).cast(type_)
    if pa.types.is_time(type_):
        return pa.array([time(23, 59)], type_)
    if pa.types.is_decimal(type_):
        return pa.array(["12" if type_.precision - type_.scale > 1 else "0"]).cast(type_)
    return pa.array([_NUMBER if pa.types.is_floating(type_) else _WHOLE]).cast(type_)


def _notations(column: Column, type_: pa.DataType) -> Iterator[notations.AnyNotation]:
    """Yield the notation of the column, and less strict forms of it."""
    notation = column.notation
    if notation is None or not notations.is_applicable(notation, type_):
        return
    yield notation
    if isinstance(notation, NumberNotation) and (notation.prefix or notation.suffix):
        yield notation.model_copy(update={"suffix": f" {notation.suffix.strip()}" if notation.suffix else ""})
        yield notation.model_copy(update={"prefix": "", "suffix": ""})
    if isinstance(notation, DateNotation):
        yield _unpadded(notation)


def _unpadded(notation: DateNotation) -> DateNotation:
    """Return a notation that accepts days and months with one digit."""
    pattern = notation.pattern
    for directive in ("d", "m", "H", "I"):
        pattern = pattern.replace(f"%{directive}", f"%-{directive}")
    parts = [text for directive, text in tokens(pattern) if not directive]
    # Without separators, the number of digits determines where the day ends.
    return notation.model_copy(update={"pattern": pattern}) if parts else notation


def _parse(text: str, notation: notations.AnyNotation, type_: pa.DataType) -> pa.Array[Any] | None:
    plain = notation.model_copy(update={"missing": ()})
    if isinstance(notation, BooleanNotation):
        words = {notation.true.lower(): True, notation.false.lower(): False}
        return pa.array([words[text.lower()]], type_) if text.lower() in words else None
    try:
        parsed = notations.parse(pa.array([text]), plain, type_)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    return None if parsed.null_count else parsed


def _date(column: Column, text: str) -> pa.Array[Any] | None:
    """Return a date, written in the date part of the column's notation or in the RFC 3339 format."""
    notation = column.notation
    if isinstance(notation, DateNotation) and (pattern := _date_part(notation)):
        own = notation.model_copy(update={"pattern": pattern})
        for form in (own, _unpadded(own)):
            parsed = _parse(text, form, pa.date32())
            if parsed is not None:
                return parsed
    try:
        return typed_value(text, pa.date32())
    except ValueError:
        return None


def _date_part(notation: DateNotation) -> str:
    """Return the part of a pattern before the time of day, or an empty string if there is none."""
    parts: list[str] = []
    for directive, text in tokens(notation.pattern):
        if directive.lstrip("-0123456789") in ("H", "I"):
            return "".join(parts).rstrip(" T,")
        parts.append(f"%{directive}" if directive else text.replace("%", "%%"))
    return ""


def _day(column: Column, text: str, type_: pa.DataType, *, is_upper: bool) -> pa.Array[Any]:
    """Return the first moment of a day, or the last moment if it is an upper bound."""
    date = _date(column, text)
    assert date is not None
    assert pa.types.is_timestamp(type_)
    naive = pa.timestamp(type_.unit)
    per_second = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[type_.unit]
    start: Any = date.cast(naive).cast(pa.int64())
    moment = pc.add(start, _DAY_SECONDS * per_second - 1) if is_upper else start
    day: pa.Array[Any] = moment.cast(naive).cast(type_)
    return day
