"""Write the XML of cells with the Excel type of each value.

A number, date or time that Excel cannot represent exactly is written as text.
"""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.errors import TooLarge
from understudy.tables.formats.xlsx.dates import DAY_MS, EPOCH_1900, LAST_DAY, Whole
from understudy.tables.formats.xlsx.packaging import Style

CHARACTERS_MAX = 32_767
_EXACT_MAX = 2**53
_DECIMAL_DIGITS_MAX = 15
# 1 March 1900 in days since 1970. Programs use different numbers for earlier days.
_FIRST_DAY = -25_508
_UNITS_A_MS = {"us": 1_000, "ns": 1_000_000}

MISSING_ROW = ' t="e"><v>#N/A</v></c>'
# Characters that are invalid in XML or that parsers change, and text that looks like an escape sequence.
_UNSAFE = r"[\x00-\x08\x0b-\x1f\x{fffe}\x{ffff}]|_x[0-9A-Fa-f]{4}_"
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\ufffe\uffff]")
_LOOKS_ESCAPED = re.compile("_(?=x[0-9A-Fa-f]{4}_)")


def cell_markup(column: pa.Array[Any]) -> Any:
    """Return the part of each cell's markup after the cell reference, with null for missing values."""
    type_ = column.type
    if pa.types.is_boolean(type_):
        return _joined(' t="b"><v>', column.cast(pa.uint8()).cast(pa.string()), "</v></c>")
    if pa.types.is_floating(type_):
        return _float_markup(column)
    if pa.types.is_integer(type_) or pa.types.is_duration(type_):
        return _integer_markup(column.cast(pa.int64()) if pa.types.is_duration(type_) else column)
    if pa.types.is_decimal(type_):
        return _decimal_markup(column)
    if pa.types.is_date(type_):
        return _date_markup(column.cast(pa.date32()))
    if pa.types.is_time(type_):
        return _time_markup(column)
    if pa.types.is_timestamp(type_):
        return _text_markup(column.cast(pa.string())) if type_.tz else _timestamp_markup(column)
    return _text_markup(column)


