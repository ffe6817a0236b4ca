"""Tests for reading and writing SDV metadata."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pytest

from understudy.errors import InvalidInput
from understudy.tables.findings import Findings
from understudy.tables.inference import InferredSchema, infer_schema, infer_table
from understudy.tables.schema import ColumnKind, DatasetSchema, Relationship, TableSchema
from understudy.tables.schema_changes import change_schema
from understudy.tables.sdv_metadata import read_metadata, write_metadata
from understudy.tables.source import ArrowSource

# This is the hotel guest example from the public SDV documentation.
GUESTS: dict[str, Any] = {
    "METADATA_SPEC_VERSION": "SINGLE_TABLE_V1",
    "primary_key": "guest_email",
    "alternate_keys": ["credit_card_number"],
    "columns": {
        "guest_email": {"sdtype": "email", "pii": True},
        "has_rewards": {"sdtype": "boolean"},
        "room_type": {"sdtype": "categorical"},
        "amenities_fee": {"sdtype": "numerical", "computer_representation": "Float"},
        "checkin_date": {"sdtype": "datetime", "datetime_format": "%Y-%m-%d"},
        "hotel_id": {"sdtype": "id", "regex_format": "HID_[0-9]{3}"},
    },
}
TABLE = pa.table(
    {
        "guest_email": ["a@example.com", "b@example.com"],
        "has_rewards": ["true", "false"],
        "room_type": ["BASIC", "SUITE"],
        "amenities_fee": ["37.5", None],
        "checkin_date": ["2024-02-29", "2024-03-01"],
        "hotel_id": ["HID_000", "HID_001"],
    }
)


def read(document: object, table: str | None = None) -> TableSchema:
    return changed(infer_table(TABLE).schema, document, table)


def changed(schema: TableSchema, document: object, table: str | None = None) -> TableSchema:
    change = read_metadata(document, schema, table=table).change
    whole = DatasetSchema(tables={"guests": schema})
    return change_schema(whole, Findings(), change, table="guests")[0].tables["guests"]


def test_sdtypes_become_kinds_and_types() -> None:
    columns = {column.name: (column.kind.value, column.arrow_type) for column in read(GUESTS).columns}
    assert columns == {
        "guest_email": ("email", "string"),
        "has_rewards": ("boolean", "bool"),
        "room_type": ("category", "string"),
        "amenities_fee": ("float", "double"),
        "checkin_date": ("date", "date32[day]"),
        "hotel_id": ("identifier", "string"),
    }


def test_unused_metadata_leads_to_warnings() -> None:
    warnings = read_metadata(GUESTS, infer_table(TABLE).schema).warnings
    assert [w for w in warnings if "regex_format" in w and "'hotel_id'" in w]
    assert "alternate_keys is not used." in warnings


@pytest.mark.parametrize("version", ["MULTI_TABLE_V1", "V1"])
def test_one_of_several_tables_can_be_read(version: str) -> None:
    several = {"METADATA_SPEC_VERSION": version, "tables": {"guests": GUESTS, "hotels": {"columns": {}}}}
    assert read(several, "guests") == read(GUESTS)
    with pytest.raises(InvalidInput, match=r"2 tables\. Choose the table"):
        read(several)
    with pytest.raises(InvalidInput, match="but not 'rooms'"):
        read(several, "rooms")


def test_a_single_table_can_be_read_without_its_name() -> None:
    assert read({"METADATA_SPEC_VERSION": "V1", "tables": {"guests": GUESTS}}) == read(GUESTS)


def test_a_sequence_key_becomes_the_subject() -> None:
    assert read({**GUESTS, "sequence_key": "hotel_id"}).subject == ("hotel_id",)
    assert read({**GUESTS, "sequence_key": ["hotel_id", "room_type"]}).subject == ("hotel_id", "room_type")


def test_the_primary_key_is_read() -> None:
    assert read(GUESTS).primary_key == ("guest_email",)


def test_numbers_and_times_keep_their_types() -> None:
    table = pa.table({"n": pa.array([1, 2], pa.int16()), "t": pa.array([0, 1], pa.timestamp("s"))})
    columns = {"n": {"sdtype": "numerical"}, "t": {"sdtype": "datetime", "datetime_format": "%Y"}}
    metadata = {"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1", "columns": columns}
    assert read_metadata(metadata, infer_table(table).schema).change.columns == {}


@pytest.mark.parametrize("kind", list(ColumnKind))
def test_every_kind_survives_a_round_trip_through_sdv_metadata(kind: ColumnKind) -> None:
    column = infer_table(TABLE).schema.columns[0].model_copy(update={"kind": kind})
    schema = TableSchema(columns=(column,))
    metadata = write_metadata(DatasetSchema(tables={"guests": schema}), Findings())
    assert metadata["METADATA_SPEC_VERSION"] == "V1"
    assert changed(schema, metadata) == schema


def test_several_tables_are_written_with_their_relationships() -> None:
    hotels = pa.table({"id": [f"HID_{n:03}" for n in range(50)], "stars": [1, 2] * 25})
    schema = DatasetSchema(
        tables={"hotels": infer_table(hotels).schema, "guests": infer_table(TABLE).schema},
        relationships=(
            Relationship(
                child="guests", child_columns=("hotel_id",), parent="hotels", parent_columns=("id",)
            ),
        ),
    )
    metadata = write_metadata(schema, Findings())
    assert (metadata["METADATA_SPEC_VERSION"], list(metadata["tables"])) == ("V1", ["hotels", "guests"])
    assert metadata["tables"]["hotels"]["primary_key"] == "id"
    assert metadata["relationships"] == [
        {
            "parent_table_name": "hotels",
            "parent_primary_key": "id",
            "child_table_name": "guests",
            "child_foreign_key": "hotel_id",
        }
    ]


def shop() -> InferredSchema:
    """Return the schema of two tables with a relationship inferred from numbers."""
    orders = pa.table({"order_id": range(100, 140), "person_id": [n % 4 for n in range(40)]})
    people = pa.table({"person_id": range(25), "town": [f"Town{chr(97 + n)}" for n in range(25)]})
    return infer_schema({"orders": ArrowSource(orders), "people": ArrowSource(people)})


def test_both_columns_of_a_relationship_have_the_sdtype_id() -> None:
    inferred = shop()
    kinds = [inferred.schema.tables[name].column("person_id").kind for name in ("orders", "people")]
    assert kinds == [ColumnKind.integer, ColumnKind.identifier]
    metadata = write_metadata(inferred.schema, inferred.findings)
    (relationship,) = metadata["relationships"]
    assert relationship["child_foreign_key"] == relationship["parent_primary_key"] == "person_id"
    for name in ("orders", "people"):
        assert metadata["tables"][name]["columns"]["person_id"] == {"sdtype": "id"}


def test_a_relationship_to_a_column_other_than_the_primary_key_is_omitted() -> None:
    inferred = shop()
    people = inferred.schema.tables["people"].model_copy(update={"primary_key": ("town",)})
    tables = {**inferred.schema.tables, "people": people}
    metadata = write_metadata(inferred.schema.model_copy(update={"tables": tables}), inferred.findings)
    assert metadata["relationships"] == []
    assert metadata["tables"]["people"]["primary_key"] == "town"
    assert metadata["tables"]["orders"]["columns"]["person_id"]["sdtype"] == "numerical"


@pytest.mark.parametrize(
    "document",
    [
        [],
        {},
        {"METADATA_SPEC_VERSION": "SINGLE_TABLE_V2", "columns": {}},
        {"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1"},
        {"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1", "columns": {"room_type": {"sdtype": 7}}},
        {"METADATA_SPEC_VERSION": "MULTI_TABLE_V1", "tables": []},
        {"METADATA_SPEC_VERSION": "V1", "tables": {"guests": None}},
    ],
)
def test_json_that_is_not_sdv_metadata_is_refused(document: object) -> None:
    with pytest.raises(InvalidInput, match="not valid SDV metadata"):
        read(document)


def test_the_error_for_an_unknown_column_in_the_metadata_contains_its_name() -> None:
    with pytest.raises(InvalidInput, match="no column 'age'") as caught:
        read({"METADATA_SPEC_VERSION": "SINGLE_TABLE_V1", "columns": {"age": {"sdtype": "numerical"}}})
    assert caught.value.code == "unknown_column"
