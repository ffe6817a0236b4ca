"""Tests that reports list generated columns without scoring them."""

from __future__ import annotations

import pyarrow as pa
import pytest

from tests.unit.evaluation.people import people
from understudy.errors import InvalidInput
from understudy.evaluation.comparison import ComparisonTables, compare
from understudy.evaluation.metrics import METRICS
from understudy.evaluation.metrics.base import missing_need
from understudy.evaluation.page.html import render_html
from understudy.evaluation.report import evaluate
from understudy.parameters.evaluation_options import EvaluationOptions
from understudy.tables.inference import infer_table
from understudy.tables.schema import Column, ColumnKind, TableSchema


def with_identifiers(n_rows: int, *, seed: int, first: int = 0) -> pa.Table:
    codes = [f"<b>-{i:05d}" for i in range(first, first + n_rows)]
    return people(n_rows, seed=seed).append_column("code", pa.array(codes))


def test_identifiers_are_excluded_and_copied_identifiers_are_counted() -> None:
    real = with_identifiers(400, seed=1)
    synthetic = with_identifiers(400, seed=2, first=300)
    report = evaluate(ComparisonTables(real, synthetic), infer_table(real), seed=5)
    (left_out,) = report.left_out
    assert (left_out.column, left_out.kind, left_out.copied) == ("code", ColumnKind.identifier, 0.25)
    assert left_out.reason == "generated as identifier: 100% of the values occur once"
    assert [shown.column for shown in report.columns] == people(1, seed=1).column_names
    assert report.scores("column_shapes").synthetic.score > 0.9
    assert "Columns that are not scored:" in render_html(report)


def test_excluded_columns_do_not_affect_the_scores() -> None:
    plain = evaluate(
        ComparisonTables(people(400, seed=1), people(400, seed=2)), infer_table(people(400, seed=1)), seed=5
    )
    real = with_identifiers(400, seed=1)
    report = evaluate(
        ComparisonTables(real, with_identifiers(400, seed=2, first=9000)), infer_table(real), seed=5
    )
    # Only the structure of identifiers is scored.
    summaries = (
        [row for row in shown.summary() if row.name != "entity_structure"] for shown in (report, plain)
    )
    assert next(summaries) == next(summaries)
    assert plain.left_out == []


def test_target_is_always_scored() -> None:
    real = with_identifiers(100, seed=1)
    report = evaluate(
        ComparisonTables(real, with_identifiers(100, seed=2)),
        infer_table(real),
        options=EvaluationOptions(target="code"),
        seed=5,
    )
    assert report.left_out == []


def test_tables_with_only_identifiers_are_rejected() -> None:
    table = with_identifiers(100, seed=1).select(["code"])
    with pytest.raises(InvalidInput, match="nothing to compare"):
        evaluate(ComparisonTables(table, table), infer_table(table))


@pytest.mark.parametrize("name", list(METRICS))
def test_metrics_accept_a_column_that_is_declared_as_a_generated_kind(name: str) -> None:
    real, synthetic = with_identifiers(200, seed=1), with_identifiers(200, seed=2, first=200)
    columns = infer_table(real).schema.columns
    declared = Column(name="code", kind=ColumnKind.name, arrow_type="string", nullable=True)
    comparison = compare(
        ComparisonTables(real, synthetic, holdout=real),
        TableSchema(columns=(*columns[:-1], declared)),
        options=EvaluationOptions(target="town"),
    )
    if missing_need(METRICS[name], comparison) is None:
        low, high = METRICS[name].range
        score = METRICS[name].score(comparison).score
        assert score is None or low <= score <= high
