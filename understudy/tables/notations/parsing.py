"""Parse the texts of a column in its notation."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from understudy.tables.casting import cast
from understudy.tables.notation import (
    AnyNotation,
    DateNotation,
    DurationNotation,
    NumberNotation,
    PlainNotation,
)
from understudy.tables.notations.dates import parse_dates
from understudy.tables.notations.durations import parse_durations
from understudy.tables.notations.numbers import parse_numbers
from understudy.tables.notations.scripts import PLAIN, script_of

__all__ = ["AnyNotation", "parse"]


def parse(texts: pa.Array[Any], notation: AnyNotation, target: pa.DataType) -> pa.Array[Any]:
    """Parse trimmed texts and return their values.

    Missing values, words for missing values, and texts that do not follow the notation become null.
    """
    values: Any = texts
    if notation.missing:
        is_missing = pc.is_in(values, value_set=pa.array(notation.missing, pa.string()))
        values = pc.if_else(is_missing, pa.scalar(None, pa.string()), values)
    script = script_of(notation)
    values = values if script == PLAIN else script.convert(values)
    if isinstance(notation, NumberNotation):
        return parse_numbers(values, notation, target)
    if isinstance(notation, DateNotation):
        return parse_dates(values, notation, target)
    if isinstance(notation, DurationNotation):
        return parse_durations(values, notation, target)
    if isinstance(notation, PlainNotation):
        return cast(values, target)
    false = [notation.false, *notation.false_words]
    words = pa.array([*false, notation.true, *notation.true_words])
    place: Any = pc.index_in(values, words)
    booleans: pa.Array[Any] = pc.greater_equal(place, pa.scalar(len(false), pa.int32()))
    return booleans
