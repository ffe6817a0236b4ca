"""Columns that nobody has examined are examined before a fit; others are what the schema declares."""

from __future__ import annotations

import pyarrow as pa
import pytest

from understudy.tables.findings import ColumnFindings, TableFindings
from understudy.tables.inference import examine, is_generated_column
from understudy.tables.schema import Column, ColumnKind, TableSchema

EMAILS = pa.array([f"p{i % 30}@firm.example" for i in range(600)])


def examined(values: pa.Array, kind: ColumnKind, findings: TableFindings) -> ColumnKind:
    column = Column(name="x", kind=kind, arrow_type=str(values.type), nullable=False)
    return examine(pa.table({"x": values}), TableSchema(columns=(column,)), findings).schema.columns[0].kind


def test_an_unseen_category_of_personal_values_is_personal() -> None:
    assert examined(EMAILS, ColumnKind.category, TableFindings()) is ColumnKind.email


def test_an_examined_category_stays_one() -> None:
    findings = TableFindings(columns={"x": ColumnFindings(confidence=1.0)})
    assert examined(EMAILS, ColumnKind.category, findings) is ColumnKind.category


def test_an_unseen_category_of_plain_values_stays_one() -> None:
    assert examined(pa.array(["a", "b"] * 50), ColumnKind.category, TableFindings()) is ColumnKind.category


def test_other_kinds_are_what_the_schema_says() -> None:
    assert examined(EMAILS, ColumnKind.text, TableFindings()) is ColumnKind.text


def test_what_was_found_is_among_the_findings() -> None:
    column = Column(name="x", kind=ColumnKind.category, arrow_type="string", nullable=False)
    schema, findings = examine(pa.table({"x": EMAILS}), TableSchema(columns=(column,)), TableFindings())
    assert schema.columns[0].kind is ColumnKind.email
    assert findings.columns["x"].confidence > 0.5


@pytest.mark.parametrize(
    ("kind", "type_", "expected"),
    [
        (ColumnKind.coordinates, pa.float64(), False),
        (ColumnKind.coordinates, pa.string(), True),
        (ColumnKind.email, pa.string(), True),
        (ColumnKind.category, pa.string(), False),
    ],
)
def test_coordinates_as_numbers_are_learned(kind: ColumnKind, type_: pa.DataType, expected: bool) -> None:
    column = Column(name="x", kind=kind, arrow_type=str(type_), nullable=False)
    assert is_generated_column(column, type_) is expected
