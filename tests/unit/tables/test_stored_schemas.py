"""Tests that stored schemas of a single table are read as a dataset schema and its findings."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from understudy.tables.schema import ColumnDomain
from understudy.tables.stored_schemas import read_stored

STORED = {
    "columns": [
        {"name": "id", "kind": "identifier", "arrow_type": "int64", "nullable": False, "confidence": 0.9,
         "evidence": "all differ", "runner_up": {"kind": "integer", "confidence": 0.1}},
        {"name": "who", "kind": "category", "arrow_type": "string", "nullable": True, "evidence": ""},
    ],
    "subject": "who",
    "locale": "de-at",
    "primary_key_candidates": [{"column": "id", "confidence": 0.8, "evidence": "all differ"}],
    "subject_candidate": {"column": "who", "confidence": 0.7, "evidence": "the header"},
    "target_candidate": None,
    "foreign_key_candidates": [
        {"column": "who", "confidence": 0.6, "evidence": "contained", "parent_table": "people",
         "parent_column": "key"}
    ],
}  # fmt: skip


def test_a_stored_schema_describes_a_dataset_of_one_table() -> None:
    schema, _ = read_stored(STORED, "visits")
    assert (list(schema.tables), schema.locale) == (["visits"], "de-at")
    assert schema.tables["visits"].subject == ("who",)
    assert [column.kind.value for column in schema.tables["visits"].columns] == ["identifier", "category"]


def test_only_examined_columns_have_findings() -> None:
    findings = read_stored(STORED, "visits")[1].table("visits")
    assert list(findings.columns) == ["id"]
    assert findings.columns["id"].runner_up is not None
    assert [key.columns for key in findings.primary_keys] == [("id",)]
    assert findings.subject is not None
    assert (findings.subject.columns, findings.target) == (("who",), None)


def test_stored_references_are_candidates_for_relationships() -> None:
    (candidate,) = read_stored(STORED, "visits")[1].relationships
    assert (candidate.child, candidate.child_columns) == ("visits", ("who",))
    assert (candidate.parent, candidate.parent_columns) == ("people", ("key",))


def test_a_table_schema_returned_by_the_http_api_can_be_read() -> None:
    column = {"name": "id", "kind": "integer", "arrow_type": "int64", "nullable": False}
    shown = {
        "columns": [column | {"domain": {"minimum": 1}}, column | {"name": "day"}],
        "subject": ["id", "day"],
        "primary_key": ["id"],
        "order_by": ["day"],
        "role": "reference",
    }
    (table,) = read_stored(shown)[0].tables.values()
    assert (table.subject, table.primary_key, table.order_by) == (("id", "day"), ("id",), ("day",))
    assert (table.role, table.columns[0].domain) == ("reference", ColumnDomain(minimum=1))


@pytest.mark.parametrize(
    "document", [None, [], {}, {"columns": []}, STORED | {"more": 1}, STORED | {"subject": "x"}]
)
def test_json_that_is_not_a_stored_schema_is_refused(document: object) -> None:
    with pytest.raises(ValidationError):
        read_stored(document)
