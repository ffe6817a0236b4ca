from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

import pyarrow as pa
import pytest

from understudy.errors import InvalidInput
from understudy.tables.inference import infer_table
from understudy.tables.validation import conform


def _conform(array: pa.Array, type_: pa.DataType) -> pa.ChunkedArray:
    schema = infer_table(pa.table({"a": pa.nulls(0, type_)})).schema
    return conform(pa.table({"a": array}), schema).column("a")


def test_columns_are_returned_in_the_order_of_the_schema():
    schema = infer_table(pa.table({"b": [1], "a": ["x"]})).schema
    assert conform(pa.table({"a": ["y"], "b": [2]}), schema).to_pydict() == {"b": [2], "a": ["y"]}


def test_table_that_conforms_to_the_schema_is_unchanged():
    table = pa.table({"a": [1, None], "b": ["x", "y"]})
    assert conform(table, infer_table(table).schema).equals(table)


@pytest.mark.parametrize(
    ("values", "type_", "expected"),
    [
        (pa.array([1, 2]), pa.int8(), [1, 2]),
        (pa.array([1, 2]), pa.float32(), [1.0, 2.0]),
        (pa.array([1.0, 2.0]), pa.int64(), [1, 2]),
        (pa.array([0.1]), pa.decimal128(10, 2), [Decimal("0.10")]),
        (pa.array(["1", "-2"]), pa.int64(), [1, -2]),
        (pa.array([501, 10001]), pa.string(), ["501", "10001"]),
        (pa.array(["true", "false"]), pa.bool_(), [True, False]),
        (pa.array(["2024-02-29"]), pa.date32(), [date(2024, 2, 29)]),
        (pa.array([date(2024, 2, 29)]), pa.timestamp("s"), [datetime(2024, 2, 29)]),  # noqa: DTZ001
        (pa.array(["x", "y", "x"]).dictionary_encode(), pa.string(), ["x", "y", "x"]),
        (pa.nulls(2), pa.duration("s"), [None, None]),
        (pa.nulls(2, pa.string()), pa.int64(), [None, None]),
    ],
    ids=str,
)
def test_values_are_cast_if_their_meaning_stays_the_same(
    values: pa.Array, type_: pa.DataType, expected: list[object]
):
    cast = _conform(values, type_)
    assert cast.type == type_
    assert cast.to_pylist() == expected


@pytest.mark.parametrize(
    ("values", "type_", "fault"),
    [
        (pa.array([1, 300, None, -300]), pa.int8(), "2 values"),
        (pa.array([1.0, 1.5]), pa.int64(), "1 value "),
        (pa.array(["1", "canary", "2"]), pa.int64(), "1 value "),
        (pa.array(["canary"] * 1_000), pa.date32(), "at least 100 values"),
        (pa.array([1_000_000.0]), pa.decimal128(5, 2), "1 value "),
    ],
    ids=str,
)
def test_values_that_cannot_be_cast_are_counted_but_not_shown(
    values: pa.Array, type_: pa.DataType, fault: str
):
    with pytest.raises(InvalidInput, match=f"Column 'a' has {fault}") as caught:
        _conform(values, type_)
    assert caught.value.code == "schema_mismatch"
    assert caught.value.__suppress_context__
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize(
    ("values", "type_"),
    [(pa.array([1]), pa.bool_()), (pa.array([1]), pa.timestamp("s")), (pa.array([True]), pa.float64())],
    ids=str,
)
def test_casts_that_change_the_meaning_are_refused(values: pa.Array, type_: pa.DataType):
    with pytest.raises(InvalidInput, match="Column 'a' has type") as caught:
        _conform(values, type_)
    assert caught.value.code == "schema_mismatch"


def test_error_contains_the_names_of_missing_and_extra_columns():
    schema = infer_table(pa.table({"a": [1], "b": [1]})).schema
    with pytest.raises(InvalidInput, match="lacks column 'b' and has columns 'c', 'd'") as caught:
        conform(pa.table({"a": [1], "c": [1], "d": [1]}), schema)
    assert caught.value.code == "schema_mismatch"


def test_missing_values_are_kept_and_make_the_column_nullable():
    required = pa.schema([pa.field("a", pa.int64(), nullable=False)])
    schema = infer_table(pa.table({"a": [1]}, schema=required)).schema
    table = conform(pa.table({"a": [1, None]}), schema)
    assert table.schema.field("a").nullable
    assert conform(pa.table({"a": [1, 2]}), schema).schema.equals(required)