def check_lengths(name: str, column: pa.Array[Any]) -> None:
    """Check that all texts fit in a cell. Excel counts UTF-16 code units."""
    if not (pa.types.is_string(column.type) or pa.types.is_large_string(column.type)):
        return
    texts: Any = column
    lengths = pc.utf8_length(texts)
    if (pc.max(lengths).as_py() or 0) * 2 <= CHARACTERS_MAX:
        return
    long = texts.filter(pc.greater(lengths, _limit(CHARACTERS_MAX // 2))).to_pylist()
    if any(len(text.encode("utf-16-le")) > 2 * CHARACTERS_MAX for text in long):
        raise TooLarge(
            f"Column {name!r} contains a text value of more than {CHARACTERS_MAX:,} characters, the maximum "
            "for a cell. Use Parquet or CSV."
        )


def _limit(n: int) -> Any:
    return pa.scalar(n)


def _joined(*parts: Any) -> Any:
    return pc.binary_join_element_wise(*parts, "")


def _number(texts: Any, style: Style = Style.general) -> Any:
    return _joined(f' s="{style.value}"><v>' if style else "><v>", texts, "</v></c>")


def _text_markup(column: pa.Array[Any]) -> Any:
    # The result fits in 32-bit string offsets because `check_lengths` limits the texts.
    return _joined(
        ' t="inlineStr"><is><t xml:space="preserve">', _escaped(column.cast(pa.string())), "</t></is></c>"
    )


def _escaped(texts: Any) -> Any:
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;")):
        texts = pc.replace_substring(texts, character, entity)
    is_unsafe = pc.match_substring_regex(texts, _UNSAFE)
    if not pc.any(is_unsafe).as_py():
        return texts
    safe = pa.array([_escape(text) for text in texts.filter(is_unsafe).to_pylist()], pa.string())
    return pc.replace_with_mask(texts, pc.fill_null(is_unsafe, False), safe)


def _escape(text: str) -> str:
    text = _LOOKS_ESCAPED.sub("_x005F_", text)
    return _CONTROL.sub(lambda match: f"_x{ord(match[0]):04X}_", text)


def _either(is_exact: Any, cells: Any, texts: Any) -> Any:
    """Return the given cells, with text cells instead of values that Excel cannot represent exactly."""
    if pc.all(is_exact).as_py() is not False:
        return cells
    return pc.if_else(is_exact, cells, _text_markup(texts))


def _float_markup(column: pa.Array[Any]) -> Any:
    wide: Any = column.cast(pa.float32()) if pa.types.is_float16(column.type) else column
    # NaN and infinity are written as empty cells, although a canonical table contains neither (see
    # canonical.py).
    finite = pc.if_else(pc.is_finite(wide), wide, pa.scalar(None, wide.type))
    return _number(finite.cast(pa.string()))


def _integer_markup(column: Any) -> Any:
    texts = column.cast(pa.string())
    if column.type.bit_width < 64:
        return _number(texts)
    low = 0 if pa.types.is_unsigned_integer(column.type) else -_EXACT_MAX
    is_exact = pc.and_(
        pc.less(column, pa.scalar(_EXACT_MAX, column.type)),
        pc.greater_equal(column, pa.scalar(low, column.type)),
    )
    return _either(is_exact, _number(texts), texts)


def _decimal_markup(column: pa.Array[Any]) -> Any:
    texts: Any = column.cast(pa.string())
    digits = pc.utf8_ltrim(pc.replace_substring(texts, ".", ""), "-0")
    is_exact = pc.and_(
        pc.less_equal(pc.utf8_length(digits), _limit(_DECIMAL_DIGITS_MAX)),
        pc.invert(pc.match_substring(texts, "E")),
    )
    return _either(is_exact, _number(texts), texts)


def _date_markup(column: Any) -> Any:
    days = column.cast(pa.int32())
    is_exact = pc.and_(pc.greater_equal(days, _limit(_FIRST_DAY)), pc.less_equal(days, _limit(LAST_DAY)))
    serials = pc.add(days.cast(pa.int64()), EPOCH_1900).cast(pa.string())
    return _either(is_exact, _number(serials, Style.date), column.cast(pa.string()))


def _time_markup(column: Any) -> Any:
    unit = column.type.unit
    ticks = column.cast(pa.int32() if unit in ("s", "ms") else pa.int64()).cast(pa.int64())
    ms, is_exact = _milliseconds(ticks, unit)
    style = Style.time if unit == "s" else Style.time_ms
    return _either(is_exact, _number(_days_text(ms, column), style), column.cast(pa.string()))


def _timestamp_markup(column: Any) -> Any:
    unit = column.type.unit
    ms, is_exact = _milliseconds(column.cast(pa.int64()), unit)
    first, last = _FIRST_DAY * DAY_MS, (LAST_DAY + 1) * DAY_MS
    is_exact = pc.and_(is_exact, pa.array((ms >= first) & (ms < last)))
    style = Style.timestamp if unit == "s" else Style.timestamp_ms
    serials = _days_text(np.clip(ms, first, last) + EPOCH_1900 * DAY_MS, column)
    return _either(is_exact, _number(serials, style), column.cast(pa.string()))


def _milliseconds(ticks: Any, unit: str) -> tuple[Whole, Any]:
    """Return values in whole milliseconds, and whether each is exact, with null for missing values."""
    values: Whole = pc.fill_null(ticks, 0).to_numpy(zero_copy_only=False)
    # Larger values are outside the range of Excel dates, and multiplying them would overflow.
    ms = np.clip(values, -(2**52), 2**52) * 1_000 if unit == "s" else values
    rest = np.zeros(len(values), np.int64)
    if unit in _UNITS_A_MS:
        ms, rest = np.divmod(values, _UNITS_A_MS[unit])
    is_exact = pc.if_else(ticks.is_null(), pa.scalar(None, pa.bool_()), pa.array(rest == 0))
    return ms, is_exact


def _days_text(ms: Whole, like: Any) -> Any:
    """Return milliseconds as texts of fractional days, which can be read back without a loss of precision.

    Up to the year 9999, a double resolves 10 microseconds. Values that are missing in `like` are null.
    """
    is_missing = like.is_null().to_numpy(zero_copy_only=False)
    return pa.array(ms / DAY_MS, mask=is_missing).cast(pa.string())
