"""Tests that columns without findings are examined before a fit, and other columns keep the declared kind."""

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


def test_a_category_without_findings_becomes_personal_if_its_values_are_personal() -> None:
    assert examined(EMAILS, ColumnKind.category, TableFindings()) is ColumnKind.email


def test_a_category_with_findings_keeps_its_kind() -> None:
    findings = TableFindings(columns={"x": ColumnFindings(confidence=1.0)})
    assert examined(EMAILS, ColumnKind.category, findings) is ColumnKind.category


def test_a_category_without_findings_keeps_its_kind_if_its_values_are_plain() -> None:
    assert examined(pa.array(["a", "b"] * 50), ColumnKind.category, TableFindings()) is ColumnKind.category


def test_columns_that_are_not_categories_keep_their_kind() -> None:
    assert examined(EMAILS, ColumnKind.text, TableFindings()) is ColumnKind.text


def test_the_evidence_for_a_new_kind_is_added_to_the_findings() -> None:
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
def test_personal_columns_are_generated_except_coordinates_stored_as_numbers(
    kind: ColumnKind, type_: pa.DataType, expected: bool
) -> None:
    column = Column(name="x", kind=kind, arrow_type=str(type_), nullable=False)
    assert is_generated_column(column, type_) is expected
