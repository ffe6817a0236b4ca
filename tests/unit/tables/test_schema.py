from __future__ import annotations

import subprocess
import sys
from contextlib import suppress

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from understudy.errors import InvalidInput
from understudy.tables.arrow_types import parse_arrow_type
from understudy.tables.schema import Column, ColumnKind, DatasetSchema, Relationship, TableSchema

_UNITS = ("s", "ms", "us", "ns")
_TYPES = [
    *(pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()),
    *(pa.float16(), pa.float32(), pa.float64(), pa.bool_(), pa.string(), pa.large_string()),
    *(pa.date32(), pa.date64(), pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")),
    *(pa.timestamp(unit) for unit in _UNITS),
    *(pa.timestamp(unit, tz) for unit in _UNITS for tz in ("UTC", "Europe/Berlin", "+02:00", "Etc/GMT-5")),
    *(pa.duration(unit) for unit in _UNITS),
    *(pa.decimal128(1, 0), pa.decimal128(38, 38), pa.decimal128(12, 2), pa.decimal128(5, -2)),
]


def _schema(*columns: Column) -> TableSchema:
    return TableSchema(columns=columns)


def _column(name: str = "a", arrow_type: str = "int64") -> Column:
    return Column(name=name, kind=ColumnKind.integer, arrow_type=arrow_type, nullable=True)


@pytest.mark.parametrize("type_", _TYPES, ids=str)
def test_type_names_that_arrow_prints_can_be_parsed(type_: pa.DataType):
    assert parse_arrow_type(str(type_)) == type_


@pytest.mark.parametrize("bits", [16, 32, 64])
def test_float_types_can_be_named_by_their_number_of_bits(bits: int):
    assert parse_arrow_type(f"float{bits}").bit_width == bits


@pytest.mark.parametrize(
    "text",
    [
        *("", "int65", "int64 ", "list<item: int64>", "binary", "null", "timestamp[h]", "timestamp[s, tz=]"),
        *("decimal128(99, 2)", "decimal128(0, 0)", "decimal128(99999999999, 2)", "decimal256(50, 2)"),
        "dictionary<values=string, indices=int32>",
    ],
)
def test_unsupported_types_are_refused(text: str):
    with pytest.raises(InvalidInput, match="not an Arrow type") as caught:
        parse_arrow_type(text)
    assert caught.value.code == "unsupported_column"


@given(st.text(max_size=40))
def test_any_text_is_parsed_or_refused(text: str):
    with suppress(InvalidInput):
        assert isinstance(parse_arrow_type(text), pa.DataType)


def test_schema_survives_a_round_trip_through_json():
    schema = _schema(_column("a"), _column("b", "timestamp[us, tz=UTC]"))
    assert TableSchema.model_validate_json(schema.model_dump_json()) == schema


def test_duplicate_column_names_are_refused():
    with pytest.raises(ValidationError, match="unique"):
        _schema(_column("a"), _column("a"))


def test_a_schema_without_columns_is_refused():
    with pytest.raises(ValidationError):
        _schema()


def test_the_error_for_an_unknown_column_contains_its_name():
    with pytest.raises(InvalidInput, match="'b'") as caught:
        _schema(_column("a")).column("b")
    assert caught.value.code == "unknown_column"


def test_arrow_schema_has_types_and_nullability():
    column = Column(name="a", kind=ColumnKind.date, arrow_type="date32[day]", nullable=False)
    assert _schema(column).to_arrow().equals(pa.schema([pa.field("a", pa.date32(), nullable=False)]))


def test_a_subject_must_be_a_column_of_the_table():
    schema = TableSchema(columns=(_column("id"), _column("x")), subject=("id",))
    assert TableSchema.model_validate_json(schema.model_dump_json()) == schema
    with pytest.raises(ValidationError, match="subject must be a column of the table"):
        TableSchema(columns=(_column("x"),), subject=("id",))


@pytest.mark.parametrize("role", ["primary_key", "subject", "order_by"])
def test_a_role_that_repeats_a_column_is_refused(role: str):
    with pytest.raises(ValidationError, match=f"{role} must not contain a column twice"):
        TableSchema.model_validate({"columns": [_column("id")], role: ["id", "id"]})


def test_a_selection_keeps_roles_whose_columns_are_all_selected():
    schema = TableSchema(
        columns=(_column("a"), _column("b"), _column("c")), subject=("a", "b"), order_by=("c",)
    )
    selected = schema.select(["c", "a"])
    assert (selected.names, selected.subject, selected.order_by) == (["c", "a"], (), ("c",))


def _related(child_columns: tuple[str, ...]) -> DatasetSchema:
    keys = Relationship(
        child="orders", child_columns=child_columns, parent="customers", parent_columns=("country", "id")
    )
    return DatasetSchema(
        tables={
            "customers": _schema(_column("country"), _column("id")),
            "orders": _schema(_column("customer_country"), _column("customer_id")),
        },
        relationships=(keys,),
    )


def test_a_relationship_can_have_several_columns():
    schema = _related(("customer_country", "customer_id"))
    assert DatasetSchema.model_validate_json(schema.model_dump_json()) == schema


def test_a_relationship_with_unknown_columns_is_refused():
    with pytest.raises(ValidationError, match="lacks this table or one of its columns"):
        _related(("customer_country", "x"))


def test_a_relationship_with_unequal_numbers_of_columns_is_refused():
    with pytest.raises(ValidationError, match="same length"):
        _related(("customer_id",))


def test_an_unknown_locale_is_refused():
    with pytest.raises(ValidationError, match="locale must be one of"):
        DatasetSchema(tables={"a": _schema(_column())}, locale="tlh")


def test_schemas_are_loaded_without_importing_arrow():
    code = (
        "import sys, understudy.tables.schema; sys.exit('pyarrow' in sys.modules or 'numpy' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
