"""Encoded numbers and times as text, in the notation of their column."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from understudy.evaluation.encoding import seconds_per_unit
from understudy.tables.notation import NumberNotation
from understudy.tables.notations import write
from understudy.tables.notations.parsing import AnyNotation
from understudy.tables.notations.writing import is_applicable
from understudy.tables.schema import Column, ColumnKind

Floats: TypeAlias = NDArray[np.float64]

# Floats cannot distinguish larger whole numbers from their neighbors.
_WHOLE_MAX = 2.0**53


def values_of(kind: ColumnKind, encoded: Sequence[float]) -> pa.Array[Any]:
    """Return encoded values as Arrow dates, times, timestamps or durations, or as numbers."""
    unit = seconds_per_unit(kind)
    if unit is None:
        is_whole = all(value % 1 == 0 and abs(value) < _WHOLE_MAX for value in encoded)
        if kind is ColumnKind.integer and is_whole:
            return pa.array([int(value) for value in encoded], pa.int64())
        return pa.array(encoded, pa.float64())
    stored_as, integers, factor = unit
    # `Any` is needed because Arrow's stubs do not support types that are only known at run time.
    whole: Any = pa.array([round(value / factor) for value in encoded], integers)
    values: pa.Array[Any] = whole.cast(stored_as)
    return values


def written(notation: AnyNotation | None, kind: ColumnKind, encoded: Sequence[float]) -> list[str] | None:
    """Return encoded values in the notation of their column, or None if no notation applies."""
    if notation is None or not len(encoded):
        return None
    values = values_of(kind, encoded)
    if not is_applicable(notation, values.type):
        return None
    if isinstance(notation, NumberNotation) and notation.decimals == 0 and pa.types.is_floating(values.type):
        # Do not round a boundary between two whole numbers, such as 2.5.
        notation = notation.model_copy(update={"decimals": None})
    return [str(text) for text in write(values, notation).to_pylist()]


def value_text(column: Column, encoded: float) -> str:
    """Return one encoded value as text, in the notation of the column if the column has a notation."""
    texts = written(column.notation, column.kind, [encoded])
    if texts is not None:
        return texts[0]
    value = values_of(column.kind, [encoded])[0].as_py()
    return f"{value:.10g}" if isinstance(value, float) else str(value)
