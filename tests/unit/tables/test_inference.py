from __future__ import annotations

import pyarrow as pa
import pytest

from understudy.errors import InvalidInput
from understudy.tables.inference import infer_table, storable_type
from understudy.tables.schema import ColumnKind


@pytest.mark.parametrize(
    ("type_", "kind"),
    [
        (pa.int8(), ColumnKind.integer),
        (pa.uint64(), ColumnKind.integer),
        (pa.float16(), ColumnKind.float),
        (pa.decimal128(10, 2), ColumnKind.decimal),
        (pa.bool_(), ColumnKind.boolean),
        (pa.string(), ColumnKind.category),
        (pa.large_string(), ColumnKind.category),
        (pa.dictionary(pa.int32(), pa.string()), ColumnKind.category),
        (pa.null(), ColumnKind.category),
        (pa.date64(), ColumnKind.date),
        (pa.time64("ns"), ColumnKind.time),
        (pa.timestamp("us", tz="UTC"), ColumnKind.timestamp),
        (pa.duration("s"), ColumnKind.duration),
    ],
    ids=str,
)
def test_kind_of_a_column_follows_from_its_type(type_: pa.DataType, kind: ColumnKind):
    assert infer_table(pa.table({"a": pa.nulls(2, type_)})).schema.columns[0].kind is kind


@pytest.mark.parametrize(
    ("type_", "stored"),
    [
        (pa.null(), pa.string()),
        (pa.string_view(), pa.string()),
        (pa.dictionary(pa.int8(), pa.large_string()), pa.large_string()),
        (pa.dictionary(pa.int8(), pa.int64()), pa.int64()),
        (pa.decimal64(9, 2), pa.decimal128(9, 2)),
        (pa.int16(), pa.int16()),
    ],
    ids=str,
)
def test_types_are_stored_as_their_plain_equivalents(type_: pa.DataType, stored: pa.DataType):
    assert storable_type("a", type_) == stored


@pytest.mark.parametrize(
    "type_",
    [pa.list_(pa.int8()), pa.struct({"secret": pa.int8()}), pa.binary(), pa.decimal256(50, 2), pa.uuid()],
    ids=str,
)
def test_error_for_an_unsupported_type_contains_the_column_and_a_remedy(type_: pa.DataType):
    with pytest.raises(InvalidInput, match=r"Column 'a'.*Leave the column out") as caught:
        infer_table(pa.table({"a": pa.nulls(1, type_)}))
    assert caught.value.code == "unsupported_column"
    assert "secret" not in caught.value.detail


def test_the_evidence_of_plain_columns_contains_counts():
    columns = {"n": [1, 2, 3], "gap": [1.5, 2.5, None], "gaps": ["x", None, None]}
    table = pa.table({**columns, "none": pa.nulls(3, pa.date32())})
    assert [column.evidence for column in infer_table(table).findings.columns.values()] == [
        "all 3 values are whole numbers",
        "all 2 non-missing values are numbers; 1 is missing",
        "all 1 non-missing values are text; 2 are missing",
        "all 3 values are missing",
    ]


def test_evidence_contains_no_values():
    schema, findings = infer_table(pa.table({"a": ["canary"], "b": [987654321]}))
    for text in (schema.model_dump_json(), findings.model_dump_json()):
        assert "canary" not in text
        assert "987654321" not in text


def test_column_is_nullable_unless_it_is_declared_otherwise():
    schema = pa.schema([pa.field("a", pa.int64(), nullable=False), pa.field("b", pa.int64())])
    inferred = infer_table(pa.table({"a": [1], "b": [1]}, schema=schema)).schema
    assert [column.nullable for column in inferred.columns] == [False, True]
    assert inferred.to_arrow().equals(schema)


def test_error_for_duplicate_names_contains_their_positions():
    table = pa.table([pa.array([1]), pa.array([2]), pa.array([3])], names=["a", "b", "a"])
    with pytest.raises(InvalidInput, match=r"Columns 1 and 3") as caught:
        infer_table(table)
    assert caught.value.code == "invalid_header"


def test_error_for_empty_names_contains_their_positions():
    table = pa.table([pa.array([1])] * 13, names=["a"] + [" "] * 12)
    with pytest.raises(InvalidInput, match="Columns 2, 3, 4, 5, 6, 7, 8, 9, 10, 11 and 2 more"):
        infer_table(table)


def test_table_without_columns_is_refused():
    with pytest.raises(InvalidInput) as caught:
        infer_table(pa.table({}))
    assert caught.value.code == "no_columns"
