"""Tests that reports omit categories with only a few rows or subjects."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from understudy.evaluation.comparison import ComparisonTables
from understudy.evaluation.page.html import render_html
from understudy.evaluation.report import evaluate
from understudy.parameters.evaluation_options import EvaluationOptions
from understudy.tables.inference import infer_table

RARE = "a rare disease"


def visits(n_rows: int) -> pa.Table:
    """Return visits of 101 patients. All visits with the rare disease belong to the last patient."""
    rng = np.random.default_rng(0)
    patient = np.append(np.repeat(np.arange(100), 4), np.full(n_rows, 100))
    return pa.table(
        {
            "patient": [f"P{10_000 + 7 * own}" for own in patient],
            "kind": [*rng.choice(["flu", "cold"], 400), *[RARE] * n_rows],
            "ward": rng.choice(["north", "south"], len(patient)),
            "days": rng.gamma(2, 3, len(patient)).round(1),
        }
    )


@pytest.mark.parametrize(("n_rows", "subject"), [(4, ()), (60, ("patient",))], ids=["rows", "subjects"])
def test_report_omits_categories_with_few_rows_or_one_subject(n_rows: int, subject: tuple[str, ...]) -> None:
    table = visits(n_rows)
    inferred = infer_table(table)
    schema = inferred.schema.model_copy(update={"subject": subject})
    tables = ComparisonTables(table, table.slice(0, 400))
    options = EvaluationOptions(target="kind", protected=("kind", "ward"))
    report = evaluate(tables, inferred._replace(schema=schema), options=options)
    assert RARE not in report.model_dump_json()
    assert RARE not in render_html(report)
