"""Bring a table to a schema, or say how it differs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from understudy.errors import InvalidInput
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.casting import cast, count_unfit, find_unfit
from understudy.tables.inference import check_names, column_kind, storable_type
from understudy.tables.schema import Column, ColumnKind, TableSchema

# Counting what does not fit stops here: the caller needs to know that there are many, not how many.
_COUNTED_MAX = 100

_ROWS_SHOWN = 10

_NUMBERS = {ColumnKind.integer, ColumnKind.float, ColumnKind.decimal}
# Casts between kinds that keep the meaning; the others (such as a number to a point in time) would succeed
# in Arrow and give nonsense.
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
    """How errors name a table, as the subject of a sentence, and the remedy for its columns."""

    name: str
    remedy: str = "Give it the columns of the schema."


# Of a caller who has one table only.
THE_TABLE = Origin("The table")
# Of a caller who completes a table by a model.
FITTED = Origin("The table", "Give it the columns that the model was fitted with.")


def conform(table: pa.Table, schema: TableSchema, origin: Origin = THE_TABLE) -> pa.Table:
    """Return the table with the columns of the schema, in its order and types.

    Missing values are kept, whatever the schema says of `nullable`: a column that has some is nullable.

    Raises
    ------
    InvalidInput
        If columns are missing or too many, or hold values that their type cannot hold.
    """
    check_names(table.column_names)
    _check_columns(table.column_names, schema.names, origin)
    columns = [_cast(table.column(column.name), column, origin) for column in schema.columns]
    fields = [
        pa.field(column.name, array.type, nullable=column.nullable or array.null_count > 0)
        for column, array in zip(schema.columns, columns, strict=True)
    ]
    return pa.table(columns, schema=pa.schema(fields))


def _check_columns(names: Sequence[str], expected: Sequence[str], origin: Origin) -> None:
    missing = [name for name in expected if name not in set(names)]
    extra = [name for name in names if name not in set(expected)]
    if missing or extra:
        parts = [f"lacks {_listed(missing)}"] if missing else []
        parts += [f"has {_listed(extra)}, not known to the schema"] if extra else []
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
    if chunked.null_count == len(chunked):
        return pa.chunked_array([pa.array([None] * len(chunked), target)])
    if (column_kind(source), column_kind(target)) not in _CASTS:
        raise _mismatch(origin, column, f"is of type {source}")
    chunks = [chunk.cast(source) for chunk in chunked.chunks]
    try:
        return pa.chunked_array([cast(chunk, target) for chunk in chunks])
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        n = min(_COUNTED_MAX, sum(count_unfit(chunk, target, _COUNTED_MAX) for chunk in chunks))
        at_least = "at least " if n == _COUNTED_MAX else ""
        fault = f"holds {at_least}{n:,} value{'s' if n > 1 else ''} that cannot be cast"
        # Without its cause: Arrow's message holds a cell's value.
        raise _mismatch(origin, column, fault) from None


def _mismatch(origin: Origin, column: Column, fault: str) -> InvalidInput:
    place = "" if origin.name == THE_TABLE.name else f" of {origin.name[0].lower()}{origin.name[1:]}"
    return InvalidInput(
        f"Column {column.name!r}{place} {fault}; the schema asks for {column.arrow_type}. "
        "Correct the values or change the schema.",
        code="schema_mismatch",
    )


def check_fits(path: Path, columns: Iterable[Column]) -> None:
    """Refuse types that the values of a canonical Parquet file do not fit, in bounded memory.

    Raises
    ------
    InvalidInput
        For each such column with how many values do not fit, and in which rows the first of them stand.
    """
    with pq.ParquetFile(path) as file:
        faults = [fault for column in columns if (fault := _fault(file, column))]
    if faults:
        raise InvalidInput(
            f"{' '.join(faults)} Choose another type or kind, or upload the table with other values.",
            code="schema_mismatch",
        )


def _fault(file: pq.ParquetFile, column: Column) -> str | None:
    """Return what does not fit in a column, in a sentence; the first row is row 1."""
    target = parse_arrow_type(column.arrow_type)
    source = file.schema_arrow.field(column.name).type
    if source != target and (column_kind(source), column_kind(target)) not in _CASTS:
        return f"Column {column.name!r} is stored as {source}, which says nothing as {target}."
    rows: list[int] = []
    n_before = 0
    for batch in file.iter_batches(columns=[column.name], use_threads=False):
        rows += [n_before + at + 1 for at in find_unfit(batch.column(0), target, _COUNTED_MAX - len(rows))]
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
        f"In column {column.name!r} {at_least}{len(rows)} {values} not fit {target}: "
        f"row{'' if len(rows) == 1 else 's'} {shown}{more}."
    )
