"""Random tables for property-based tests, with columns of all kinds and degenerate distributions."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from hypothesis import strategies as st

from understudy.tables.inference import column_kind
from understudy.tables.schema import Column, ColumnKind, TableSchema
from understudy.transformers.integer_units import array_of_integers

UNITS = ("s", "ms", "us", "ns")
INTEGER_TYPES = (
    *(pa.int8(), pa.int16(), pa.int32(), pa.int64()),
    *(pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
)
STORABLE_TYPES: tuple[pa.DataType, ...] = (
    *INTEGER_TYPES,
    *(pa.float16(), pa.float32(), pa.float64(), pa.bool_(), pa.string(), pa.large_string()),
    *(pa.decimal128(1, 0), pa.decimal128(12, 2), pa.decimal128(18, 18), pa.decimal128(38, 2)),
    *(pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")),
    *(pa.timestamp(unit) for unit in UNITS),
    *(pa.timestamp("ms", "UTC"), pa.timestamp("ns", "Europe/Vienna"), pa.timestamp("s", "+02:00")),
    *(pa.duration(unit) for unit in UNITS),
)
# The shapes are distributions of values, from a constant to the whole range of the type.
SHAPES = ("constant", "two", "few", "near", "wide", "all missing")
_N_A_DAY = {"s": 86_400, "ms": 86_400_000, "us": 86_400_000_000, "ns": 86_400_000_000_000}


@st.composite
def tables_of_all_kinds(draw: st.DrawFn) -> tuple[pa.Table, TableSchema]:
    """Generate a table of up to six columns of any kinds and shapes, and its schema."""
    n_rows = draw(st.sampled_from([1, 2, 4, 5, 12, 13, 60, 300]))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    made = [
        _make_column(rng, f"c{j}", n_rows, draw(columns_of_any_kind()))
        for j in range(draw(st.integers(1, 6)))
    ]
    names = [column.name for column, _ in made]
    subject = draw(st.sampled_from([(), (), *((name,) for name in names), tuple(names[:2])]))
    schema = TableSchema(columns=tuple(column for column, _ in made), subject=subject)
    return pa.Table.from_arrays([array for _, array in made], schema=schema.to_arrow()), schema


def columns_of_any_kind() -> st.SearchStrategy[tuple[ColumnKind, pa.DataType, str, bool]]:
    """Choose the kind, type and shape of a column, and whether values are missing."""
    kinds = [(column_kind(type_), type_) for type_ in STORABLE_TYPES]
    labels = [(ColumnKind.category, type_) for type_ in (*INTEGER_TYPES, pa.bool_())]
    return st.tuples(st.sampled_from(kinds + labels), st.sampled_from(SHAPES), st.booleans()).map(
        lambda t: (*t[0], t[1], t[2])
    )


def _make_column(
    rng: np.random.Generator, name: str, n_rows: int, choice: tuple[ColumnKind, pa.DataType, str, bool]
) -> tuple[Column, Any]:
    kind, type_, shape, has_missing = choice
    values = make_values(rng, type_, shape, n_rows)
    nullable = has_missing or shape == "all missing"
    if nullable:
        missing = rng.random(n_rows) < (1.0 if shape == "all missing" else 0.3)
        values = values.take(pa.array(np.arange(n_rows), mask=missing))
    return Column(name=name, kind=kind, arrow_type=str(type_), nullable=nullable), values


def make_values(rng: np.random.Generator, type_: pa.DataType, shape: str, n_rows: int) -> Any:
    """Return values of a type in a given shape."""
    if pa.types.is_boolean(type_):
        return pa.array(rng.random(n_rows) < (1.0 if shape == "constant" else 0.5))
    if pa.types.is_string(type_) or pa.types.is_large_string(type_):
        whole = make_whole(rng, (-(10**9), 10**9), shape, n_rows)
        return pa.array([f"Ä {value} \u2028'," for value in whole.tolist()], type_)
    if pa.types.is_floating(type_):
        return pa.array(make_floats(rng, type_, shape, n_rows), type_)
    factor = _N_A_DAY["ms"] if pa.types.is_date64(type_) else 1
    return array_of_integers(make_whole(rng, limits_of(type_), shape, n_rows) * factor, type_, None)


def make_floats(rng: np.random.Generator, type_: pa.DataType, shape: str, n_rows: int) -> Any:
    """Return floats with few decimals. For the shape `wide`, return floats of all exponents and some NaN."""
    dtype = type_.to_pandas_dtype()
    if shape == "wide":
        exponents = rng.uniform(
            np.log(float(np.finfo(dtype).tiny)), np.log(float(np.finfo(dtype).max)), n_rows
        )
        floats = np.exp(exponents) * rng.choice([-1, 1, np.nan], n_rows, p=[0.4, 0.5, 0.1])
        return np.clip(floats, np.finfo(dtype).min, np.finfo(dtype).max).astype(dtype)
    return (make_whole(rng, (-10_000, 10_000), shape, n_rows) / 8).astype(dtype)


def make_whole(
    rng: np.random.Generator, limits: tuple[int, int], shape: str, n_rows: int
) -> npt.NDArray[np.int64] | npt.NDArray[np.uint64]:
    """Return whole numbers between two limits."""
    low, high = limits
    dtype: Any = np.uint64 if high > 2**63 - 1 else np.int64
    n_distinct = {"constant": 1, "two": 2, "few": 5, "near": 50}.get(shape, n_rows)
    top = min(low + 1000, high) if shape == "near" else high
    distinct = rng.integers(low, top, n_distinct, dtype=dtype, endpoint=True)
    if shape == "wide":
        distinct[: n_distinct // 4], distinct[n_distinct // 4 : n_distinct // 2] = low, high
    chosen: npt.NDArray[np.int64] = distinct[rng.integers(0, n_distinct, n_rows)]
    return chosen


def limits_of(type_: pa.DataType) -> tuple[int, int]:
    """Return the lowest and the highest whole number that an exact type can store, limited to 64 bits."""
    if pa.types.is_integer(type_):
        limits = np.iinfo(type_.to_pandas_dtype())
        return int(limits.min), int(limits.max)
    if pa.types.is_decimal(type_):
        highest = 10 ** min(type_.precision, 18) - 1
        return -highest, highest
    if pa.types.is_time(type_):
        return 0, _N_A_DAY[type_.unit] - 1
    if pa.types.is_date64(type_):
        return -(2**31), 2**31 - 1
    n_bits = type_.bit_width
    return -(2 ** (n_bits - 1)), 2 ** (n_bits - 1) - 1
