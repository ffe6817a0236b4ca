"""Write the values of a column in its notation."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables.json_place import read_place
from understudy.tables.notation import (
    BooleanNotation,
    DateNotation,
    DurationNotation,
    NumberNotation,
    PlainNotation,
    read_metadata,
)
from understudy.tables.notations.date_writing import write_dates, written_days
from understudy.tables.notations.durations import write_durations
from understudy.tables.notations.numbers import write_numbers
from understudy.tables.notations.parsing import AnyNotation
from understudy.tables.notations.scripts import PLAIN, script_of

_GOLDEN_RATIO = 0.6180339887498949


def is_applicable(notation: AnyNotation, type_: pa.DataType) -> bool:
    """Return whether values of a type can be written in a notation other than the plain notation."""
    if isinstance(notation, PlainNotation):
        return False
    if isinstance(notation, NumberNotation):
        return pa.types.is_integer(type_) or pa.types.is_floating(type_) or pa.types.is_decimal(type_)
    if isinstance(notation, BooleanNotation):
        return pa.types.is_boolean(type_)
    if isinstance(notation, DurationNotation):
        return pa.types.is_duration(type_)
    if pa.types.is_timestamp(type_):
        return notation.has_date
    if pa.types.is_date(type_):
        return notation.has_date and not notation.has_time
    return pa.types.is_time(type_) and not notation.has_date


def write(values: pa.Array[Any], notation: AnyNotation) -> pa.Array[Any]:
    """Return values as text in a notation. Missing values become null."""
    script = script_of(notation)
    texts = _write_plain(values, notation)
    if script == PLAIN:
        return texts
    days = written_days(values, notation) if isinstance(notation, DateNotation) else None
    return script.restore(texts, days)


def _write_plain(values: pa.Array[Any], notation: AnyNotation) -> pa.Array[Any]:
    """Return values as text with Latin digits and Gregorian years."""
    if isinstance(notation, NumberNotation):
        return write_numbers(values, notation)
    if isinstance(notation, DateNotation):
        return write_dates(values, notation)
    if isinstance(notation, DurationNotation):
        return write_durations(values, notation)
    if isinstance(notation, PlainNotation):
        return values.cast(pa.string())
    return _write_booleans(values, notation)


def _write_booleans(values: pa.Array[Any], notation: BooleanNotation) -> pa.Array[Any]:
    flags: Any = values
    true = _words(notation.true, notation.true_words, notation.true_shares, len(values))
    false = _words(notation.false, notation.false_words, notation.false_shares, len(values))
    texts: pa.Array[Any] = pc.if_else(flags, true, false)
    return texts


def _words(word: str, others: Sequence[str], shares: Sequence[float], n: int) -> Any:
    """Return a word for each of n values. The order of the words does not depend on the values."""
    if not others:
        return pa.scalar(word)
    places = np.arange(1, n + 1) * _GOLDEN_RATIO % 1.0
    chosen = np.searchsorted(np.cumsum(shares), places, side="right")
    words: Any = pa.array([*others, word])
    return words.take(pa.array(chosen))


def written_batch(batch: pa.RecordBatch, schema: pa.Schema, *, is_json: bool = False) -> pa.RecordBatch:
    """Convert the columns that have a notation to text, and return the new batch.

    Parameters
    ----------
    schema : pyarrow.Schema
        Schema with the notations in its field metadata. See `field_metadata`.
    is_json : bool
        Whether plain numbers, booleans and missing values keep their types, because JSON can represent them.
    """
    notations = [_notation_of(field) for field in schema]
    if is_json:
        notations = [
            None if notation is None or (is_plain(notation) and not _is_quoted(field)) else notation
            for notation, field in zip(notations, schema, strict=True)
        ]
    if not any(notations):
        return batch
    columns = [
        column if notation is None else _written(column, notation, with_word=not is_json)
        for column, notation in zip(batch.columns, notations, strict=True)
    ]
    return pa.record_batch(columns, names=batch.schema.names)


def _is_quoted(field: pa.Field[Any]) -> bool:
    place = read_place(field.metadata)
    return place is not None and place.is_quoted


def written_column(column: pa.ChunkedArray[Any], field: pa.Field[Any]) -> pa.ChunkedArray[Any]:
    """Return a column as text in the notation of its field. Without a notation, return it unchanged."""
    notation = _notation_of(field)
    if notation is None:
        return column
    make: Any = pa.chunked_array  # Any: the stubs do not accept types known only at run time.
    written: pa.ChunkedArray[Any] = make(
        [_written(chunk, notation, with_word=True) for chunk in column.chunks], pa.string()
    )
    return written


def _notation_of(field: pa.Field[Any]) -> AnyNotation | None:
    notation = read_metadata(field.metadata)
    return notation if notation is not None and is_applicable(notation, field.type) else None


def is_plain(notation: AnyNotation) -> bool:
    """Return whether JSON can represent the values as numbers or booleans."""
    if not isinstance(notation, NumberNotation):
        return isinstance(notation, BooleanNotation)
    is_decorated = (
        notation.prefix or notation.suffix or notation.scales or notation.thousands or notation.width
    ) or notation.digits != "latin"
    return not is_decorated and notation.decimal == "." and notation.negative == "minus" and not notation.plus


def _written(column: pa.Array[Any], notation: AnyNotation, *, with_word: bool) -> pa.Array[Any]:
    texts = write(column, notation)
    return with_words(texts, notation) if with_word or notation.missing_shares else texts


def with_words(texts: pa.Array[Any], notation: AnyNotation) -> pa.Array[Any]:
    """Replace missing values with words, and return the texts. The notation contains the share of each word.

    The order of the words does not depend on the values. Missing values without a word remain null.
    """
    filled: Any = texts
    if not notation.missing or texts.null_count == 0:
        return texts
    if notation.missing_shares in ((), (1.0,)):
        filled = pc.fill_null(filled, notation.missing[0])
    else:
        # The fractional parts of multiples of the golden ratio are evenly distributed, even in short
        # sequences.
        places = np.arange(1, texts.null_count + 1) * _GOLDEN_RATIO % 1.0
        words = np.searchsorted(np.cumsum(notation.missing_shares), places, side="right")
        chosen: Any = pa.array([*notation.missing[: len(notation.missing_shares)], None], texts.type)
        filled = pc.replace_with_mask(filled, filled.is_null(), chosen.take(pa.array(words)))
    result: pa.Array[Any] = filled
    return result
