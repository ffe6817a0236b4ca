"""Convert tables to the columns and types of a schema, and report values that do not fit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from understudy.errors import InvalidInput
from understudy.tables import notations
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.casting import cast, count_unfit, find_unfit
from understudy.tables.inference import check_names, column_kind, storable_type
from understudy.tables.notation import PlainNotation
from understudy.tables.schema import Column, ColumnKind, TableSchema

# Maximum number of invalid values counted in a column. At this number, messages contain "at least".
_COUNTED_MAX = 100

# Maximum number of rows listed in an error message.
_ROWS_SHOWN = 10

_NUMBERS = {ColumnKind.integer, ColumnKind.float, ColumnKind.decimal}
# Casts between kinds that preserve the meaning of the values. Arrow permits other casts, such as from a
# number to a timestamp, but their results are meaningless.
_CASTS: set[tuple[ColumnKind, ColumnKind]] = {
    *((source, target) for source in _NUMBERS for target in _NUMBERS),
    *((kind, kind) for kind in ColumnKind),
    *((kind, ColumnKind.category) for kind in ColumnKind),
    *((ColumnKind.category, kind) for kind in ColumnKind),
    (ColumnKind.integer, ColumnKind.duration),
    (ColumnKind.date, ColumnKind.timestamp),
}


@dataclass(frozen=True)
class Origin:
    """The name of a table for the start of an error message, and the remedy for incorrect columns."""

    name: str
    remedy: str = "Provide exactly the columns of the schema."


# Wording of error messages about a caller's only table.
THE_TABLE = Origin("The table")
# Wording of error messages about a table with missing values that a model imputes.
FITTED = Origin("The table", "Provide exactly the columns that the model was fitted with.")


def conform(table: pa.Table, schema: TableSchema, origin: Origin = THE_TABLE) -> pa.Table:
    """Return the table with the column order and types of the schema.

    Missing values are kept. A column with missing values becomes nullable, even if the column is not nullable
    in the schema.

    Raises
    ------
    InvalidInput
        If columns are missing or not in the schema, or if values cannot be cast to the type in the schema.
    """
    check_names(table.column_names)
    check_columns(table.column_names, schema.names, origin)
    columns = [_cast(table.column(column.name), column, origin) for column in schema.columns]
    fields = [
        pa.field(column.name, array.type, nullable=column.nullable or array.null_count > 0)
        for column, array in zip(schema.columns, columns, strict=True)
    ]
    return pa.table(columns, schema=pa.schema(fields))


def check_columns(names: Sequence[str], expected: Sequence[str], origin: Origin = THE_TABLE) -> None:
    """Raise `InvalidInput` if columns are missing or not in the schema. The message lists these columns."""
    missing = [name for name in expected if name not in set(names)]
    extra = [name for name in names if name not in set(expected)]
    if missing or extra:
        parts = [f"lacks {_listed(missing)}"] if missing else []
        parts += [f"has {_listed(extra)}, which the schema does not contain"] if extra else []
        raise InvalidInput(f"{origin.name} {' and '.join(parts)}. {origin.remedy}", code="schema_mismatch")


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(repr(name) for name in names[:10])
    more = f" and {len(names) - 10} more" if len(names) > 10 else ""
    return f"column{'s' if len(names) > 1 else ''} {shown}{more}"


def _cast(chunked: pa.ChunkedArray[Any], column: Column, origin: Origin) -> pa.ChunkedArray[Any]:
    target = parse_arrow_type(column.arrow_type)
    source = storable_type(column.name, chunked.type)
    if chunked.type == target:
        return chunked
    if _has_own_notation(column) and column_kind(source) is ColumnKind.category:
        return _parsed(chunked, column, target, origin)
    if chunked.null_count == len(chunked):
        return pa.chunked_array([pa.array([None] * len(chunked), target)])
    if (column_kind(source), column_kind(target)) not in _CASTS:
        raise _mismatch(origin, column, f"has type {source}, but the schema requires {column.arrow_type}")
    chunks = [chunk.cast(source) for chunk in chunked.chunks]
    try:
        return pa.chunked_array([cast(chunk, target) for chunk in chunks])
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        n = min(_COUNTED_MAX, sum(count_unfit(chunk, target, _COUNTED_MAX) for chunk in chunks))
        at_least = "at least " if n == _COUNTED_MAX else ""
        values = f"{at_least}{n:,} value{'s' if n > 1 else ''}"
        fault = f"has {values} that cannot be cast to {column.arrow_type}, the type in the schema"
        # The cause is omitted because Arrow's message contains the value of a cell.
        raise _mismatch(origin, column, fault) from None


def _has_own_notation(column: Column) -> bool:
    """Return whether the values have a notation other than the plain notation."""
    return column.notation is not None and not isinstance(column.notation, PlainNotation)


def _parsed(
    chunked: pa.ChunkedArray[Any], column: Column, target: pa.DataType, origin: Origin
) -> pa.ChunkedArray[Any]:
    """Parse texts in the notation of the schema. At most half of the texts may be strays."""
    notation = column.notation
    assert notation is not None
    texts = [_present_texts(chunk, notation) for chunk in chunked.chunks]
    chunks = [notations.parse(text, notation, target) for text in texts]
    n_missing = sum(text.null_count for text in texts)
    n_unfit = sum(chunk.null_count for chunk in chunks) - n_missing
    if n_unfit and not (notation.has_strays and 2 * n_unfit <= len(chunked) - n_missing):
        values_are = "value that is" if n_unfit == 1 else "values that are"
        raise _mismatch(origin, column, f"has {n_unfit:,} {values_are} not in the notation of the schema")
    make: Any = pa.chunked_array  # Any: the stubs do not accept types known only at run time.
    parsed: pa.ChunkedArray[Any] = make(chunks, target)
    return parsed


def _present_texts(texts: pa.Array[Any], notation: notations.AnyNotation) -> pa.Array[Any]:
    """Return trimmed texts. Empty texts and words for missing values become null."""
    trimmed: Any = pc.utf8_trim_whitespace(texts.cast(pa.string()))
    is_missing = pc.is_in(trimmed, value_set=pa.array(["", *notation.missing]))
    present: pa.Array[Any] = pc.if_else(is_missing, pa.scalar(None, pa.string()), trimmed)
    return present


def _find_unfit(array: pa.Array[Any], column: Column, target: pa.DataType, n_max: int) -> list[int]:
    """Return the positions of the first n_max values that do not fit a type or the notation."""
    if not _has_own_notation(column) or column_kind(array.type) is not ColumnKind.category:
        return find_unfit(array, target, n_max)
    assert column.notation is not None
    if column.notation.has_strays:
        return []
    texts = _present_texts(array, column.notation)
    is_parsed = notations.parse(texts, column.notation, target).is_valid()
    unfit: Any = pc.and_(texts.is_valid(), pc.invert(is_parsed))
    return [int(at) for at in np.flatnonzero(unfit.to_numpy(zero_copy_only=False))[:n_max]]


def _mismatch(origin: Origin, column: Column, fault: str) -> InvalidInput:
    place = "" if origin.name == THE_TABLE.name else f" of {origin.name[0].lower()}{origin.name[1:]}"
    return InvalidInput(
        f"Column {column.name!r}{place} {fault}. Correct the values or change the schema.",
        code="schema_mismatch",
    )


def check_fits(path: Path, columns: Iterable[Column]) -> None:
    """Check that the values of a canonical Parquet file fit the columns' types. Memory use is bounded.

    Raises
    ------
    InvalidInput
        If values do not fit their column's type. The message names each such column, the number of such
        values, and the first rows that contain them, counted from 1.
    """
    with pq.ParquetFile(path) as file:
        faults = [fault for column in columns if (fault := _fault(file, column))]
    if faults:
        raise InvalidInput(
            f"{' '.join(faults)} Choose another type or kind, or upload the table with corrected values.",
            code="schema_mismatch",
        )


def _fault(file: pq.ParquetFile, column: Column) -> str | None:
    """Return a sentence about the values of a column that do not fit its type, or None if all values fit."""
    target = parse_arrow_type(column.arrow_type)
    source = file.schema_arrow.field(column.name).type
    if source != target and (column_kind(source), column_kind(target)) not in _CASTS:
        return f"Column {column.name!r} is stored as {source}, which cannot be converted to {target}."
    rows: list[int] = []
    n_before = 0
    for batch in file.iter_batches(columns=[column.name], use_threads=False):
        unfit = _find_unfit(batch.column(0), column, target, _COUNTED_MAX - len(rows))
        rows += [n_before + at + 1 for at in unfit]
        n_before += batch.num_rows
        if len(rows) == _COUNTED_MAX:
            break
    if not rows:
        return None
    at_least = "at least " if len(rows) == _COUNTED_MAX else ""
    values = "value does" if len(rows) == 1 else "values do"
    shown = ", ".join(f"{row:,}" for row in rows[:_ROWS_SHOWN])
    more = ", …" if len(rows) > _ROWS_SHOWN else ""
    return (
        f"In column {column.name!r}, {at_least}{len(rows)} {values} not fit type {target} "
        f"(row{'' if len(rows) == 1 else 's'} {shown}{more})."
    )
